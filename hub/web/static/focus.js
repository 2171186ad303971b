// After something was done, the part of the page that held the button is made anew, and the focus would fall out of
// the page. Whoever works by keyboard or by ear then stands on what was told; where nothing was told, on the same
// control; else on the head of that part.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const CONTROLS = "button, input:not([type=hidden]), select, textarea, summary, a[href]";

// By request: others come and go between its answer and its end.
const left = new WeakMap();

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, requestConfig, xhr } = event.detail;
  const at = document.activeElement;
  if (requestConfig.verb === "post" && target?.contains(at)) left.set(xhr, { target, likeness: likenessOf(at) });
});

// What makes a control the same one in the new part.
function likenessOf(control) {
  const form = control.closest("form");
  return [control.tagName, control.name, control.value, control.dataset.key, form?.getAttribute("action")].join(" ");
}

document.addEventListener("htmx:afterSettle", ({ detail: { xhr } }) => {
  if (!left.has(xhr)) return;
  const { target, likeness } = left.get(xhr);
  left.delete(xhr);
  const part = target.isConnected ? target : document.getElementById(target.id);
  const notice = part && told(part);
  // What has a name of its own was found again, or the new part has said where to stand: only the ear is told.
  if (document.activeElement && document.activeElement !== document.body) {
    $("#said").textContent = notice?.textContent ?? "";
    return;
  }
  const found = part && (notice ?? alike(part, likeness) ?? $("h1, h2", part));
  stand(found ?? $("[data-row][aria-current]") ?? $("#main"));
});

const alike = (part, likeness) =>
  $$(CONTROLS, part).find((each) => each.checkVisibility() && likenessOf(each) === likeness);

// What the hub says of it; of several the one at the head.
const told = (part) =>
  [$("#notice .notice", part), ...$$(".notice[role=alert], .notice[role=status]", part)]
    .find((each) => each?.checkVisibility());

function stand(place) {
  if (!place.matches(CONTROLS)) place.tabIndex = -1;
  place.focus({ preventScroll: !place.matches(".notice") });
}
