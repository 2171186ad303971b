// The reply box: choosing a template, walking its gaps, showing the words that a finding is about.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

const box = () => $("[data-templates]");
const shown = () => $$("[data-template]", box() ?? document).filter((each) => !each.closest("li").hidden);

function sift() {
  const words = $("[data-template-find]", box()).value.normalize("NFKC").toLowerCase().split(/\s+/).filter(Boolean);
  const language = $("[data-template-language]", box()).value;
  for (const each of $$("[data-template]", box())) {
    const fits = words.every((word) => each.dataset.find.normalize("NFKC").includes(word));
    each.closest("li").hidden = !fits || (language !== "" && each.dataset.language !== language);
  }
}

// The next gap is selected, so that typing fills it.
function selectGap(field) {
  const gap = /⟦[^⟦⟧\n]*⟧/.exec(field.value);
  if (gap) field.setSelectionRange(gap.index, gap.index + gap[0].length);
  return Boolean(gap);
}

// As if it were typed: one undo takes it back. Where that is not to be had it is put in.
function type(field, text) {
  field.focus();
  if (!document.execCommand("insertText", false, text)) {
    field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  selectGap(field);
}

function insert(link) {
  const field = $("#reply");
  if (!field) return;
  box().open = false;
  type(field, link.dataset.text);
  $("[data-template-id]").value = link.dataset.template;
}

document.addEventListener("input", (event) => {
  if (event.target.matches?.("[data-template-find]")) sift();
});
document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-template-language]")) sift();
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.matches?.(".template-list")) sift();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-templates] [data-template]");
  if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
    event.preventDefault();
    insert(link);
    return;
  }
  const draft = event.target.closest?.("[data-fill-reply]");
  if (draft && $("#reply")) {
    event.preventDefault();
    type($("#reply"), draft.dataset.fillReply);
    return;
  }
  const words = event.target.closest?.("[data-span]");
  if (words) show(words);
});

// Places count code points, a text field counts UTF-16: an emoji is one and two.
function show(words) {
  const form = words.closest(".reply")?.querySelector("form");
  const field = $("textarea[name=text]", words.closest("details.change") ?? form ?? document);
  if (!field) return;
  const lead = field.value.length - field.value.trimStart().length;
  const [start, end] = words.dataset.span.split(",").map(Number);
  const points = [...field.value.trimStart()];
  const width = (count) => points.slice(0, count).join("").length;
  field.focus();
  field.setSelectionRange(lead + width(start), lead + width(end));
}

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229) return;
  const isFinding = event.target.matches?.("[data-template-find]");
  const link = event.target.closest?.("[data-templates] [data-template]");
  if (isFinding && event.code === "Enter" && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    if (shown()[0]) insert(shown()[0]);
  } else if ((isFinding || link) && (event.code === "ArrowDown" || event.code === "ArrowUp")) {
    event.preventDefault();
    const all = shown();
    const at = all.indexOf(link) + (event.code === "ArrowDown" ? 1 : -1);
    if (at < 0) $("[data-template-find]", box()).focus();
    else all[Math.min(at, all.length - 1)]?.focus();
  } else if ((isFinding || link) && event.code === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    box().open = false;
    $("#reply")?.focus();
  } else if (event.target.id === "reply" && event.altKey && event.code === "KeyG") {
    if (selectGap(event.target)) event.preventDefault();
  }
}, true);
