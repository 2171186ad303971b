// The telephone: told by the stream, fetched as a part of the page. It never takes the focus from where one types.

const $ = (selector, root = document) => root.querySelector(selector);
const phone = $("#phone");

// Two news in one moment are one look; the first is looked at right away.
let timer = 0;
document.addEventListener("hub:call", () => {
  if (!phone || timer) return;
  htmx.trigger(phone, "ring");
  timer = setTimeout(() => { timer = 0; htmx.trigger(phone, "ring"); }, 250);
});

function seconds() {
  for (const tag of document.querySelectorAll(".phone-seconds[data-since]")) {
    const all = Math.max(0, Math.floor((Date.now() - Date.parse(tag.dataset.since)) / 1000));
    tag.textContent = `${Math.floor(all / 60)}:${String(all % 60).padStart(2, "0")}`;
  }
}
setInterval(seconds, 1000);

// What is half typed or open in the bar stays while the call goes on.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target !== phone || event.detail.requestConfig.verb !== "get") return;
  if (phone.contains(document.activeElement) && document.activeElement.matches("input")) event.detail.shouldSwap = false;
});
// A list of pauses that is open stays so until one is chosen.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  if (event.detail.target.id === "phone-own" && event.detail.target.open) event.detail.shouldSwap = false;
});
document.addEventListener("submit", (event) => { const list = event.target.closest("#phone-own"); if (list) list.open = false; });
let opened = "";
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== phone) return;
  seconds();
  const bar = $("[data-call]", phone);
  const [call, matter] = opened.split(" ");
  if (bar && bar.dataset.call === call) { const box = $(`[data-matter="${matter}"]`, bar); if (box) box.open = true; }
});

// The note: a digit for the matter, a digit for the reason.
document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.repeat) return;
  if (event.target.matches?.("input, textarea, select") || $("dialog[open]")) return;
  const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1];
  const bar = phone && $("[data-call]", phone);
  if (!digit || !bar) return;
  const open = $("details[data-matter][open]", bar);
  if (open) {
    const reason = $(`[data-reason="${digit}"]`, open);
    if (reason) { event.preventDefault(); opened = ""; reason.click(); }
    return;
  }
  const matter = $(`details[data-matter="${digit}"]`, bar);
  if (matter) { event.preventDefault(); matter.open = true; opened = `${bar.dataset.call} ${digit}`; }
});
document.addEventListener("keydown", (event) => {
  const open = event.code === "Escape" && phone && $("details[data-matter][open]", phone);
  if (open) { open.open = false; opened = ""; }
});
