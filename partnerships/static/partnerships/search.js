// "/" goes to the search field; from a field the arrow keys walk what it found, Escape leaves it.
const isTyping = (element) => element.matches("input, textarea, select, [contenteditable]");
const fieldOf = (element) =>
  element.dataset.walk ? element : document.querySelector(`[data-walk="${element.closest("#found, #results")?.id}"]`);
const walk = (event, field) => {
  const links = [...document.getElementById(field.dataset.walk).querySelectorAll("a")];
  const next = links.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
  if (next >= links.length) return;
  event.preventDefault();
  (links[next] || field).focus();
};
document.addEventListener("keydown", (event) => {
  const here = document.activeElement;
  if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !isTyping(here)) {
    const fields = [...document.querySelectorAll("[data-walk]")].filter((field) => field.offsetParent);
    const field = fields.find((one) => one.dataset.walk === "results") || fields[0];
    if (field) event.preventDefault();
    field?.focus();
    return;
  }
  const field = fieldOf(here);
  if (!field) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") walk(event, field);
  if (event.key === "Escape" && field.dataset.walk === "found") {
    document.getElementById("found").replaceChildren();
    field.focus();
  }
});
document.addEventListener("click", (event) => {
  if (!event.target.closest(".find")) document.getElementById("found")?.replaceChildren();
});
// In a field that finds a row, Enter looks; it does not send the form.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches(".chooser input[type=search]")) return;
  event.preventDefault();
  event.target.closest(".chooser").querySelector("button").click();
});
// What was found for earlier words comes too late once somebody has chosen: it would take the choice away.
document.addEventListener("htmx:beforeSwap", (event) => {
  const chosen = event.detail.target.matches(".chooser .choices") && event.detail.target.querySelector("input:checked");
  if (chosen && event.detail.requestConfig.formData.get(chosen.name) !== chosen.value) event.detail.shouldSwap = false;
});
