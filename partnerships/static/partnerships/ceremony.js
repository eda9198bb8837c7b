// Comfort only: without it the buttons send the page and get it back.
const named = (field) => {
  const key = field.dataset.names;
  const name = field.value.trim();
  for (const cell of document.querySelectorAll("[data-chooses] select")) {
    let option = [...cell.options].find((one) => one.value === key);
    if (!option && name) cell.append((option = new Option(name, key)));
    if (option) option.textContent = name || "…";
  }
  for (const box of document.querySelectorAll("[data-others]")) otherParty(box, key, name);
};
// Whoever is named above can be chosen below at once.
const otherParty = (box, key, name) => {
  let input = box.querySelector(`.checks input[value="${key}"]`);
  if (!input && name) {
    input = Object.assign(document.createElement("input"), { type: "checkbox", name: box.dataset.others, value: key });
    const row = document.createElement("div");
    row.append(document.createElement("label"));
    row.firstChild.append(input, "");
    const list = box.querySelector(".checks");
    (list.firstElementChild || list).append(row);
  }
  if (input) input.nextSibling.textContent = ` ${name || "…"}`;
};
document.addEventListener("input", (event) => {
  if (event.target.dataset.names) named(event.target);
});
// The answer to which one it is stands in the summary; one on record gives the line its name.
document.addEventListener("change", (event) => {
  const who = event.target.type === "radio" && event.target.closest(".who");
  if (!who) return;
  who.querySelector("summary").replaceChildren(...event.target.nextElementSibling.cloneNode(true).childNodes);
  const field = event.target.closest(".line").querySelector("[data-names]");
  if (event.target.dataset.name) field.value = event.target.dataset.name;
  named(field);
});
// Enter in a line must not send the page.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches(".ceremony input")) event.preventDefault();
});
// What was sent to be recorded is no longer kept as a draft.
let saving = false;
let waiting = null;
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id !== "ceremony") return;
  if (event.target.dataset.sent || waiting) event.preventDefault();
  else saving = true;
});
// A button pressed while the page saves waits for the answer, which holds the version to send.
document.addEventListener(
  "submit",
  (event) => {
    if (event.target.id !== "ceremony" || !saving) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    waiting = event.submitter;
  },
  true,
);
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.target.id !== "ceremony") return;
  saving = false;
  const button = waiting;
  waiting = null;
  if (button) button.form.requestSubmit(button);
});
