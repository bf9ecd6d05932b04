// Keys, and where a page comes to rest. Everything here has its place on the page without it.

function move(step) {
  const rows = [...document.querySelectorAll(".list .row")];
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement);
  const here = at >= 0 ? at : rows.findIndex((one) => one.hasAttribute("aria-current"));
  rows[Math.min(rows.length - 1, Math.max(0, here + step))].focus();
}

function press(key) {
  const target = document.querySelector(`[data-key="${key}"]`);
  if (!target) return false;
  if (target.matches("a")) target.click();
  else target.focus();
  return true;
}

function listenToKeys() {
  if (document.documentElement.dataset.keys !== "on") return;
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
    const acts = {
      j: () => move(1),
      k: () => move(-1),
      o: () => document.activeElement?.closest(".row")?.click(),
      "?": () => document.querySelector("#keys")?.showModal(),
    };
    const done = acts[event.key] ? (acts[event.key](), true) : "areu/".includes(event.key) && press(event.key);
    if (done) event.preventDefault();
  });
}

document.querySelector(".problem")?.focus();
// On a narrow screen the views are a strip: the present one must not lie beyond its edge.
document.querySelector(".views [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
document.querySelector(".said")?.scrollTo(0, document.querySelector(".need.safety") ? 0 : 1e6);
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
listenToKeys();
