// An address such as #documents may name a part that stands in another section of the page: its tab says so.
const openSection = () => {
  const part = location.hash.slice(1);
  if (!part || document.getElementById(part)) return;
  for (const tab of document.querySelectorAll(".tabs [data-parts]")) {
    if (tab.dataset.parts.split(" ").includes(part)) location.replace(tab.href + location.hash);
  }
};
addEventListener("hashchange", openSection);
openSection();
