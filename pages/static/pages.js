// What plain pages cannot do: copy, and fetch fresh figures. Every page works without this file.
(() => {
  "use strict";

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      const said = button.querySelector("[data-said]") ?? button;
      said.textContent = button.dataset.copied;
    } catch {
      window.getSelection().selectAllChildren(document.getElementById(button.dataset.from));
    }
  });

  // Fresh figures, unless nobody looks or somebody is in the middle of something.
  const busy = (part) =>
    document.hidden || part.contains(document.activeElement) || window.getSelection().toString();

  setInterval(() => {
    for (const part of document.querySelectorAll("[data-fresh]")) {
      if (!busy(part)) window.htmx.trigger(part, "fresh");
    }
  }, 10000);
})();
