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

  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }

  // Fresh figures, unless nobody looks or somebody is in the middle of something.
  const busy = (part) =>
    document.hidden || part.contains(document.activeElement) || window.getSelection().toString();

  setInterval(() => {
    for (const part of document.querySelectorAll("[data-fresh]")) {
      if (!busy(part)) window.htmx.trigger(part, "fresh");
    }
  }, 10000);

  // A form that saves as one types, and folds what is not asked. Without this file a button saves.
  const form = document.querySelector("form[data-draft]");
  if (form) {
    const QUIET_MS = 900, AGAIN_MS = 5000;
    let changed = false, under_way = false, timer;
    const said = () => document.getElementById("draft-saved");
    const version = () => form.querySelector("[name=stamp]").value;

    const save = () => {
      if (!changed || under_way || document.querySelector("[name=over]")) return;
      [changed, under_way] = [false, version()];
      window.htmx.trigger(form, "save");
    };

    const values = (part, row) =>
      [...(row ?? form).querySelectorAll(`[data-part="${part}"]`)]
        .filter((each) => each.value && (!["radio", "checkbox"].includes(each.type) || each.checked))
        .map((each) => each.value);

    const asked = (part, when) => {
      const [about, ...wanted] = when.replace("!", "").split(" ");
      const row = part.closest("[data-row]");
      const inside = row?.querySelector(`[data-part="${about}"]`) ? row : null;
      return values(about, inside).some((each) => wanted.includes(each)) !== when.startsWith("!");
    };

    const empty = (part) =>
      ![...part.querySelectorAll("input:not([type=hidden]), textarea, select")].some((each) =>
        ["radio", "checkbox"].includes(each.type) ? each.checked && each.value : each.value);

    const fold = () => {
      for (const part of form.querySelectorAll("[data-when]")) {
        const awake = asked(part, part.dataset.when) || !empty(part) || !!part.querySelector(".fault");
        const details = part.querySelector(":scope > details");
        if (details) details.open = awake;
        else part.classList.toggle("asleep", !awake);
      }
    };

    const tick = (field) => {
      const row = field.closest(".tick");
      if (!row) return;
      row.querySelector("[data-had]").value = "1";
      if (!("tick" in field.dataset) && field.value) row.querySelector("[data-tick]").checked = true;
    };

    const count = (field) => {
      if (!field.dataset.counter) return;
      const shown = document.getElementById(field.dataset.counter);
      shown.textContent = field.dataset.words.replace("#", field.value.length);
    };

    form.addEventListener("input", (event) => {
      changed = true;
      tick(event.target);
      count(event.target);
      fold();
      said().textContent = form.dataset.unsaved;
      clearTimeout(timer);
      timer = setTimeout(save, QUIET_MS);
    });
    document.addEventListener("visibilitychange", () => document.hidden && save());
    document.addEventListener("htmx:finally:request", () => {
      if (!under_way) return;
      const stored = version() !== under_way;
      const told = document.querySelector("#draft-top [role=alert]");
      under_way = false;
      if (!stored && !told) {
        said().textContent = form.dataset.lost;
        changed = true;
        timer = setTimeout(save, AGAIN_MS);
      }
      if (stored) save();
    });
    fold();
  }
})();
