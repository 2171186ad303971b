// News from the server: which cases changed. What is being read or typed stays as it is.

const $ = (selector, root = document) => root.querySelector(selector);
const mark = $("#live");

function show(state) {
  document.body.dataset.live = state;
  if (mark) { mark.textContent = mark.dataset[state] ?? ""; mark.hidden = state === "on"; }
}

// One call for many news: a sync writes a page of cases at once.
function soon(run, delay = 400) {
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(run, delay); };
}

const askNews = soon(() => { const news = $("#news"); if (news) htmx.trigger(news, "news"); });
// Counts cost a look at every open case: at most one in two seconds, however much happens.
let countsAsked;
function askCounts() {
  countsAsked ??= setTimeout(() => {
    countsAsked = undefined;
    for (const part of document.querySelectorAll("#view-links, #board")) htmx.trigger(part, "counts");
  }, 2000);
}
const askStrip = soon(() => { const strip = $("#promise-strip"); if (strip) htmx.trigger(strip, "news"); });
const askFresh = soon(() => { const fresh = $("#fresh"); if (fresh) htmx.trigger(fresh, "news"); }, 1000);

// Rows that stand in the list are read again where they stand: the list does not move.
const changed = new Set();
const readRows = soon(() => {
  const shown = [...changed].filter((id) => $(`#row-${id}`));
  changed.clear();
  const rows = $("#rows");
  if (!rows || !shown.length) return;
  const query = new URLSearchParams(location.search);
  query.set("ids", shown.join(","));
  htmx.ajax("GET", `/cases/changed?${query}`, { source: rows, swap: "none" });
});

// The open case: what happened is read again, the boxes where somebody types stay as they are.
const openCase = () => $("[data-case]")?.dataset.case;
let outcome = "";
const readCase = soon(() => {
  const timeline = $("#case-area #timeline");
  if (!timeline) return;
  // What this screen's own action came to is told in more words than the news have.
  const isTold = $("#notice .notice-done, #notice .notice-wrong");
  const query = new URLSearchParams(location.search);
  if (outcome && !isTold) query.set("outcome", outcome);
  outcome = "";
  htmx.ajax("GET", `/cases/${openCase()}/news?${query}`, { source: timeline, target: timeline, swap: "outerHTML" });
  const card = $("#decision");
  if ($("details[open]", card ?? timeline)?.matches(".verdict-fold") && !card.contains(document.activeElement)) {
    htmx.trigger($(".verdict-ask", card), "line-facts");
  }
}, 150);
// A part in which somebody types, or has opened a form, stays as it is: it is theirs until they are done.
function isTyped(field) {
  if (field.matches("select")) {
    const first = Math.max(0, [...field.options].findIndex((option) => option.defaultSelected));
    return field.selectedIndex !== first;
  }
  return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
}
function isBusy(part) {
  if (part.contains(document.activeElement) || $("details[open], [data-review], .htmx-request", part)) return true;
  return [...part.querySelectorAll("input, select, textarea")].some(isTyped);
}
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target } = event.detail;
  if (target.matches(".moving") && isBusy(target)) event.detail.shouldSwap = false;
});
const isOpen = (id) => String(id) === openCase();

// Read before the address changed, the row of the open case does not know that it is.
document.addEventListener("htmx:oobAfterSwap", () => {
  if (!$("[data-row][aria-current]")) $(`#row-${openCase()}`)?.setAttribute("aria-current", "true");
});
document.addEventListener("hub:rows", (event) => { event.detail.ids.forEach((id) => changed.add(id)); readRows(); });

const handlers = {
  cases({ ids }) {
    ids.forEach((id) => { changed.add(id); if (isOpen(id)) readCase(); });
    readRows();
    askNews();
    askCounts();
  },
  mention({ case_id }) { changed.add(case_id); readRows(); askCounts(); askStrip(); },
  case({ id }) { if (isOpen(id)) readCase(); },
  action(body) {
    if (isOpen(body.case_id)) { outcome = body.outcome; readCase(); }
    changed.add(body.case_id);
    readRows();
  },
  lock(body) { changed.add(body.case_id); readRows(); document.dispatchEvent(new CustomEvent("hub:lock", { detail: body })); },
  call(body) { document.dispatchEvent(new CustomEvent("hub:call", { detail: body })); },
  shop() { askFresh(); },
  reset() { document.dispatchEvent(new CustomEvent("hub:call", { detail: {} })); askNews(); askFresh(); [...document.querySelectorAll("[data-row]")].forEach((row) => changed.add(row.id.slice(4))); readRows(); },
};

const stream = new EventSource("/live");
stream.addEventListener("hello", () => show("on"));
stream.addEventListener("error", () => show("off"));
for (const [topic, run] of Object.entries(handlers)) {
  stream.addEventListener(topic, (event) => run(JSON.parse(event.data)));
}
addEventListener("pagehide", () => stream.close());
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
