// Comfort only: what belongs to another kind, or to what is over, is out of sight until it is chosen.
const entry = document.getElementById("entry");
// The currency and when the next step is due say nothing by themselves.
const isEmpty = (part) =>
  ![...part.querySelectorAll("input:not([type=radio]), textarea, select")].some((field) => field.value && field.name !== "currency");
const arrange = () => {
  const kind = entry.querySelector("[name=kind]:checked");
  const isDone = entry.elements.is_done.checked;
  for (const part of entry.querySelectorAll("[data-kind]")) {
    const isMine = part.dataset.kind === kind?.value;
    part.hidden = !isMine && !part.open;
  }
  for (const part of entry.querySelectorAll("[data-when-done]")) part.hidden = !isDone && isEmpty(part);
  entry.elements.title.placeholder = kind ? kind.closest("label").innerText.trim() : "";
};
entry.addEventListener("change", (event) => {
  if (event.target.name !== "kind") return;
  for (const part of entry.querySelectorAll("[data-kind]")) if (isEmpty(part)) part.open = false;
  arrange();
});
entry.elements.is_done.addEventListener("change", arrange);
// Enter in the search field searches, which happened already; it does not save.
entry.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.name === "find") event.preventDefault();
});
arrange();
