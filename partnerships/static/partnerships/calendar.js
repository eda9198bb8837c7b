// Comfort only: arrows move from day to day, Page Up and Page Down from month to month.
const month = document.querySelector(".month");
const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };
month.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const turn = { PageUp: "prev", PageDown: "next" }[event.key];
  const link = turn && document.querySelector(`.calendar-head [rel=${turn}]`);
  if (link) {
    event.preventDefault();
    link.click();
  }
  if (!(event.key in steps)) return;
  const days = [...month.querySelectorAll("td")];
  const to = days.indexOf(event.target.closest("td")) + steps[event.key];
  // On a phone the empty days are not shown: the next one that is, in the same direction.
  const away = Math.sign(steps[event.key]);
  let at = to;
  while (days[at] && !days[at].offsetParent) at += away;
  if (!days[at]) return;
  event.preventDefault();
  days[at].querySelector(".day-link").focus();
});
