// The page is whole without this script: it renews the page, takes Airflow's theme, and lets links out of its frame.
"use strict";

const RENEWED_AFTER_MS = 60_000;

// Airflow's own document, where this page is in its frame.
const airflow = (() => {
  try {
    return window.parent === window ? null : window.parent.document;
  } catch {
    return null; // a frame of somebody else
  }
})();

function takeTheme() {
  const theme = ["dark", "light"].find((name) => airflow.documentElement.classList.contains(name));
  if (theme) document.documentElement.dataset.theme = theme;
}

// Airflow's frame may open no window and may not leave for another page: a link of the same kind in Airflow's document,
// followed by the reader's own click, may.
function follow(event) {
  const link = event.target.closest("a[target]");
  if (!link || event.defaultPrevented) return;
  event.preventDefault();
  const outer = airflow.createElement("a");
  outer.href = link.href;
  outer.rel = "noopener";
  outer.target = event.ctrlKey || event.metaKey || event.shiftKey ? "_blank" : link.target;
  outer.click();
}

// Not while somebody reads with the keyboard or has marked a text: what they look at would go from under them.
async function renew() {
  const page = document.getElementById("page");
  if (document.hidden || page.querySelector(":focus-visible") || !document.getSelection().isCollapsed) return;
  const answer = await fetch(window.location.href).then((found) => found.text()).catch(() => "");
  const fresh = new DOMParser().parseFromString(answer, "text/html").getElementById("page");
  document.getElementById("lost").hidden = fresh !== null;
  if (fresh) page.replaceWith(fresh);
}

if (airflow) {
  takeTheme();
  new MutationObserver(takeTheme).observe(airflow.documentElement, { attributes: true, attributeFilter: ["class"] });
  document.addEventListener("click", follow);
}
setInterval(renew, RENEWED_AFTER_MS);
