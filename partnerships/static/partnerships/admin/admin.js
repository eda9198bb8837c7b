// Names the boxes that search for a row, which the library draws beside the select, whose label does not reach them; and
// removes lines.
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

// Removes a new line and renumbers the later ones where they stand. The theme writes their HTML anew, which loses what was
// typed and chosen in them; so it never gets to see the click.
function removeLine(line) {
  const formset = line.parentElement;
  const { prefix } = JSON.parse(formset.dataset.inlineFormset).options;
  const count = (name) => document.getElementById(`id_${prefix}-${name}_FORMS`);
  const lines = [...formset.querySelectorAll(":scope > .form-group:not(.empty-form)")];
  const total = count("TOTAL");
  if (lines.length <= Number(count("MIN_NUM").value)) return;

  const number = lines.indexOf(line);
  django.jQuery(line).find("select.select2-hidden-accessible").select2("destroy");
  line.remove();
  lines.slice(number + 1).forEach((later, distance) => renumber(later, prefix, number + distance + 1, number + distance));
  total.value = lines.length - 1;
  if (Number(total.value) < Number(count("MAX_NUM").value)) formset.querySelector(".add-row").classList.remove("hidden");
  updateStackedCounter(formset);
  applyLastClass(formset);
  checkFormsetEmpty(formset);
  document.dispatchEvent(new CustomEvent("formset:removed", { detail: { formsetName: prefix } }));
}

function renumber(line, prefix, from, to) {
  // The library finds a box by the id of its select, so the boxes are made again under the new one.
  const chosen = django.jQuery(line).find("select.select2-hidden-accessible").select2("destroy");
  const old = new RegExp(`\\b${prefix}-${from}(?!\\d)`, "g");
  for (const element of [line, ...line.querySelectorAll("*")]) {
    for (const { name, value } of [...element.attributes]) {
      const renamed = value.replace(old, `${prefix}-${to}`);
      if (renamed !== value) element.setAttribute(name, renamed);
    }
  }
  chosen.djangoAdminSelect2();
}

document.addEventListener(
  "click",
  (event) => {
    const button = event.target.closest(".delete-template");
    if (!button) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    removeLine(button.closest(".form-group"));
  },
  true,
);
