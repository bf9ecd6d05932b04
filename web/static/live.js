// What keeps an open page fresh: it asks every few seconds whether anything has changed, while it is looked at.

const body = document.body;
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

keepFresh();
