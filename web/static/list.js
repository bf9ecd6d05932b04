// Keys, and where a page comes to rest. Everything here has its place on the page without it.

const rows = () => [...document.querySelectorAll(".list .row")];
const focusedRow = () => document.activeElement?.closest?.(".list li")?.querySelector(".row");

function move(step) {
  const all = rows();
  if (!all.length) return false;
  const at = all.indexOf(focusedRow());
  const here = at >= 0 ? at : all.findIndex((one) => one.hasAttribute("aria-current"));
  all[Math.min(all.length - 1, Math.max(0, here + step))].focus();
  return true;
}

// A link or a button is pressed, a field comes into focus, a menu opens on its first field.
function press(key, { onlyFocus = false } = {}) {
  const target = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find((one) => !one.disabled);
  if (!target) return false;
  if (target.matches("details")) {
    target.open = true;
    (target.querySelector("input:not([type=hidden]), select, textarea, button") || target.querySelector("summary")).focus();
  } else if (!onlyFocus && target.matches("a, button, summary, input[type=submit]")) {
    // A menu whose summary carries the key opens on its first field too.
    if (target.matches("summary") && !target.parentElement.open) {
      target.click();
      target.parentElement.querySelector(":scope > :not(summary) :is(input:not([type=hidden]), select, textarea, button):not(details:not([open]) *)")?.focus();
    } else target.click();
  } else {
    const menu = target.closest("details:not([open])");
    if (menu && !target.matches("summary")) menu.open = true;
    target.focus();
  }
  return true;
}

// A key meant for the row in focus must never act on another case that happens to be open.
function actOn(row, key) {
  if (!row || row.hasAttribute("aria-current") || !"acehlnrs".includes(key)) return false;
  location.assign(`${row.href}#key-${key}`);
  return true;
}

// A key of another kind of case says that it has nothing to press here, so that nobody believes it was done.
function sayNothingIsPressed(key) {
  const said = document.querySelector("main[data-no-key]")?.dataset;
  const words = key === "z" ? said?.noUndo : said?.noKey;
  if (!words || !"acehlnrsz".includes(key)) return;
  document.querySelector("#no-key")?.remove();
  const place = document.querySelector(".toasts") ?? document.body.appendChild(Object.assign(document.createElement("div"), { className: "toasts" }));
  const notice = Object.assign(document.createElement("p"), { id: "no-key", className: "notice" });
  notice.setAttribute("role", "status");
  place.append(notice);
  // A region that came with its words is not read out: they come into it.
  setTimeout(() => { notice.textContent = words.replace("{pressed}", key); });
  setTimeout(() => notice.remove(), 10_000);
}

function choose() {
  const box = focusedRow()?.parentElement.querySelector(".pick input");
  if (box) box.click();
}

function openKeys() {
  const keys = document.querySelector("#keys");
  if (keys && !keys.open) keys.showModal();
}

// Among the outcomes no letter acts, so that none can choose or do what goes into the record.
const typing = (element) => element.closest("textarea, select, dialog, .cards, [contenteditable], input:not([type=checkbox], [type=radio])");

function listenToKeys() {
  if (document.documentElement.dataset.keys !== "on") return;
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    // Where no rows are, as on one screen a person, j and k are keys like others.
    const along = (step) => () => move(step) || event.repeat || press(event.key);
    const acts = { j: along(1), k: along(-1), o: () => focusedRow()?.click(), x: choose, "?": openKeys };
    if (event.repeat && !"jk".includes(event.key)) return;
    if (event.key.length !== 1) return;
    if (acts[event.key]) acts[event.key]();
    else if (!actOn(focusedRow(), event.key) && !press(event.key)) return sayNothingIsPressed(event.key);
    event.preventDefault();
  });
}

// Escape closes what is open and gives the focus back to what opened it.
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest("details[open].menu, details[open].filter, details[open].kept");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

function countChosen() {
  const chosen = document.querySelectorAll(".pick :checked").length;
  const said = document.querySelector("[data-chosen]");
  if (said) said.textContent = `${chosen} chosen`;
}
document.addEventListener("change", (event) => { if (event.target.closest(".pick")) countChosen(); });
document.addEventListener("reset", () => setTimeout(countChosen));

// Going back to the list, the focus lies on the case one comes from.
function comeToRest() {
  const item = document.querySelector("main[data-item]")?.dataset.item;
  const from = sessionStorage.getItem("row");
  if (item) sessionStorage.setItem("row", item);
  else if (document.body.classList.contains("inbox")) sessionStorage.removeItem("row");
  const key = /^#key-(\w)$/.exec(location.hash);
  const problem = document.querySelector(".problem");
  if (key) {
    history.replaceState(null, "", location.pathname + location.search);
    press(key[1], { onlyFocus: true });
  } else if (problem) problem.focus();
  else if (!item && from) document.querySelector(`.list .row[data-row="${CSS.escape(from)}"]`)?.focus();
}

// On a narrow screen views and settings are a strip: the present one must not lie beyond its edge.
for (const present of document.querySelectorAll(":is(.views, .chapters) [aria-current]")) {
  const strip = present.closest("nav");
  if (strip.scrollWidth > strip.clientWidth) present.scrollIntoView({ block: "nearest", inline: "nearest" });
}
document.querySelector(".row[aria-current]")?.scrollIntoView({ block: "nearest" });
// The last words are seen beside the answer, except where what is to be done has no room to stay above them: it is read first.
const said = document.querySelector(".said");
const need = said?.querySelector(".need");
said?.scrollTo(0, need && getComputedStyle(need).position !== "sticky" ? 0 : 1e6);
comeToRest();
countChosen();
listenToKeys();
