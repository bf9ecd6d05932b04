// What keeps an open page fresh: it asks each second whether anything has changed, and says who else is here.
// Everything it does a reload would do too.

const { body } = document;
const facts = body.dataset;
const SECOND = 1000, MINUTE = 60 * SECOND, HIDDEN = 10 * SECOND, SLOWEST = 15 * SECOND, LOST = 10 * SECOND, CLOCKS = 30 * SECOND, ROWS = 5;
const state = { etags: { near: facts.etag, rows: "" }, turn: 0, list: facts.list, talk: facts.talk, good: Date.now(), drawn: Date.now(), wrong: 0, ended: false, stale: false, changed: false, owed: false };
const human = { active: false, told: 0, typed: 0, pressed: false };
const find = (what) => document.querySelector(what);
const composer = () => find("[data-compose] textarea");
const hasWords = () => Boolean(composer()?.value.trim());
let errand = new AbortController();
let timer = 0;

// ------------------------------------------------------------------ asking

function address() {
  const asked = new URL(facts.live, location);
  // A hidden page is nobody's: it neither views nor writes.
  if (document.hidden) asked.searchParams.set("mode", "away");
  else if (hasWords() && Date.now() - human.typed < 5 * SECOND) asked.searchParams.set("mode", "writing");
  // Somebody who types is not idle: then, and only then, a poll counts as being here.
  if (human.active && Date.now() - human.told > 20 * SECOND) {
    [human.active, human.told] = [false, Date.now()];
    asked.searchParams.delete("unattended");
  }
  return asked;
}

const get = (where, headers = {}) => fetch(where, { headers, cache: "no-store", signal: AbortSignal.any?.([errand.signal, AbortSignal.timeout(8 * SECOND)]) ?? errand.signal });

async function look() {
  // Each second who is in this case, and now and then who is in the rows: in a large clinic somebody moves all the time.
  const [asked, kind] = [address(), state.turn++ % ROWS ? "near" : "rows"];
  if (kind === "rows") asked.searchParams.set("rows", "1");
  const answer = await get(asked, { "If-None-Match": `"${state.etags[kind]}"` });
  if ([401, 403].includes(answer.status) || answer.redirected) return end();
  if (answer.status !== 304 && !answer.ok) throw new Error(answer.status);
  [state.wrong, state.good] = [0, Date.now()];
  find("[data-offline]").hidden = true;
  if (answer.status === 200) hear(kind, answer.headers.get("ETag").replace(/^W\/|"/g, ""), await answer.json());
  const age = Date.now() - state.drawn;
  // A busy clinic is drawn often, not each second; and clocks move even when nothing happens.
  if (state.stale ? age > 1.5 * SECOND : age > CLOCKS) await redraw();
  if (state.changed || (state.owed && !busy())) await freshen();
}

function hear(kind, etag, news) {
  if (state.ended) return news.me === facts.me ? comeBack() : location.reload();
  showWhoIsHere(news);
  // A page that was drawn without asking how things stand draws what it keeps up to date once, after its first poll.
  if (news.list !== state.list) state.stale = true;
  if (news.talk !== state.talk && facts.case) state.changed = true;
  Object.assign(state, { list: news.list, talk: news.talk });
  state.etags[kind] = etag;
}

// ------------------------------------------------------------------ drawing

const parts = async (where) => {
  const answer = await get(where);
  if (answer.status === 401 || answer.redirected) return end();
  if (!answer.ok) throw new Error(answer.status);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
};

function draw(fresh, wanted) {
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const old = find(`[data-part="${part.dataset.part}"]`);
    if (old && wanted(part.dataset.part)) morph(old, part);
  }
}

// Make an element like a fresh one in place: what has focus, is scrolled, open, ticked or half filled in stays so.
const MINE = new Set(["open", "checked", "value", "selected"]);
const KEPT = ".notice, .problem, [data-keep]";

const keyOf = (node) => {
  if (node.nodeType !== 1) return null;
  const row = node.matches("li") ? node.querySelector("[data-row]") : null;
  return node.id || (row ?? node).dataset.row || node.dataset.key || node.getAttribute("name") || (node.matches("a") ? node.getAttribute("href") : null);
};
const alike = (one, other) => one.nodeType === other.nodeType && one.nodeName === other.nodeName && keyOf(one) === keyOf(other);

function morph(old, fresh) {
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

async function redraw() {
  // Nothing moves under a finger that is down.
  if (human.pressed) { state.stale = true; return; }
  const fresh = await parts(facts.rows);
  if (!fresh) return;
  [state.drawn, state.stale] = [Date.now(), false];
  draw(fresh, () => true);
  // The clock of the row is the case's where the case is what leads it.
  const [mark, row] = [find("[data-mark]"), find(`.row[data-row="${find(".case")?.dataset.item}"] > .mark`)];
  if (mark && row) mark.replaceChildren(row.cloneNode(true));
  count(fresh.querySelector("[data-news]")?.dataset);
  sound();
}

// Somebody is in the middle of something there: it stays as it is until they are done.
const busy = () => hasWords() || human.pressed || find(".case :is(input, textarea, select):focus, .case details:is(.menu, .outcome)[open]") !== null;

async function freshen() {
  const asked = new URL(facts.case, location);
  if (asked.pathname === location.pathname) for (const [name, value] of new URLSearchParams(location.search)) asked.searchParams.set(name, value);
  asked.searchParams.set("unattended", "1");
  if (document.visibilityState === "visible" && document.hasFocus()) asked.searchParams.set("seen", "1");
  const fresh = await parts(asked);
  if (!fresh) return;
  state.changed = false;
  const [was, is] = [find('[data-part="top"]'), fresh.querySelector('[data-part="top"]')];
  if (was && is && was.dataset.owner !== is.dataset.owner) toast(is.dataset.ownerWords);
  const [shown, newest] = [find('[data-part="said"]')?.dataset.last, fresh.querySelector('[data-part="said"]')?.dataset.last];
  state.owed = busy();
  if (state.owed && shown !== newest) find("[data-fresh]")?.removeAttribute("hidden");
  const said = find(".said");
  const atEnd = said && said.scrollHeight - said.scrollTop - said.clientHeight < 40;
  draw(fresh, (name) => name === "top" || (!state.owed && ["said", "write", "beside"].includes(name)));
  if (!state.owed && shown !== newest) {
    announce(find("[data-fresh]")?.textContent.split(".")[0] ?? "");
    if (atEnd) said.scrollTo(0, said.scrollHeight);
  }
}

// ------------------------------------------------------------------ who is here

const announced = new Set();

function showWhoIsHere({ here, rows }) {
  const own = new URL(facts.live, location).searchParams.get("thread");
  for (const row of document.querySelectorAll(".row[data-thread]")) {
    if (rows || row.dataset.thread === own) sign(row, here[row.dataset.thread] ?? "");
  }
  const place = find(".case .here[data-thread]");
  const words = here[place?.dataset.thread] ?? "";
  if (!place) return;
  if (place.textContent !== words) place.textContent = words;
  if (!words || announced.has(words)) return;
  announced.add(words); // said aloud once: people come and go, and who listens has work to do
  announce(words);
}

// Who is there stands in a row only where somebody is.
function sign(row, words) {
  const place = row.querySelector(".here");
  if (!words) place?.remove();
  else if (!place) row.append(Object.assign(document.createElement("span"), { className: "here", textContent: words }));
  else if (place.textContent !== words) place.textContent = words;
}

function announce(words) {
  const region = find("[data-announce]");
  if (region) region.textContent = words;
}

function toast(words) {
  const line = find("[data-toast]");
  if (!line || !words) return;
  line.textContent = words;
  line.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { line.hidden = true; }, 8 * SECOND);
}

// ------------------------------------------------------------------ how many, and telling

const title = document.title.replace(/^\(\d+\) /, "");
// `nudged` are those of mine that the reader wants to hear of on the desktop.
const counted = (from) => ({ safety: parseInt(from.safety) || 0, mine: parseInt(from.mine) || 0, nudged: parseInt(from.nudged) || 0 });
let known = counted(facts);
let unseen = 0;

function count(news) {
  if (!news) return;
  const now = counted(news);
  const more = { safety: now.safety > known.safety, mine: Math.max(0, now.mine - known.mine), nudged: now.nudged > known.nudged };
  known = now;
  if (document.hidden || !document.hasFocus()) {
    unseen += more.mine;
    if (more.safety) tell("safety");
    else if (more.nudged) tell("news");
  }
  entitle();
  const waiting = Math.max(now.safety, now.mine);
  if (navigator.setAppBadge) (waiting ? navigator.setAppBadge(waiting) : navigator.clearAppBadge()).catch(() => {});
}

function entitle() {
  document.title = `${known.safety ? `(${known.safety}) ` : ""}${unseen ? `${unseen} new · ` : ""}${title}`;
}

const wanted = () => allowed("wt_tell");

function tell(kind) {
  const button = find("[data-tell]");
  if (!button || !wanted() || window.Notification?.permission !== "granted") return;
  try {
    const note = new Notification("Warmthread", { body: button.dataset[kind], tag: `warmthread-${kind}`, renotify: kind !== "news" });
    note.addEventListener("click", () => { window.focus(); note.close(); });
  } catch { /* phones tell only through an installed application */ }
}

// What nobody has answered is heard once, and again each minute until somebody is on it or has acknowledged it.
const heard = () => { try { return JSON.parse(sessionStorage.getItem("wt_heard")) ?? {}; } catch { return {}; } };
const loudOnes = () => (find('[data-part="alarms"]')?.dataset.loud ?? "").split(" ").filter(Boolean);

// What reads the page aloud says each alarm once: the bar itself is drawn anew each half minute, and would be said as often.
let told = [];
try { told = JSON.parse(sessionStorage.getItem("wt_alerted")) ?? []; } catch { /* then once for each page */ }

function alertOnce() {
  const fresh = document.hidden ? [] : loudOnes().filter((id) => !told.includes(id));
  if (!fresh.length) return;
  told = [...told, ...fresh].slice(-200);
  try { sessionStorage.setItem("wt_alerted", JSON.stringify(told)); } catch { /* as above */ }
  find("[data-alert]").replaceChildren(...fresh.map((id) => {
    const sentence = document.createElement("p");
    sentence.textContent = document.getElementById(`alarm-${id}`).dataset.said;
    return sentence;
  }));
}

function sound() {
  alertOnce();
  const loud = loudOnes();
  const [before, now] = [heard(), Date.now()];
  const due = loud.filter((id) => !before[id] || now - before[id] >= MINUTE);
  if (!due.length) return;
  const kept = Object.fromEntries(loud.map((id) => [id, due.includes(id) ? now : before[id]]));
  try { sessionStorage.setItem("wt_heard", JSON.stringify(kept)); } catch { /* then it is heard more often */ }
  if (document.hidden || !document.hasFocus()) tell("alarm");
  if (allowed("wt_sound")) chime();
}

function chime() {
  if (!window.AudioContext) return;
  const audio = new AudioContext();
  for (const [at, pitch] of [[0, 660], [0.22, 880], [0.44, 660]]) {
    const [tone, volume] = [audio.createOscillator(), audio.createGain()];
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.25, audio.currentTime + at);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + at + 0.2);
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + at);
    tone.stop(audio.currentTime + at + 0.2);
  }
  setTimeout(() => audio.close(), SECOND);
}

const allowed = (name) => { try { return localStorage.getItem(name) === "on"; } catch { return false; } };

function offerSound() {
  for (const button of document.querySelectorAll("[data-sound]")) {
    if (!window.AudioContext) continue;
    const name = () => { button.textContent = allowed("wt_sound") ? button.dataset.off : button.dataset.on; };
    button.addEventListener("click", () => {
      const on = !allowed("wt_sound");
      try { localStorage.setItem("wt_sound", on ? "on" : "off"); } catch { /* asked again next time */ }
      if (on) chime(); // so that they know it, and the browser has heard a person ask for it
      name();
    });
    name();
    button.hidden = false;
  }
}

function offerToTell() {
  for (const button of document.querySelectorAll("[data-tell]")) {
    if (!window.Notification || Notification.permission === "denied") continue;
    const name = () => { button.textContent = wanted() && Notification.permission === "granted" ? button.dataset.off : button.dataset.on; };
    button.addEventListener("click", async () => {
      const on = !wanted() && (await Notification.requestPermission()) === "granted";
      try { localStorage.setItem("wt_tell", on ? "on" : "off"); } catch { /* asked again next time */ }
      for (const each of document.querySelectorAll("[data-tell]")) each.textContent = on ? each.dataset.off : each.dataset.on;
    });
    name();
    button.hidden = false;
  }
}

// ------------------------------------------------------------------ losing and finding the way back

// What is typed on any page must not go with a reload.
const changed = (field) => field.matches("[type=checkbox], [type=radio]") ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
const unsaved = () => [...document.querySelectorAll("main :is(input:not([type=hidden]), textarea)")].some(changed);

function end() {
  if (!hasWords() && !unsaved()) return goToTheDoor();
  state.ended = true;
  state.etags = { near: "", rows: "" };
  body.classList.add("ended");
  find("[data-ended]").hidden = false;
  find("[data-offline]").hidden = true;
}

// The door says why one stands before it, and whether somebody waits; whoever is still let in goes on to the page.
function goToTheDoor() {
  const door = new URL("/signin", location);
  door.search = new URLSearchParams({ next: location.pathname + location.search, ended: "1", ...(loudOnes().length && { waits: "1" }) });
  location.replace(door);
}

function comeBack() {
  state.ended = false;
  body.classList.remove("ended");
  find("[data-ended]").hidden = true;
  state.stale = true;
}

function lose() {
  state.wrong += 1;
  if (state.ended || Date.now() - state.good < LOST) return;
  find("[data-since]").textContent = new Date(state.good).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
  find("[data-offline]").hidden = false;
}

function pause() {
  if (state.ended) return 5 * SECOND;
  const calm = document.hidden ? HIDDEN : SECOND;
  // Many pages lose the way together and must not all come back together.
  return state.wrong ? Math.min(SLOWEST, calm * 2 ** state.wrong) * (0.5 + Math.random() / 2) : calm;
}

async function tick() {
  clearTimeout(timer);
  if (tick.running) return;
  tick.running = true;
  const began = Date.now();
  try { await look(); } catch (wrong) { if (wrong.name !== "AbortError") lose(); }
  tick.running = false;
  timer = setTimeout(tick, Math.max(100, pause() - (state.wrong ? 0 : Date.now() - began)));
}

function keepFresh() {
  if (!facts.live) return;
  for (const kind of ["keydown", "pointerdown", "input"]) addEventListener(kind, () => { human.active = true; }, { passive: true });
  addEventListener("input", (event) => { if (event.target === composer()) human.typed = Date.now(); });
  addEventListener("pointerdown", () => { human.pressed = true; }, { passive: true });
  for (const kind of ["pointerup", "pointercancel", "dragend", "blur"]) addEventListener(kind, () => { human.pressed = false; }, { passive: true });
  // An answer under way must not take the notice that belongs to the page which comes next.
  for (const kind of ["submit", "pagehide"]) addEventListener(kind, () => { errand.abort(); errand = new AbortController(); });
  addEventListener("pagehide", () => {
    const asked = address();
    asked.searchParams.set("mode", "gone");
    fetch(asked, { keepalive: true }).catch(() => {});
  });
  addEventListener("online", tick);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) [unseen, state.stale] = [0, true];
    entitle();
    tick();
  });
  entitle();
  timer = setTimeout(tick, SECOND);
}

offerToTell();
offerSound();
sound();
keepFresh();
