// Comfort only: j and k go to the next and previous line of a list or of my work; Enter opens it, as any link.
document.addEventListener("keydown", (event) => {
  const way = { j: 1, k: -1 }[event.key];
  if (!way || event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input:not([type=checkbox]), textarea, select, dialog")) return;
  const links = [...document.querySelectorAll("main :is(li, tr) :is(.row-title, .done-title)")].filter((link) => link.checkVisibility());
  const here = document.activeElement.closest("li, tr")?.querySelector(".row-title, .done-title");
  const next = links[links.indexOf(here) + way] ?? (here ? here : links[0]);
  if (!next) return;
  event.preventDefault();
  next.focus();
});
