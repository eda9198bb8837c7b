// Comfort for selecting rows: the count, a box for all, shift-click, and keys for the acts of the bar. All of it works without.
(() => {
  const bar = document.querySelector(".bulk-bar");
  const boxes = () => [...document.querySelectorAll("input.pick")];
  const picked = () => boxes().filter((box) => box.checked);
  let last = null;
  let all = null;

  function count() {
    if (!bar) return;
    const chosen = picked().length;
    const words = bar.querySelector(".bulk-count");
    const text = words.dataset.words.replace("#", chosen);
    if (chosen && words.textContent !== text) words.textContent = text;
    if (!chosen) for (const box of bar.querySelectorAll("[name=all]")) box.checked = false;
    if (all) {
      all.checked = chosen > 0 && chosen === boxes().length;
      all.indeterminate = chosen > 0 && !all.checked;
    }
  }

  function addBoxForAll() {
    const head = document.querySelector("table:has(input.pick) thead tr > :first-child");
    if (!bar || !head || !boxes().length) return;
    all = document.createElement("input");
    all.type = "checkbox";
    all.className = "pick-all";
    all.setAttribute("aria-label", bar.dataset.all);
    all.addEventListener("change", () => {
      for (const box of boxes()) box.checked = all.checked;
      count();
    });
    head.replaceChildren(all);
  }

  document.addEventListener("click", (event) => {
    const box = event.target.closest?.("input.pick");
    if (!box) return;
    const rows = boxes();
    if (event.shiftKey && last && rows.includes(last)) {
      const [from, to] = [rows.indexOf(last), rows.indexOf(box)].sort((a, b) => a - b);
      for (const one of rows.slice(from, to + 1)) one.checked = box.checked;
    }
    last = box;
    count();
  });
  document.addEventListener("change", (event) => event.target.matches?.("input.pick") && count());
  document.addEventListener("reset", (event) => event.target.id === "bulk" && setTimeout(count));

  // The row with the focus, or the one that the frame marked as current.
  const current = () => (document.activeElement?.closest("tr, li") ?? document.querySelector("[aria-current=row]"))?.querySelector("input.pick");
  const isTyping = (at) => at.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable], dialog");

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    // Of several acts that can be undone, the one of the line with the focus comes first.
    const undo = event.key === "z" && (event.target.closest("li")?.querySelector("button[data-key=z]") ?? document.querySelector("button[data-key=z]"));
    if (undo) return undo.click();
    if (!bar) return;
    const box = current();
    if (event.key === "x" && box) {
      box.checked = !box.checked;
      last = box;
      return count();
    }
    if (event.key === "Escape" && picked().length && !document.querySelector("details[open], dialog[open]")) {
      return document.getElementById("bulk").reset();
    }
    const act = /^[a-z]$/.test(event.key) && bar.querySelector(`button[data-key="${event.key}"]`);
    if (!act || event.repeat) return;
    // Without a selection a line's own button has the key.
    if (!picked().length && box?.closest("tr, li").querySelector(`[data-key="${event.key}"]`)) return;
    if (!picked().length && box) {
      box.checked = true;
      count();
    }
    if (!picked().length) return;
    event.preventDefault();
    act.click();
  });

  addBoxForAll();
  count();
  // A page from the browser's history has its boxes checked again after this ran.
  window.addEventListener("pageshow", count);
})();
// What is typed changes the preview: until the new one is there, the act of the old one is out of reach.
document.addEventListener("input", (event) => {
  if (!event.target.closest?.(".bulk-form")) return;
  for (const button of document.querySelectorAll("#bulk-outcome button")) button.disabled = true;
});
