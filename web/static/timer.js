// The timer of work: it counts only while one of our pages is in sight and something is done on it. Nothing here is
// needed to begin, pause or end it: the same buttons are forms.

const bar = document.querySelector("[data-timer]");
const offer = document.querySelector("[data-timer-offer]");
const SECOND = 1000, MINUTE = 60 * SECOND, AWAY = 5 * SECOND;
const part = (what) => bar.querySelector(what);
const others = new BroadcastChannel("warmthread-timer");
let acted = Date.now(), hidden = 0, elsewhere = 0, told = Date.now(), ended = false;

// ------------------------------------------------------------------ what is counted

const state = bar && { name: bar.dataset.state, why: bar.dataset.why, seconds: Number(bar.dataset.seconds), at: Date.now() };

function draw() {
  const running = state.name === "running";
  const whole = Math.floor(state.seconds + (running ? (Date.now() - state.at) / SECOND : 0));
  const [hours, minutes, seconds] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  part("[data-clock]").textContent = hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
  part(".timer-mark").textContent = running ? "●" : "❚❚";
  bar.dataset.state = state.name;
  for (const said of bar.querySelectorAll("[data-said]")) said.hidden = said.dataset.said !== state.name;
  for (const said of bar.querySelectorAll("[data-why-said]")) said.hidden = running || said.dataset.whySaid !== state.why;
  part("[data-do=pause]").hidden = !running;
  part("[data-do=resume]").hidden = running;
}

async function ask(what, more = {}) {
  const form = part("[data-timer-form]");
  const fields = new URLSearchParams({ csrf_token: form.elements.csrf_token.value, ...more });
  told = Date.now();
  const answer = await fetch(`/care-timer/${what}?unattended=1`, { method: "POST", body: fields, headers: { Accept: "application/json" }, cache: "no-store", keepalive: true }).catch(() => null);
  if (!answer) return; // no way to the server: it ends the stretch by itself where it last heard of us
  if (!answer.ok || answer.redirected) { ended = true; return; }
  const said = await answer.json();
  if (said.state === "none") { ended = true; bar.hidden = true; return; }
  const resumes = said.state === "paused" && said.why !== "hand" && what === "seen";
  Object.assign(state, { name: said.state, why: said.why, seconds: said.seconds, at: Date.now() });
  part("[data-do=count]").hidden = !said.pause;
  part("[data-pause]").textContent = said.pause;
  draw();
  // Somebody is here and does something: what had paused by itself goes on by itself.
  if (resumes && !document.hidden && Date.now() - acted < AWAY) await ask("resume");
}

function look() {
  if (ended) return;
  const quiet = Date.now() - Math.max(acted, elsewhere);
  const running = state.name === "running";
  if (document.hidden) {
    const away = Date.now() - hidden;
    if (running && away > AWAY && elsewhere < hidden) ask("pause", { why: "hidden", ago: Math.round(away / SECOND) });
    return;
  }
  if (running && quiet > Number(bar.dataset.idle) * SECOND) ask("pause", { why: "idle", ago: Math.round(quiet / SECOND) });
  else if (Date.now() - told > Number(bar.dataset.beat) * SECOND && (running || quiet < MINUTE)) ask("seen");
  if (running) draw();
}

function act() {
  const came = Date.now() - acted > AWAY;
  acted = Date.now();
  if (!came) return;
  others.postMessage("here");
  if (bar && !ended && state.name === "paused" && state.why !== "hand") ask("seen");
}

others.addEventListener("message", () => { elsewhere = Date.now(); });
for (const kind of ["pointerdown", "pointermove", "keydown", "scroll", "touchstart"]) addEventListener(kind, act, { passive: true, capture: true });
document.addEventListener("visibilitychange", () => {
  if (document.hidden) { hidden = Date.now(); return; }
  others.postMessage("here");
  acted = Date.now();
  if (bar && !ended) ask("seen");
});

if (bar) {
  others.postMessage("here");
  ask("seen");
  setInterval(look, SECOND);
  part("[data-timer-form]").addEventListener("submit", (event) => {
    const what = event.submitter?.dataset.do;
    if (!what || what === "stop") return;
    event.preventDefault();
    ask(what);
  });
}

// ------------------------------------------------------------------ what is proposed

// Somebody has worked here for a minute and times nothing: the button says since when it would count.
if (offer && !bar) {
  const opened = new Date();
  let busy = 0;
  const wait = setInterval(() => {
    if (!document.hidden && Date.now() - acted < 10 * SECOND) busy += SECOND;
    if (busy < MINUTE) return;
    clearInterval(wait);
    offer.querySelector("[data-since]").textContent = opened.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
    offer.querySelector("[name=opened]").value = opened.toISOString();
    offer.querySelector("[data-proposed]").hidden = false;
    offer.classList.add("proposed");
  }, SECOND);
}
