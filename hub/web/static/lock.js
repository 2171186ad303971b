// Who works on the open case: this page shows life while somebody is at it, warns, hands over, gives back.

const $ = (selector, root = document) => root.querySelector(selector);
// A name of this page's own: whoever leaves one page keeps the case for another
export const screen = [...crypto.getRandomValues(new Uint8Array(9))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
// Seconds: between two signs of life, and how long before the end it warns
const EVERY = 45, WARN = 60;

const bar = () => $("#case-lock");
const openCase = () => $("[data-case]")?.dataset.case ?? "";
const now = () => performance.now() / 1000;
let held = "", seen = "", state = "", until = 0, answerAt = 0, told = 0, isActive = false;
let going = Promise.resolve();

export function post(path, values, more = {}) {
  const { "x-csrftoken": token } = JSON.parse(document.body.getAttribute("hx-headers"));
  const headers = { "HX-Request": "true", "x-csrftoken": token };
  return fetch(path, { method: "POST", headers, body: new URLSearchParams(values), ...more });
}

// What the bar says counts from the moment at which it came.
function read() {
  const now_ = now(), data = bar()?.dataset ?? {}, id = openCase(), was = state, isSame = id === seen;
  state = data.lock ?? "";
  seen = id;
  until = now_ + Number(data.seconds ?? 0);
  answerAt = now_ + Number(data.answer ?? 0);
  if (held && held !== id) leave(held);
  if (state === "mine") held = id;
  else if (state === "others" && held === id) held = "";
  freeze(isSame && was === "mine" && state === "others");
  count();
  return isSame ? was : "";
}

// Somebody else has it now: what stands in the box stays to be read, nothing of it can be sent.
function freeze(isLost) {
  if (!isLost) return;
  document.dispatchEvent(new CustomEvent("hub:leaving"));
  for (const field of document.querySelectorAll("#reply-form textarea, #change-form textarea")) field.readOnly = true;
  for (const button of document.querySelectorAll("#reply-form button, #change-form button, #case-offers button")) button.disabled = true;
}

function put(html) {
  const next = new DOMParser().parseFromString(html, "text/html").getElementById("case-lock");
  const old = bar();
  if (!next || !old) return;
  const isSame = ["lock", "asker"].every((name) => next.dataset[name] === old.dataset[name]) && next.textContent.replace(/\s|\d/g, "") === old.textContent.replace(/\s|\d/g, "");
  // Where it says the same only its time is taken over: a button that has the focus keeps it.
  if (isSame) Object.assign(old.dataset, next.dataset);
  else { old.replaceWith(next); htmx.process(next); }
  const was = read();
  if (was === "others" && state === "mine") htmx.ajax("GET", location.pathname + location.search, { target: "#case-area", source: "#case-area" });
}

// One after the other: a sign of life must not overtake the leaving of its page.
function ask(id, answer) {
  going = going.then(async () => {
    try {
      const got = await answer();
      if (got.ok && id === openCase()) put(await got.text());
    } catch { /* the server is away: the mark of the stream says so, and the next sign of life comes in its time */ }
  });
}

function keep() {
  const id = openCase();
  told = now();
  isActive = false;
  if (id) ask(id, () => post(`/cases/${id}/lock/keep`, { screen }));
}
function look() {
  const id = openCase();
  if (id) ask(id, () => fetch(`/cases/${id}/lock`, { headers: { "HX-Request": "true" } }));
}
function leave(id, isAtOnce = false) {
  held = "";
  const go = () => post(`/cases/${id}/lock/leave`, { screen }, { keepalive: true }).catch(() => {});
  if (isAtOnce) go(); else going = going.then(go);
}

function count() {
  const box = bar();
  if (!box) return;
  const left = Math.max(0, Math.ceil((box.dataset.asker ? answerAt : until) - now()));
  const ending = $("[data-ending]", box);
  if (ending) ending.hidden = left > WARN;
  const tag = $("[data-count]", box);
  if (tag) tag.textContent = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: "second", unitDisplay: "narrow" }).format(left);
}

setInterval(() => {
  if (!bar()) return;
  count();
  const at = now();
  const isMine = state === "mine", isLapsed = state === "free" && held === openCase() && held !== "";
  if (isActive && (isLapsed || (isMine && (at - told > EVERY || until - at < WARN)))) keep();
  else if (bar().dataset.asker === "me" && at > answerAt && at - told > 2) keep();
  else if (((isMine || state === "others") && at > until && at - told > 2) || (isMine && bar().dataset.asker && at > answerAt + 1 && at - told > 2)) { told = at; look(); }
}, 1000);

for (const sign of ["keydown", "pointerdown", "pointermove", "wheel", "input"]) {
  addEventListener(sign, () => { isActive = true; }, { passive: true });
}
document.addEventListener("click", (event) => { if (event.target.closest?.("[data-stay]")) keep(); });
// With Alt, so that they work from within the reply box; the physical key counts.
document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || event.isComposing || event.repeat) return;
  const button = $(`#case-lock [data-alt="${event.code}"]`);
  if (button && !button.closest("[hidden]")) { event.preventDefault(); button.click(); }
});
document.addEventListener("hub:lock", (event) => { if (String(event.detail.case_id) === openCase()) look(); });
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "case-area") {
    read();
    if (state === "mine") keep();
    else held = "";
  } else if (event.target.id === "case-lock") read();
});
addEventListener("pagehide", () => { if (held) leave(held, true); });

// Marks in the list whose time is over, because their holder is gone without a word.
setInterval(() => {
  const ids = [];
  for (const mark of document.querySelectorAll(".lock-mark[data-until]")) {
    if (Date.parse(mark.dataset.until) > Date.now()) continue;
    mark.removeAttribute("data-until");
    ids.push(mark.closest("[data-row]").id.slice(4));
  }
  if (ids.length) document.dispatchEvent(new CustomEvent("hub:rows", { detail: { ids } }));
}, 15_000);

read();
if (state === "mine") keep();
