// Says that a chosen file is too large or of the wrong kind before it is sent. The server checks it in any case.
"use strict";

const refusalOf = (input, file) => {
  const kinds = input.accept.split(",");
  if (!kinds.some((kind) => file.name.toLowerCase().endsWith(kind))) return input.dataset.wrongKind;
  return file.size > Number(input.dataset.largest) ? input.dataset.tooLarge : "";
};

document.addEventListener("change", (event) => {
  const input = event.target;
  if (!input.matches("input[type=file][data-largest]")) return;
  const id = `${input.id}-refused`;
  const refused = [...input.files].find((file) => refusalOf(input, file));
  if (!refused) {
    if (input.files.length) document.getElementById(id)?.remove();
    return;
  }
  const message = document.getElementById(id) ?? document.createElement("p");
  message.id = id;
  message.className = "errorlist";
  message.setAttribute("role", "alert");
  message.textContent = `${refused.name}: ${refusalOf(input, refused)}`;
  // The first is the label of the field; the admin's file widget has more.
  document.querySelector(`label[for="${input.id}"]`).after(message);
  input.value = "";
  input.dispatchEvent(new Event("change", { bubbles: true }));
});
