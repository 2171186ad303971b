// Replies are kept on the server a second after typing stops; until it has them they are kept in this window.

import { post, screen } from "./lock.js";

const $ = (selector, root = document) => root.querySelector(selector);
const WAIT = 1000, AGAIN = 5000, OLDEST_PAGE = 30_000;
let timer = 0, unsaved = null;

const box = () => $("#reply[data-draft]");
const place = (field) => `draft ${field.dataset.user} ${field.dataset.draft}`;
const tokenOf = (field) => field.form.elements.token.value;

// The window's own store may be full or closed; the server's copy is the one that counts.
function keepHere(field, token = tokenOf(field), savedAt = 0) {
  try { sessionStorage.setItem(place(field), JSON.stringify({ text: field.value, token, savedAt })); } catch { /* see above */ }
}
function kept(field) {
  try { return JSON.parse(sessionStorage.getItem(place(field))); } catch { return null; }
}
const forget = (field) => sessionStorage.removeItem(place(field));
const forgetSaved = (field) => { if (kept(field)?.savedAt) forget(field); };

function say(field, part) {
  const line = field.isConnected && $("#draft-state");
  if (line) line.replaceChildren(...part);
}
function said(name) {
  const text = $("#draft-state")?.dataset[name] ?? "";
  if (name !== "signedOut") return [text];
  const link = document.createElement("a");
  link.href = `/sign-in?next=${encodeURIComponent(location.pathname)}`;
  link.textContent = $("#draft-state")?.dataset.signIn ?? "";
  return [text, " ", link];
}

async function save(field, token = tokenOf(field)) {
  clearTimeout(timer);
  if (unsaved !== field) return;
  unsaved = null;
  const text = field.value, id = field.dataset.draft, wasSaved = Boolean($("#draft-state [data-saved]"));
  const values = { screen, text, token, template_id: field.form.elements.template_id?.value ?? "", replaces: field.dataset.replaces ?? "" };
  say(field, said("saving"));
  try {
    // A page that is being left finishes only what is small.
    const answer = await post(`/cases/${id}/draft`, values, { keepalive: text.length < 15_000 });
    if (answer.status === 401) { say(field, said("signedOut")); return; }
    if (!answer.ok && answer.status !== 422) throw new Error(String(answer.status));
    const part = new DOMParser().parseFromString(await answer.text(), "text/html").body;
    const isSaved = Boolean($("[data-saved]", part));
    if (answer.ok && text === field.value) {
      // Not forgotten at once: a page of this case may be on its way that was made before the server had the text.
      if (isSaved) { keepHere(field, token, Date.now()); setTimeout(forgetSaved, OLDEST_PAGE, field); } else forget(field);
    }
    // It was sent meanwhile: it must not stand there to be sent again.
    if (answer.ok && !isSaved && text.trim() && field.value === text) field.value = "";
    say(field, [...part.childNodes]);
    if (isSaved !== wasSaved) document.dispatchEvent(new CustomEvent("hub:rows", { detail: { ids: [id] } }));
  } catch {
    say(field, said("unsaved"));
    if (field.isConnected && !unsaved) { unsaved = field; timer = setTimeout(() => save(field, token), AGAIN); }
  }
}

const flush = () => { if (unsaved) save(unsaved); };

document.addEventListener("input", (event) => {
  const field = event.target;
  if (!field.matches?.("#reply[data-draft]")) return;
  if (unsaved && unsaved !== field) flush();
  keepHere(field);
  unsaved = field;
  clearTimeout(timer);
  timer = setTimeout(() => save(field), WAIT);
});

// Kept until it is sent: whichever of the two comes later, the server keeps no draft of what was sent.
document.addEventListener("submit", (event) => { if (event.target.id === "reply-form") flush(); }, true);
document.addEventListener("htmx:beforeSwap", (event) => {
  const field = event.detail.requestConfig?.elt?.id === "reply-form" && box();
  if (field && event.detail.xhr.status < 400) forget(field);
});

// A text that the server does not have yet comes back; it says whether that was sent meanwhile.
function prepare() {
  const field = box();
  const own = field && kept(field);
  if (!own) return;
  const isOver = own.savedAt && (field.value || Date.now() - own.savedAt > OLDEST_PAGE);
  if (own.text === field.value || isOver) { forget(field); return; }
  field.value = own.text;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  keepHere(field, own.token);
  save(field, own.token);
}
document.addEventListener("htmx:afterSwap", (event) => { if (event.target.id === "case-area") prepare(); });

document.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.target?.id === "case-area" && event.detail.requestConfig.verb === "get") flush(); });
document.addEventListener("hub:leaving", flush);
addEventListener("pagehide", flush);
document.addEventListener("visibilitychange", () => { if (document.hidden) flush(); });
prepare();
