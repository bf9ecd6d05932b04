// Make an element like a fresh one in place: what has focus, is scrolled, open, ticked or half filled in stays so.

const MINE = new Set(["open", "checked", "value", "selected"]);
const KEPT = ".notice, .problem, [data-keep]";

const keyOf = (node) => {
  if (node.nodeType !== 1) return null;
  const row = node.matches("li") ? node.querySelector("[data-row]") : null;
  return node.id || (row ?? node).dataset.row || node.dataset.key || node.getAttribute("name") || (node.matches("a") ? node.getAttribute("href") : null);
};
const alike = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName && keyOf(one) === keyOf(other);

export function morph(old, fresh) {
  const focused = document.activeElement;
  const within = old.contains(focused);
  const rows = [...old.querySelectorAll("[data-row]")];
  const at = rows.findIndex((row) => row.contains(focused) || row.closest("li")?.contains(focused));
  become(old, fresh);
  if (!within || document.activeElement === focused) return;
  // What had focus was moved, or has gone: focus stays with it, or with the row that stands there now.
  const left = [...old.querySelectorAll("[data-row]")];
  (focused.isConnected ? focused : left[Math.min(at, left.length - 1)])?.focus({ preventScroll: true });
}

function become(old, fresh) {
  if (old.nodeType !== 1) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.matches("[data-keep]")) return;
  for (const { name, value } of fresh.attributes) if (!MINE.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  for (const { name } of [...old.attributes]) if (!MINE.has(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
  if (old.matches("input:not([type=hidden]), textarea, select")) return;
  if (old.matches("input[type=hidden]")) { old.value = fresh.value; return; }
  children(old, fresh);
}

function children(old, fresh) {
  let here = old.firstChild;
  for (const one of [...fresh.childNodes]) {
    while (here?.nodeType === 1 && here.matches(KEPT) && !alike(here, one)) here = here.nextSibling;
    let twin = here;
    while (twin && !alike(twin, one)) twin = twin.nextSibling;
    if (!twin) {
      old.insertBefore(document.importNode(one, true), here);
      continue;
    }
    if (twin !== here) old.insertBefore(twin, here);
    else here = here.nextSibling;
    become(twin, one);
  }
  while (here) {
    const next = here.nextSibling;
    if (!(here.nodeType === 1 && here.matches(KEPT))) here.remove();
    here = next;
  }
}
