// Runs before the page is drawn, so that nothing jumps: is the rail folded? Where it may not keep anything, it is not.
const keeps = (name) => {
  try {
    return localStorage.getItem(name) === "yes";
  } catch {
    return false;
  }
};
const keep = (name, value) => {
  try {
    localStorage.setItem(name, value ? "yes" : "no");
  } catch {
    // A browser that keeps nothing forgets it with the page.
  }
};
document.documentElement.classList.toggle("rail-folded", keeps("rail-folded"));
document.addEventListener("DOMContentLoaded", () => {
  const fold = document.querySelector(".rail-fold");
  if (fold) {
    fold.hidden = false;
    fold.setAttribute("aria-pressed", keeps("rail-folded"));
    fold.addEventListener("click", () => {
      const isFolded = document.documentElement.classList.toggle("rail-folded");
      fold.setAttribute("aria-pressed", isFolded);
      keep("rail-folded", isFolded);
    });
  }
  const sources = document.getElementById("show-sources");
  if (sources) {
    sources.checked = keeps("show-sources");
    sources.addEventListener("change", () => keep("show-sources", sources.checked));
  }
});
