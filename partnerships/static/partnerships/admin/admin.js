// Names the boxes that search for a row. The library draws them beside the select, whose label does not reach them.
"use strict";

function nameBoxes() {
  for (const box of document.querySelectorAll(".select2-selection:not([aria-label])")) {
    const select = box.closest(".select2-container").previousElementSibling;
    const chosen = box.querySelector(".select2-selection__rendered");
    if (!select || !select.id || !chosen) continue;
    const label = document.querySelector(`label[for="${select.id}"]`);
    const name = select.getAttribute("aria-label") || (label ? label.textContent.replace("*", "").trim() : "");
    if (!name) continue;
    box.id = `${select.id}-box`;
    box.setAttribute("aria-label", name);
    box.setAttribute("aria-labelledby", `${box.id} ${chosen.id}`);
    chosen.setAttribute("aria-labelledby", box.id);
  }
}

document.addEventListener("DOMContentLoaded", () => {
  nameBoxes();
  // Lines are added later, and the library draws its boxes after this script.
  new MutationObserver(nameBoxes).observe(document.body, { childList: true, subtree: true });
});
