// A line's form: its first field gets the focus, Cancel closes it, and what cannot be shown in place opens as a page.
document.addEventListener("htmx:afterSwap", (event) => {
  event.detail.elt.querySelector("textarea, input:not([type=hidden]), select")?.focus();
  for (const menu of document.querySelectorAll("li details.menu[open]")) menu.open = false;
});
document.addEventListener("click", (event) => {
  const close = event.target.closest("[data-close]");
  if (!close) return;
  const line = close.closest("li");
  close.closest(".row-form").replaceChildren();
  line.querySelector(".act a").focus();
});
document.addEventListener("htmx:responseError", (event) => {
  const asked = event.detail.elt;
  location.href = asked.href || asked.action;
});
