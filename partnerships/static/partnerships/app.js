// Comfort only: every page works without it.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
// A second click on a slow line must not send the form twice.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  if (!("mayRepeat" in event.target.dataset)) event.target.dataset.sent = "yes";
});
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
// An address such as #log opens the form it names.
const openNamed = () => {
  const named = location.hash && document.getElementById(location.hash.slice(1));
  if (named && named.tagName === "DETAILS") named.open = true;
};
addEventListener("hashchange", openNamed);
openNamed();
// Copies what stands in the field it names; where the browser cannot, there is no such button.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
    button.textContent = button.dataset.done;
  });
}
// What is typed or chosen while a request is on its way that replaces the field goes into the field that comes instead.
const replacing = new Set();
const typedMeanwhile = new Set();
const noteTyped = (event) => {
  if (event.target.name && [...replacing].some((part) => part.contains(event.target))) typedMeanwhile.add(event.target);
};
// While they go down: the one that starts the request is part of what it sends.
addEventListener("input", noteTyped, true);
addEventListener("change", noteTyped, true);
addEventListener("htmx:beforeRequest", ({ detail: { elt, target } }) => {
  if (target.contains(elt)) replacing.add(target);
});
addEventListener("htmx:afterRequest", ({ detail: { target } }) => {
  if (!replacing.delete(target)) return;
  for (const old of typedMeanwhile) {
    if (old.isConnected) continue;
    const isTicked = old.type === "checkbox" || old.type === "radio";
    const field = [...document.getElementsByName(old.name)].find((one) => !isTicked || one.value === old.value);
    if (!field || (isTicked ? field.checked === old.checked : field.value === old.value)) continue;
    if (isTicked) field.checked = old.checked;
    else if (old.type === "file") field.files = old.files;
    else field.value = old.value;
    for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
  }
  typedMeanwhile.clear();
});
// After a mistake the first wrong field has the focus.
document.querySelector("main :is(input, select, textarea)[aria-invalid=true], main [aria-invalid=true] input")?.focus();
// What a field does not find is added in a dialog; once it is saved, it is chosen in the field and the dialog closes.
addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  const dialog = document.getElementById("addition");
  if (target === dialog) {
    if (!dialog.open) dialog.showModal();
    (dialog.querySelector("[aria-invalid=true]") ?? dialog.querySelector(".form :is(input:not([type=hidden]), select)"))?.focus();
  } else if (dialog?.open && target.matches(".choices") && !dialog.contains(target)) {
    dialog.close();
    dialog.replaceChildren();
    target.querySelector("input:checked")?.focus();
  }
});
