// Ticks all or none of a group; without this each box is ticked by itself.
for (const button of document.querySelectorAll("[data-tick]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    for (const box of button.closest("fieldset").querySelectorAll("[type=checkbox]")) box.checked = button.dataset.tick === "all";
  });
}
