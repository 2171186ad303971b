// The list under the box: arrows go through it, Enter opens, Escape goes back. Without this file Enter finds on a page.

const form = document.querySelector(".find");
const box = document.getElementById("find");
const list = document.getElementById("found");

const found = () => [...list.querySelectorAll("[data-found]")];

function step(by) {
  const all = found();
  const next = all.indexOf(document.activeElement) + by;
  if (next < 0) box.focus();
  else all[Math.min(next, all.length - 1)]?.focus();
}

form?.addEventListener("keydown", (event) => {
  // The arrows choose among the candidates of an input method as long as it composes.
  if (event.isComposing || event.keyCode === 229) return;
  if (event.code === "ArrowDown" || event.code === "ArrowUp") {
    if (!found().length) return;
    event.preventDefault();
    step(event.code === "ArrowDown" ? 1 : -1);
  } else if (event.code === "Escape" && document.activeElement !== box) {
    event.preventDefault();
    event.stopPropagation();
    box.focus();
    box.select();
  } else if (event.code === "Escape") {
    form.classList.remove("is-finding");
  }
});

// In a list of links no letter is a key of the page behind it.
list?.addEventListener("keydown", (event) => {
  if (!event.isComposing && event.key.length === 1 && !event.ctrlKey && !event.metaKey) event.stopPropagation();
});

form?.addEventListener("focusin", () => form.classList.add("is-finding"));
form?.addEventListener("focusout", (event) => {
  if (!form.contains(event.relatedTarget)) form.classList.remove("is-finding");
});
box?.addEventListener("input", () => {
  if (!box.value.trim()) list.replaceChildren();
});
