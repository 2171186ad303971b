// How wide the panes are: by mouse or arrow keys, remembered in this browser. Loaded before anything is drawn, so
// that nothing moves afterwards.

(() => {
  const LIMITS = { views: [140, 320], list: [260, 720], side: [220, 520] };
  const root = document.documentElement;
  const key = (pane) => `hub.pane.${pane}`;

  function stored(pane) {
    try { return Number(localStorage.getItem(key(pane))); } catch { return 0; } // storage may be switched off
  }
  function set(pane, width, isKept) {
    const [least, most] = LIMITS[pane];
    const pixels = Math.round(Math.max(least, Math.min(most, width)));
    root.style.setProperty(`--${pane}-width`, `${pixels}px`);
    if (isKept) try { localStorage.setItem(key(pane), String(pixels)); } catch { /* kept for this page only */ }
    for (const bar of document.querySelectorAll(`[data-pane="${pane}"]`)) bar.setAttribute("aria-valuenow", String(pixels));
  }
  for (const pane of Object.keys(LIMITS)) if (stored(pane) > 0) set(pane, stored(pane), false);

  const beside = (bar) => (bar.hasAttribute("data-from-end") ? bar.nextElementSibling : bar.previousElementSibling);
  const width = (bar) => beside(bar).getBoundingClientRect().width;
  const grows = (bar) => (bar.hasAttribute("data-from-end") ? -1 : 1);

  document.addEventListener("pointerdown", (event) => {
    const bar = event.target.closest?.("[data-pane]");
    if (!bar || event.button) return;
    event.preventDefault();
    bar.setPointerCapture(event.pointerId);
    const [from, start] = [event.clientX, width(bar)];
    const move = (to) => set(bar.dataset.pane, start + (to.clientX - from) * grows(bar), false);
    bar.addEventListener("pointermove", move);
    bar.addEventListener("lostpointercapture", () => {
      bar.removeEventListener("pointermove", move);
      set(bar.dataset.pane, width(bar), true);
    }, { once: true });
  });

  document.addEventListener("keydown", (event) => {
    const bar = event.target.closest?.("[data-pane]");
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.code];
    if (!bar || !by) return;
    event.preventDefault();
    set(bar.dataset.pane, width(bar) + by * grows(bar) * (event.shiftKey ? 48 : 12), true);
  });

  document.addEventListener("dblclick", (event) => {
    const pane = event.target.closest?.("[data-pane]")?.dataset.pane;
    if (!pane) return;
    root.style.removeProperty(`--${pane}-width`);
    try { localStorage.removeItem(key(pane)); } catch { /* nothing was kept */ }
  });
})();
