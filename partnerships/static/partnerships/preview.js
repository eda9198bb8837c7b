// Says that an image cannot be shown, in place of the broken image.
"use strict";

const image = document.querySelector("img.preview");
const showMessage = () => {
  document.getElementById("broken").hidden = false;
  image.hidden = true;
};
if (image) {
  image.addEventListener("error", showMessage);
  // It may have failed before this script ran.
  if (image.complete && !image.naturalWidth) showMessage();
}
