// Keys on the rows of visits: what a press does stands as a button in the row. Nothing here is needed without keys.

const rows = () => [...document.querySelectorAll("[data-visit]")];
const here = () => document.activeElement?.closest?.("[data-visit]");
const ACTS = { i: "arrive", m: "no_show", y: "confirm" };

function move(step) {
  const all = rows();
  const at = all.indexOf(here());
  all[Math.min(all.length - 1, Math.max(0, at + step))]?.querySelector("h3 a").focus();
}

const busy = (event) => event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.target.closest("input, select, textarea, dialog");

document.addEventListener("keydown", (event) => {
  if (document.documentElement.dataset.keys !== "on" || busy(event)) return;
  if (event.key === "j" || event.key === "k") move(event.key === "j" ? 1 : -1);
  else if (event.repeat) return;
  else if (event.key === "o") here()?.querySelector("h3 a").click();
  else if (ACTS[event.key]) here()?.querySelector(`[data-act="${ACTS[event.key]}"]`)?.click();
  else return;
  event.preventDefault();
  event.stopPropagation();
});

// After an act the row one was at has the focus again; not before the browser has gone to it, which takes focus away.
function comeBack() {
  const row = location.hash.startsWith("#v") ? document.getElementById(location.hash.slice(1)) : null;
  row?.querySelector("h3 a").focus({ preventScroll: true });
}
addEventListener("load", () => setTimeout(comeBack));
