// What a browser adds to writing a text: its cost and what stops it as it is typed, and drafts that keep themselves.
// The form works without it, and the server decides.

const GSM = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const GSM_TWICE = "€[]{}\\^~|\f";
// As messaging/texts/smart.toml has it.
const SMART = new Map([
  ...[..."‘’‚‛′ʼ´`"].map((one) => [one, "'"]), ...[..."“”„″«»"].map((one) => [one, '"']),
  ...[..."‐‑‒–—―−•·"].map((one) => [one, "-"]), ...[..."\u00a0\u2002\u2003\u2007\u2009\u200a\u202f"].map((one) => [one, " "]),
  ...[..."\u00ad\u200b\u2060\ufeff"].map((one) => [one, ""]), ["…", "..."], ["\u2028", "\n"], ["\u2029", "\n"],
]);

// What would be sent for what was typed: as messaging.wording.proofreading.tidy.
export function tidy(text) {
  return [...text.replace(/\r\n?/g, "\n")].map((one) => SMART.get(one) ?? one).join("").replace(/^[ \t\n\r\f\v]+|[ \t\n\r\f\v]+$/g, "");
}

// Count as messaging.wording.text_templates.segments does.
export function segments(text) {
  const costly = [...new Set([...text].filter((one) => !GSM.includes(one) && !GSM_TWICE.includes(one)))];
  const sizes = [...text].map((one) => (costly.length ? one.length : GSM_TWICE.includes(one) ? 2 : 1));
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

// Letters of the cheap alphabet for those that cost more: as messaging.wording.proofreading.plainer.
export function plainer(text) {
  const costly = segments(text).costly;
  return [...text].map((one) => {
    const bare = costly.includes(one) ? one.normalize("NFKD").replace(/\p{M}/gu, "") : one;
    return bare && !segments(bare).costly.length ? bare : one;
  }).join("");
}

function later(wait, act) {
  let timer = 0;
  return () => { clearTimeout(timer); timer = setTimeout(act, wait); };
}

async function post(address, fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return fetch(address, { method: "POST", body: form, headers: { Accept: "application/json" }, cache: "no-store" });
}

const find = (selector) => document.querySelector(selector);

function watchTheCost(form, text) {
  const line = find("[data-cost]");
  const plain = find("[data-plain]");
  const before = text.value ? "Nothing about health in a text that others might see" : line.textContent;
  const say = () => {
    const body = tidy(text.value);
    const { parts, units, room, costly } = segments(body);
    const why = costly.length ? ` (${costly.slice(0, 3).join(" ")} makes it 70 characters each)` : "";
    line.textContent = parts ? `${parts} segment${parts > 1 ? "s" : ""}, ${units} of ${room} characters${why}` : before;
    if (plain) plain.hidden = segments(plainer(body)).parts >= parts;
  };
  text.addEventListener("input", say);
  if (text.value) say();
}

function showFlags(proof) {
  const box = find("[data-marks]");
  const pieces = proof.pieces.map(([words, flagged]) => {
    const piece = document.createElement(flagged ? "mark" : "span");
    piece.textContent = words;
    return piece;
  });
  const flags = proof.flags.map((flag) => {
    const [line, word] = [document.createElement("li"), document.createElement("b")];
    word.textContent = `“${flag.word}”`;
    line.append(word, ` ${flag.why}. ${flag.instead}`);
    return line;
  });
  const list = box.querySelector("[data-flags]");
  box.querySelector("[data-excerpt]").replaceChildren(...pieces);
  if (list.textContent !== flags.map((one) => one.textContent).join("")) list.replaceChildren(...flags);
  box.hidden = !flags.length;
}

function watchTheWords(form, text) {
  find("[data-flags]").setAttribute("aria-live", "polite");
  let asked = 0;
  const look = async () => {
    const turn = ++asked;
    try {
      const answer = await post(form.dataset.check, { csrf_token: form.csrf_token.value, item: form.item.value, body: text.value });
      if (answer.ok && !answer.redirected && turn === asked) showFlags(await answer.json());
    } catch { /* the network is away: the server looks again before anything leaves */ }
  };
  text.addEventListener("input", later(400, look));
}

function keepDrafts(form, text) {
  const [kept, trouble] = [find("[data-kept]"), find("[data-trouble]")];
  let [saved, tried, busy, sent] = [text.value, text.value, false, false];
  const fields = (more = {}) => ({
    csrf_token: form.csrf_token.value, item: form.item.value, view: form.view.value, compose: form.compose.value,
    seen: form.seen.value, version: form.version.value, body: text.value, quietly: "1", ...more,
  });
  const worry = (...words) => { trouble.replaceChildren(...words); trouble.hidden = !words.length; };
  const adopt = (news) => {
    form.version.value = news.version;
    if (news.compose) form.compose.value = news.compose;
    kept.textContent = news.kept ? `draft kept ${news.kept}` : "";
  };
  const choice = (words, act) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "bare", textContent: words, onclick: act });
    return button;
  };
  const other = (news) => {
    // Our own words whose answer was lost on the way are not another window's.
    if (news.body === tried) { adopt(news); return keep(); }
    worry("You have other words for them in another window. Those are kept, these are not. ",
      choice("Show those", () => { worry(); text.value = saved = tried = news.body; adopt(news); text.dispatchEvent(new Event("input")); }),
      choice("Keep these", () => { worry(); keep({ anyway: "1" }); }));
  };
  const signIn = () => {
    const link = Object.assign(document.createElement("a"), { href: form.dataset.signin, target: "_blank", textContent: "Sign in in a new tab" });
    worry("You are signed out. Your words are still here and are kept as soon as you are back. ", link, ".");
  };
  async function keep(more = {}) {
    if (busy || sent || (text.value === saved && !more.anyway)) return;
    busy = true;
    const body = text.value;
    let again = 0;
    try {
      const answer = await post(form.dataset.drafts, fields(more));
      if (answer.status === 409) { busy = false; return other(await answer.json()); }
      tried = body;
      if (answer.redirected || answer.status === 401) { signIn(); again = 5000; }
      else if (!answer.ok) { worry("Not kept yet; trying again. Your words are still here."); again = 5000; }
      else { saved = body; adopt(await answer.json()); worry(); }
    } catch {
      tried = body;
      worry("No connection. Your words are still here and are kept when it is back.");
      again = 5000;
    }
    busy = false;
    if (again) setTimeout(keep, again);
    else if (text.value !== saved) keep();
  }
  text.addEventListener("input", later(800, () => keep()));
  addEventListener("online", () => keep());
  // The last pause may not have been long enough: what is typed leaves with the page.
  addEventListener("pagehide", () => {
    if (sent || text.value === saved) return;
    const last = new FormData();
    for (const [name, value] of Object.entries(fields())) last.set(name, value);
    navigator.sendBeacon(form.dataset.drafts, last);
  });
  form.addEventListener("submit", () => { sent = true; });
  addEventListener("pageshow", () => { sent = false; });
  // Whatever else is pressed on this page waits a moment until the words are kept, and no longer.
  let waited = false;
  document.addEventListener("submit", async (event) => {
    if (event.target === form || waited || text.value === saved) return;
    waited = true;
    event.preventDefault();
    await Promise.race([keep(), new Promise((done) => setTimeout(done, 1000))]);
    event.target.requestSubmit(event.submitter);
  });
  for (const button of document.querySelectorAll("[data-by-hand]")) button.hidden = true;
}

function offerReplies(form, text) {
  const put = (words) => {
    text.value = [text.value.trimEnd(), words].filter(Boolean).join(" ");
    text.dispatchEvent(new Event("input"));
    text.focus();
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.use");
    if (!button) return;
    event.preventDefault();
    put(button.querySelector("[data-words]").textContent);
    button.closest(".menu").open = false;
  });
  find("[data-plain]").addEventListener("click", (event) => {
    event.preventDefault();
    text.value = plainer(tidy(text.value));
    text.dispatchEvent(new Event("input"));
    text.focus();
  });
  const row = find("[data-filter]");
  const filter = () => { row.hidden = !find("[data-offer]"); };
  filter();
  // Read when they are opened: a clinic may have many. Without an answer the button there shows them by a page.
  const menu = find("details.saved");
  menu.addEventListener("toggle", async () => {
    const place = menu.open && menu.querySelector("[data-replies]");
    if (!place || find("[data-offer]")) return;
    const answer = await fetch(place.dataset.replies, { cache: "no-store" }).catch(() => null);
    if (!answer?.ok || answer.redirected) return;
    place.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
    filter();
    if (!row.hidden) row.querySelector("input").focus();
  });
  const fold = (words) => words.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  row.querySelector("input").addEventListener("input", (event) => {
    const wanted = fold(event.target.value).split(/\s+/).filter(Boolean);
    const offers = [...document.querySelectorAll("[data-offer]")];
    for (const one of offers) one.hidden = !wanted.every((word) => fold(one.textContent).includes(word));
    find("[data-none]").hidden = offers.some((one) => !one.hidden);
  });
}

function write() {
  const form = find("[data-compose]");
  if (!form) return;
  const text = form.elements.body;
  watchTheCost(form, text);
  watchTheWords(form, text);
  keepDrafts(form, text);
  offerReplies(form, text);
  // Whoever comes back to a draft goes on at its end.
  text.setSelectionRange(text.value.length, text.value.length);
  // One press is one text. The server keeps that promise; this only spares the second request.
  const press = (off) => { for (const button of form.querySelectorAll("button")) button.disabled = off; };
  form.addEventListener("submit", () => setTimeout(() => press(true)));
  addEventListener("pageshow", () => press(false));
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll(".write details.menu[open]")) { menu.open = false; menu.querySelector("summary").focus(); }
  });
}

// A reply, a note or a call: one of them is always open, and Ctrl+Enter in it presses the button it is there for.
function chooseAWay() {
  for (const head of document.querySelectorAll(".tab > summary")) {
    head.addEventListener("click", (event) => { if (head.parentElement.open) event.preventDefault(); });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.isComposing || event.repeat) return;
    const form = event.target.closest(".write form");
    const button = form?.querySelector(`[data-press="${event.shiftKey ? "Shift+" : ""}Enter"]:enabled`);
    if (!button) return;
    event.preventDefault();
    form.requestSubmit(button);
  });
}

// The page where saved replies are written shows them on a phone as they are typed.
function preview() {
  const form = find("[data-preview]");
  if (!form) return;
  form.addEventListener("input", later(500, async () => {
    const answer = await post(form.action, { ...Object.fromEntries(new FormData(form)), look: "1" });
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const [shown, coming] = [form, fresh].map((one) => [...one.querySelectorAll(".side")]);
    for (const [at, side] of shown.entries()) {
      for (const old of side.querySelectorAll(".marks, .phone")) old.remove();
      side.append(...coming[at].querySelectorAll(".marks, .phone"));
    }
  }));
}

write();
chooseAWay();
preview();
