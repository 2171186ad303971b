// How wide the panes are: by mouse or arrow keys, remembered in this browser. Loaded before anything is drawn, so
// that nothing moves afterwards.

(() => {
  const root = document.documentElement;
  const key = (pane) => `hub.pane.${pane}`;

  function stored(pane) {
    try { return Number(localStorage.getItem(key(pane))); } catch { return 0; } // storage may be switched off
  }
  const show = (pane, width) => root.style.setProperty(`--${pane}-width`, `${width}px`);
  for (const pane of ["views", "list", "side"]) if (stored(pane) > 0) show(pane, stored(pane));

  function set(bar, width, isKept) {
    const pixels = Math.round(Math.max(bar.ariaValueMin, Math.min(bar.ariaValueMax, width)));
    show(bar.dataset.pane, pixels);
    bar.ariaValueNow = pixels;
    if (isKept) try { localStorage.setItem(key(bar.dataset.pane), String(pixels)); } catch { /* kept for this page only */ }
  }

  const beside = (bar) => (bar.hasAttribute("data-from-end") ? bar.nextElementSibling : bar.previousElementSibling);
  const width = (bar) => beside(bar).getBoundingClientRect().width;
  const grows = (bar) => (bar.hasAttribute("data-from-end") ? -1 : 1);

  // What it is told as is how wide the pane came out.
  document.addEventListener("focusin", (event) => {
    const bar = event.target.closest?.("[data-pane]");
    if (bar) bar.ariaValueNow = Math.round(width(bar));
  });

  document.addEventListener("pointerdown", (event) => {
    const bar = event.target.closest?.("[data-pane]");
    if (!bar || event.button) return;
    event.preventDefault();
    bar.setPointerCapture(event.pointerId);
    const [from, start] = [event.clientX, width(bar)];
    const move = (to) => set(bar, start + (to.clientX - from) * grows(bar), false);
    bar.addEventListener("pointermove", move);
    bar.addEventListener("lostpointercapture", () => {
      bar.removeEventListener("pointermove", move);
      set(bar, width(bar), true);
    }, { once: true });
  });

  document.addEventListener("keydown", (event) => {
    const bar = event.target.closest?.("[data-pane]");
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.code];
    if (!bar || !by) return;
    event.preventDefault();
    set(bar, width(bar) + by * grows(bar) * (event.shiftKey ? 48 : 12), true);
  });

  document.addEventListener("dblclick", (event) => {
    const pane = event.target.closest?.("[data-pane]")?.dataset.pane;
    if (!pane) return;
    root.style.removeProperty(`--${pane}-width`);
    try { localStorage.removeItem(key(pane)); } catch { /* nothing was kept */ }
  });
})();
