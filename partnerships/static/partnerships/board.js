// Comfort only: dragging a card and Shift with an arrow take the step that the card's menu offers anyway.
const board = document.querySelector(".board");
const columns = [...board.querySelectorAll(".column")];
const cards = (column) => [...column.querySelectorAll(".ticket")];
const stepTo = (card, column) => card.querySelector(`[data-target="${column.dataset.status}"]`);
const take = (step) => (step.tagName === "FORM" ? step.requestSubmit() : step.click());
let dragged = null;

board.addEventListener("dragstart", (event) => {
  dragged = event.target.closest(".ticket");
  if (!dragged) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.id);
  dragged.classList.add("dragged");
  board.classList.add("dragging");
  for (const column of columns) column.classList.toggle("may-drop", Boolean(stepTo(dragged, column)));
});
board.addEventListener("dragover", (event) => {
  const over = event.target.closest(".column.may-drop");
  for (const column of columns) column.classList.toggle("over", column === over);
  if (dragged && over) event.preventDefault();
});
board.addEventListener("drop", (event) => {
  const column = event.target.closest(".column.may-drop");
  if (!dragged || !column) return;
  event.preventDefault();
  take(stepTo(dragged, column));
});
board.addEventListener("dragend", () => {
  dragged?.classList.remove("dragged");
  dragged = null;
  board.classList.remove("dragging");
  for (const column of columns) column.classList.remove("may-drop", "over");
});

const sideways = { ArrowLeft: -1, ArrowRight: 1 };
const along = { ArrowUp: -1, ArrowDown: 1 };
board.addEventListener("keydown", (event) => {
  const card = event.target.closest(".ticket");
  if (!card || event.altKey || event.ctrlKey || event.metaKey) return;
  if (!(event.key in sideways) && !(event.key in along)) return;
  const column = card.closest(".column");
  const place = cards(column).indexOf(card);
  event.preventDefault();
  if (event.key in along) {
    focusOn(cards(column)[place + along[event.key]]);
    return;
  }
  const way = sideways[event.key];
  const beside = columns.filter((_, at) => Math.sign(at - columns.indexOf(column)) === way);
  if (way < 0) beside.reverse();
  if (event.shiftKey) {
    const target = beside.find((one) => stepTo(card, one));
    if (target) take(stepTo(card, target));
    return;
  }
  const next = beside.find((one) => cards(one).length);
  if (next) focusOn(cards(next)[Math.min(place, cards(next).length - 1)]);
});
const focusOn = (card) => card?.querySelector(".row-title").focus();
// Back from a step: the card that moved has the focus, once the browser has scrolled to it.
addEventListener("load", () => {
  if (location.hash.startsWith("#card-")) focusOn(document.getElementById(location.hash.slice(1)));
});
