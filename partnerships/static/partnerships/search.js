// Ctrl-K and "/" open the palette, "?" the keys; the arrow keys walk what was found, Enter opens the first of it.
const isTyping = (element) => element.matches("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
const palette = document.getElementById("palette");
const find = document.getElementById("find");
const openDialog = (id) => {
  const dialog = document.getElementById(id);
  if (!dialog || document.querySelector("dialog[open]")) return;
  dialog.showModal();
  if (dialog !== palette) return;
  find.select();
  if (!document.getElementById("found").children.length) htmx.trigger(find, "palette:open");
};
const walk = (event, field) => {
  const links = [...document.getElementById(field.dataset.walk).querySelectorAll("a")];
  const next = links.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
  if (next >= links.length) return;
  event.preventDefault();
  (links[next] || field).focus();
};
const fieldOf = (element) =>
  element.dataset.walk ? element : document.querySelector(`[data-walk="${element.closest("#found, #results")?.id}"]`);
for (const opener of document.querySelectorAll("[data-opens]")) {
  opener.hidden = false;
  opener.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    openDialog(opener.dataset.opens);
  });
}
document.addEventListener("click", (event) => event.target.closest("[data-closes]")?.closest("dialog").close());
for (const dialog of document.querySelectorAll("dialog")) {
  // The page behind it: a click there closes it.
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}
document.addEventListener("keydown", (event) => {
  const here = document.activeElement;
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (event.key === "k" && (event.ctrlKey || event.metaKey) && palette) {
    event.preventDefault();
    openDialog("palette");
    return;
  }
  if (isPlain && (event.key === "/" || event.key === "?") && !isTyping(here)) {
    const onPage = document.querySelector("[data-walk=results]");
    event.preventDefault();
    if (event.key === "?") openDialog("keys");
    else if (onPage) onPage.focus();
    else openDialog("palette");
    return;
  }
  const field = fieldOf(here);
  if (!field) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") walk(event, field);
  const first = field === here && event.key === "Enter" && field === find && document.querySelector("#found .first-hit");
  if (first) {
    event.preventDefault();
    first.click();
  }
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
