// Renews the parts of the home page that change, and nothing else: what a reader has selected or focused stays.
"use strict";

const EVERY = 3000;
const news = document.getElementById("news");

function isInUse(part) {
  const selection = document.getSelection();
  const isSelected = selection.type === "Range" && selection.containsNode(part, true);
  return isSelected || part.contains(document.activeElement);
}

function find(page, name) {
  return page.querySelector(`[data-live="${CSS.escape(name)}"]`);
}

async function renew() {
  const response = await fetch("/live");
  if (response.redirected) {
    news.firstChild.textContent = "You are logged out: log in again";
    news.hidden = false;
    return false;
  }
  if (response.ok) {
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    const shape = find(fresh, "shape")?.textContent;
    news.hidden = shape === undefined || shape === find(document, "shape").textContent;
    for (const part of document.querySelectorAll("div[data-live]")) {
      const next = find(fresh, part.dataset.live);
      if (next && next.innerHTML !== part.innerHTML && !isInUse(part)) {
        part.replaceChildren(...next.childNodes);
      }
    }
  }
  return true;
}

async function repeat() {
  // Where the application does not answer, the page stays as it is.
  const goesOn = document.hidden || (await renew().catch(() => true));
  if (goesOn) {
    setTimeout(repeat, EVERY);
  }
}

setTimeout(repeat, EVERY);
