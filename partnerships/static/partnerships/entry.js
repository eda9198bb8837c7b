// Comfort only: what belongs to another kind, or to what is over, is out of sight until it is chosen.
const entry = document.getElementById("entry");
// The currency alone says nothing.
const isEmpty = (part) => ![...part.querySelectorAll("input, textarea, select")].some((field) => field.value && field.name !== "currency");
const arrange = () => {
  const kind = entry.elements.kind;
  const isDone = entry.elements.is_done.checked;
  for (const part of entry.querySelectorAll("[data-kind]")) {
    const isMine = part.dataset.kind === kind.value;
    part.hidden = !isMine && !part.open;
  }
  for (const part of entry.querySelectorAll("[data-when-done]")) part.hidden = !isDone && isEmpty(part);
  entry.elements.title.placeholder = kind.value ? kind.selectedOptions[0].text : "";
};
entry.elements.kind.addEventListener("change", () => {
  for (const part of entry.querySelectorAll("[data-kind]")) if (isEmpty(part)) part.open = false;
  arrange();
});
entry.elements.is_done.addEventListener("change", arrange);
// Enter in the search field searches, which happened already; it does not save.
entry.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.name === "find") event.preventDefault();
});
arrange();
