// A line's form: its first field gets the focus, Cancel closes it, and what cannot be shown in place opens as a page.
document.addEventListener("htmx:afterSwap", (event) => {
  event.detail.elt.querySelector("textarea, input:not([type=hidden], .pick), select")?.focus();
  for (const menu of document.querySelectorAll("li details.menu[open]")) menu.open = false;
});
// What was done or taken back gets the focus once its buttons work, so that the keys go on from there.
document.addEventListener("htmx:load", ({ detail: { elt } }) => {
  if (elt.matches?.("li.done-row, li.work-row")) elt.querySelector(".done-title, .row-title").focus();
});
document.addEventListener("click", (event) => {
  const close = event.target.closest("[data-close]");
  if (!close) return;
  const line = close.closest("li");
  close.closest(".row-form").replaceChildren();
  line.querySelector(".act a, .act button").focus();
});
document.addEventListener("htmx:responseError", (event) => {
  const asked = event.detail.elt;
  location.href = asked.href || asked.action;
});
// Without a selection the keys of the acts work on the line with the focus, in its place; with one they are the bar's.
const lineKeys = (event) => {
  if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input:not([type=checkbox]), textarea, select, dialog")) return;
  if (document.querySelector("input.pick:checked")) return;
  const act = /^[a-z]$/.test(event.key) && document.activeElement.closest("li")?.querySelector(`[data-key="${event.key}"]`);
  if (!act) return;
  event.preventDefault();
  act.click();
};
document.addEventListener("keydown", lineKeys);
