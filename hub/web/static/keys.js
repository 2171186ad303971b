// Keys. Which key does what stands in the list of keys (?) and nowhere else; the physical key counts, so that
// they work with the Korean input on. And the rows that are picked for a step over many.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// --- the list: one row is current, focus stays with the reader

const rows = () => $$("#rows [data-row], .board-rows [data-row]");
const currentRow = () => document.activeElement?.closest?.("[data-row]") ?? $("[data-row][aria-current]");
const openCase = () => $("[data-case]")?.dataset.case;

function step(by) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(currentRow());
  const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

// Somebody walks the list, and stands on another row than that of the open case.
function isInList() {
  const row = document.activeElement?.closest?.("[data-row]");
  return !openCase() || (row && row.id !== `row-${openCase()}`);
}

const picks = () => $$(".pick:checked");

function showPicks() {
  const bulk = $("#bulk");
  if (!bulk) return;
  const count = picks().length;
  bulk.classList.toggle("is-on", count > 0);
  $("[data-picked]", bulk).textContent = count.toLocaleString();
}

function pick() {
  const box = $(".pick", currentRow()?.closest(".row-box") ?? document.createElement("p"));
  if (box) { box.checked = !box.checked; showPicks(); }
}

// What is picked, or else the current row.
function withPicks(run) {
  if (!picks().length) pick();
  if (picks().length) run($("#bulk"));
}
const submit = (what) => withPicks((bulk) => $(`[data-bulk="${what}"]`, bulk).click());

document.addEventListener("change", (event) => { if (event.target.matches?.(".pick")) showPicks(); });
document.addEventListener("htmx:afterSwap", showPicks);
addEventListener("pageshow", showPicks);

// --- the open case

function back() {
  const drawer = $(".is-side-open");
  if (drawer) { drawer.classList.remove("is-side-open"); return; }
  const review = $("[data-review-back]");
  if (review) { review.click(); return; }
  const open = $("details.templates[open], details.offer-open[open], details.unmask[open], details.work-fold[open], .care details[open], .ask-form details[open]");
  if (open) { open.open = false; return; }
  if (picks().length) { picks().forEach((box) => { box.checked = false; }); showPicks(); }
  (currentRow() ?? rows()[0])?.focus();
}

// The first of several that this case has: one key approves a cancel, accepts a return.
function open(...names) {
  const found = names.map((name) => $(`[data-key="${name}"]`)).find((each) => each);
  if (!found) return false;
  if (found.tagName === "SUMMARY") {
    for (let box = found.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    $("select, input:not([type=hidden], [type=checkbox]), textarea, button", found.nextElementSibling)?.focus();
    found.scrollIntoView({ block: "nearest" });
  } else if (found.tagName === "BUTTON") {
    found.click();
  } else {
    found.focus();
    found.scrollIntoView({ block: "nearest" });
  }
  return true;
}

// The first who can be asked is under the hand: Enter asks. Where one can only telephone, what was answered can be
// written; where nobody can be asked, the matter is.
function contact() {
  const called = $("#contact [data-called] ~ textarea");
  const field = $("#contact .ask-ways button") ?? called ?? $('[data-key="contact"]');
  if (!field) return;
  if (field === called) called.closest("details").open = true;
  if (!field.checkVisibility()) field.closest(".case-area")?.classList.add("is-side-open");
  field.focus();
  field.scrollIntoView({ block: "nearest" });
}

// By which way a contact is asked: by that of the fold in which somebody writes, or else the first.
function way(field, form) {
  return field.closest("details")?.querySelector('button[name="way"]') ?? $(".ask-ways button", form);
}

function view(name) {
  const link = $(`[data-view="${name}"]`);
  if (link) location.assign(link.href);
  else location.assign(name === "open" ? "/cases" : `/cases?view=${name}`);
}

const RUN = {
  next: () => step(1),
  previous: () => step(-1),
  open_row: () => currentRow()?.click(),
  back,
  pick,
  // Where the mall does not let it be done, the key does nothing else instead.
  refuse_or_pick: () => (isInList() ? pick() : open("refuse-cancel", "refuse-return", "refuse-exchange")),
  approve_or_take: () => (isInList() ? submit("take") : open("approve-cancel", "accept-return", "accept-exchange")),
  snooze: () => (isInList() ? withPicks((bulk) => $("#bulk-until", bulk).focus()) : open("snooze")),
  seen: () => submit("seen"),
  reply: () => open("reply"),
  template: () => open("template"),
  hold: () => open("hold-return", "hold-exchange", "release-return", "release-exchange"),
  ship: () => open("dispatch", "redeliver-exchange", "delay"),
  note: () => open("note"),
  memo: () => open("memo"),
  take: () => open("take"),
  contact,
  promise: () => open("promise"),
  call: () => open("call"),
  reread: () => open("reread"),
  side: () => open("side"),
  find: () => $("#find")?.focus(),
  view,
  page: (path) => location.assign(path),
  phone: () => $("#phone a, #phone summary, #phone button")?.focus(),
  help: () => $("#keys")?.showModal(),
};

const bound = new Map($$("#keys [data-run]").map((key) => [key.dataset.code, () => RUN[key.dataset.run](key.dataset.arg)]));
const first = new Set([...bound.keys()].filter((code) => code.includes(" ")).map((code) => code.split(" ")[0]));
let before = "";

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229) return;
  const isTyping = event.target.matches?.("input:not([type=checkbox]), textarea, select");
  if ((event.ctrlKey || event.metaKey) && event.code === "Enter") {
    const form = event.target.form ?? $("form[data-review]");
    // A key held down must not answer the question whether one is sure.
    if (form && !event.repeat) {
      event.preventDefault();
      const button = way(event.target, form);
      if (button) button.click(); else form.requestSubmit();
    }
    return;
  }
  if (isTyping && event.code === "Escape") { event.target.blur(); back(); return; }
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
  const after = before && bound.get(`${before} ${event.code}`);
  before = "";
  if (!after && !event.shiftKey && first.has(event.code)) { before = event.code; return; }
  const run = after || bound.get(event.shiftKey ? `Shift+${event.code}` : event.code);
  if (run) { event.preventDefault(); run(); }
});

document.addEventListener("click", (event) => { if (event.target.closest?.("[data-back]")) back(); });

showPicks();
