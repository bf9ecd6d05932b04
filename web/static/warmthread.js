// What a browser adds to pages that work without it: a list that stays fresh, keys, and the cost of a text.

const body = document.body;
const GSM = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const GSM_TWICE = "€[]{}\\^~|\f";
const SMART = { "‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " " };

// Count as messaging.wording does; the server counts again and decides.
export function segments(text) {
  const plain = [...text.trim()].map((one) => SMART[one] ?? one).join("");
  const costly = [...new Set([...plain].filter((one) => !GSM.includes(one) && !GSM_TWICE.includes(one)))];
  const sizes = [...plain].map((one) => (costly.length ? one.length : GSM_TWICE.includes(one) ? 2 : 1));
  const [single, part] = costly.length ? [70, 67] : [160, 153];
  const units = sizes.reduce((sum, one) => sum + one, 0);
  if (units <= single) return { parts: units ? 1 : 0, units, room: single, costly };
  let parts = 1;
  let used = 0;
  for (const size of sizes) {
    if (used + size > part) [parts, used] = [parts + 1, 0];
    used += size;
  }
  return { parts, units, room: parts * part, costly };
}

function watchTheCost() {
  const text = document.querySelector("[data-compose] textarea");
  const line = document.querySelector("[data-cost]");
  if (!text || !line) return;
  const before = line.textContent;
  const say = () => {
    const { parts, units, room, costly } = segments(text.value);
    const why = costly.length ? ` (${costly.slice(0, 3).join(" ")} makes it 70 characters each)` : "";
    line.textContent = parts ? `${parts} segment${parts > 1 ? "s" : ""}, ${units} of ${room} characters${why}` : before;
  };
  text.addEventListener("input", say);
  if (text.value) say();
  const form = text.form;
  // One press is one text. The server keeps that promise; this only spares the second request.
  form.addEventListener("submit", () => setTimeout(() => { form.querySelector("button.main").disabled = true; }));
  addEventListener("pageshow", () => { form.querySelector("button.main").disabled = false; });
}

let version = null;
let drawn = Date.now();
let said = null;
let active = false;
for (const kind of ["keydown", "pointerdown", "input"]) addEventListener(kind, () => { active = true; }, { passive: true });

async function look() {
  if (document.hidden) return;
  // Somebody who types is not idle: then, and only then, the poll counts as being here.
  const address = active ? body.dataset.live.replace("unattended=1", "attended=1") : body.dataset.live;
  active = false;
  const answer = await fetch(address, { headers: version ? { "If-None-Match": version } : {}, cache: "no-store" });
  if (answer.status === 401 || answer.redirected) return location.reload();
  const changed = answer.status === 200;
  if (changed) {
    const first = version === null;
    version = answer.headers.get("ETag");
    const news = await answer.json();
    document.title = (news.safety ? `(${news.safety}) ` : "") + document.title.replace(/^\(\d+\) /, "");
    if (said !== null && news.said !== said) document.querySelector("[data-fresh]")?.removeAttribute("hidden");
    said = news.said;
    if (first && Date.now() - drawn < 5000) return;
  }
  // Clocks move even when nothing happens.
  if (changed || Date.now() - drawn > 30000) await redraw();
}

async function redraw() {
  const answer = await fetch(body.dataset.rows, { cache: "no-store" });
  if (!answer.ok || answer.redirected) return;
  drawn = Date.now();
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = document.activeElement?.closest("[data-row], .views a")?.getAttribute("href");
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const old = document.querySelector(`[data-part="${part.dataset.part}"]`);
    if (!old || old.innerHTML === part.innerHTML) continue;
    const top = old.scrollTop;
    old.replaceChildren(...part.childNodes);
    old.scrollTop = top;
  }
  if (focused) document.querySelector(`[data-part] a[href="${CSS.escape(focused)}"], [data-part] a[href="${focused}"]`)?.focus({ preventScroll: true });
  const mark = document.querySelector("[data-mark]");
  const row = document.querySelector(".row[aria-current] .mark");
  if (mark && row) mark.replaceChildren(row.cloneNode(true));
}

function keepFresh() {
  if (!body.dataset.live) return;
  let running = false;
  const tick = async () => {
    if (running) return;
    running = true;
    try { await look(); } catch { /* the network is away: the next look will tell */ }
    running = false;
  };
  tick();
  setInterval(tick, 2500);
  document.addEventListener("visibilitychange", tick);
}

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
watchTheCost();
keepFresh();
listenToKeys();
