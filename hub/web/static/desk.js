// Small comforts. Every page works without this file.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

document.documentElement.classList.add("has-script");

// --- trouble: a request that failed says so until it is dismissed

const trouble = $("#trouble");

function say(text) {
  const close = document.createElement("button");
  close.textContent = document.body.dataset.dismiss;
  close.addEventListener("click", () => { trouble.hidden = true; });
  trouble.replaceChildren(text, close);
  trouble.hidden = false;
}

document.addEventListener("htmx:sendError", () => say(document.body.dataset.lost));
document.addEventListener("htmx:responseError", (event) => {
  if (!event.detail.xhr.getResponseHeader("HX-Redirect")) say(document.body.dataset.refused);
});
// A new try takes it away; what is asked while somebody types (the guard, the card) does not.
const TRIES = new Set(["submit", "click"]);
document.addEventListener("htmx:beforeRequest", (event) => {
  const { verb, triggeringEvent } = event.detail.requestConfig;
  if (verb === "post" && TRIES.has(triggeringEvent?.type)) trouble.hidden = true;
});

// --- the list: the row that is open is marked

document.addEventListener("click", (event) => {
  const row = event.target.closest?.("[data-row]");
  if (!row) return;
  // Opening in a new tab is the browser's own business.
  if (event.metaKey || event.ctrlKey || event.shiftKey) { event.stopImmediatePropagation(); return; }
  $$("[data-row]").forEach((each) => each.removeAttribute("aria-current"));
  row.setAttribute("aria-current", "true");
}, true);

// --- what is typed is counted; draft.js keeps it

function prepare(root) {
  for (const field of $$("[data-draft]", root)) count(field);
}

function count(field) {
  const output = field.id && $(`[data-count-of="${field.id}"]`);
  // Code points, as the server counts them: an emoji is one.
  if (output) output.textContent = [...field.value].length.toLocaleString();
}

document.addEventListener("input", (event) => {
  const field = event.target;
  if (field.id) count(field);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-act]")) return;
  // A second press while the mall works does nothing; the server would not send it twice either.
  if (form.classList.contains("is-sending")) { event.preventDefault(); event.stopImmediatePropagation(); return; }
  form.classList.add("is-sending");
}, true);

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest?.("form[data-act]");
  if (!form) return;
  form.classList.remove("is-sending");
});

document.addEventListener("htmx:afterSwap", (event) => {
  prepare(event.target);
  if (event.target.id === "case-area") {
    $$("details.menu[open], details.nav-more[open]").forEach((menu) => { menu.open = false; });
    event.target.scrollTop = 0;
    const notice = $("#notice .notice", event.target);
    if (notice) notice.scrollIntoView({ block: "nearest" });
  }
});

// --- a card that is made anew keeps its fold as somebody left it

let wasUnfolded = false;
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target?.id === "decision") wasUnfolded = Boolean($("#decision .verdict-proofs[open]"));
});
document.addEventListener("htmx:load", (event) => {
  if (event.target.id === "decision" && wasUnfolded) $(".verdict-proofs", event.target).open = true;
});

// --- how long ago the mall was asked: a still page would say "just now" for ever

setInterval(() => {
  for (const tag of $$("[data-checked]")) {
    const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(tag.dataset.checked)) / 1000));
    const [words, n] = seconds < 60 ? [tag.dataset.seconds, seconds] : [tag.dataset.minutes, Math.floor(seconds / 60)];
    tag.textContent = words.replace("{n}", n.toLocaleString());
  }
}, 1000);

// --- copy, selects that submit themselves, the list of keys

document.addEventListener("click", async (event) => {
  const copy = event.target.closest?.("[data-copy]");
  if (copy) {
    await navigator.clipboard?.writeText(copy.dataset.copy);
    copy.classList.add("is-copied");
    copy.title = document.body.dataset.copied;
  }
  if (event.target.closest?.("[data-keys]")) $("#keys")?.showModal();
  event.target.closest?.("[data-side]")?.closest(".case-area").classList.toggle("is-side-open");
});
document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-submit]")) event.target.form.requestSubmit();
  if (event.target.matches?.("[data-ready]")) choose(event.target);
});

// A ready sentence takes the place of another one; what was typed stays before it.
function choose(ready) {
  const field = ready.form.elements.text, text = field.value.trim();
  const isOwn = text && ![...ready.options].some((each) => each.value === text);
  field.value = isOwn && ready.value ? `${text}\n${ready.value}` : isOwn ? field.value : ready.value;
}

// Whoever signs out leaves nothing behind in this window.
document.addEventListener("submit", (event) => {
  if (event.target.getAttribute("action") !== "/sign-out") return;
  Object.keys(sessionStorage).filter((key) => key.startsWith("draft ")).forEach((key) => sessionStorage.removeItem(key));
}, true);

// A page that comes back from the browser's memory is not sending any more.
addEventListener("pageshow", () => $$(".is-sending").forEach((form) => form.classList.remove("is-sending")));

prepare(document);
