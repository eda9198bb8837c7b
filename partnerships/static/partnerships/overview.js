// Comfort only. A chart is one stop of the Tab key; arrow keys lead from mark to mark, and through the menu of a chip.
const among = (all, now, key) => {
  const place = all.indexOf(now);
  if (key === "Home") return all[0];
  if (key === "End") return all[all.length - 1];
  const step = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  return all[(place + step + all.length) % all.length];
};
const moves = new Set(["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "Home", "End"]);
document.addEventListener("keydown", (event) => {
  if (!moves.has(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
  const chart = event.target.closest("svg.chart");
  const menu = event.target.closest("details.chip-menu[open]");
  if (!chart && !menu) return;
  event.preventDefault();
  const all = [...(chart ? chart.querySelectorAll("a[href]") : menu.querySelectorAll(".menu-box a"))];
  const next = all.includes(event.target) ? among(all, event.target, event.key) : all[0];
  if (chart) {
    event.target.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
  }
  next.focus();
});
