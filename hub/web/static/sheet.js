// The sheet of the case's mall, read when the keys are opened over a case.

const keys = document.querySelector("#keys");
const sheet = document.querySelector("#sheet");

if (keys && sheet) {
  new MutationObserver(() => {
    if (!keys.open) return;
    const id = document.querySelector("[data-case]")?.dataset.case;
    if (!id) { sheet.replaceChildren(); return; }
    htmx.ajax("GET", `/cases/${id}/sheet`, { target: sheet, swap: "innerHTML" });
  }).observe(keys, { attributeFilter: ["open"] });
}
