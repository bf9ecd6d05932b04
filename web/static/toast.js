// What a browser adds to an act: what was done is said aloud, can be taken back for ten seconds, and the page that comes
// next stands where the last one stood, with the focus on what was pressed or on what follows it.

const SEEN = 10_000, RECENT = 20_000;
const scrollers = () => ["html", ".list", ".said", ".beside"].map((name) => [name, document.querySelector(name)]).filter(([, one]) => one);
const theCase = () => document.querySelector("main[data-item]")?.dataset.item ?? "";

// ------------------------------------------------------------------ what was done

function leave(toast) {
  // Whoever is about to press it keeps it: the server says whether it came in time.
  if (toast.matches(":hover, :focus-within")) return setTimeout(leave, 1000, toast);
  toast.remove();
}

function countDown(toast) {
  const bar = document.createElement("span");
  bar.className = "time";
  bar.setAttribute("aria-hidden", "true");
  bar.style.animationDuration = `${toast.dataset.undo}s`;
  toast.append(bar);
  setTimeout(leave, Number(toast.dataset.undo) * 1000, toast);
}

for (const status of document.querySelectorAll(".toasts [role=status]")) {
  // A region that was there from the start is not read out: its words come into it.
  const words = [...status.childNodes];
  status.replaceChildren();
  setTimeout(() => status.replaceChildren(...words));
  const toast = status.closest(".notice");
  if (toast.matches("[data-undo]")) countDown(toast);
  else setTimeout(leave, SEEN, toast);
}
// A page that comes back out of the browser's memory offers nothing that is over.
addEventListener("pageshow", (event) => { if (event.persisted) document.querySelector(".toasts")?.remove(); });

// ------------------------------------------------------------------ where the page stands

const describe = (control) => [control.tagName, control.name ?? "", control.value ?? "", control.textContent.trim()].join("|");

function remember(event) {
  const pressed = event.submitter ?? document.activeElement;
  const place = { item: theCase(), path: location.pathname, at: Date.now(), pressed: describe(pressed), scrolled: {}, wrote: event.target.matches("[data-compose]") };
  for (const [name, one] of scrollers()) place.scrolled[name] = [one.scrollTop, one.scrollHeight - one.scrollTop - one.clientHeight];
  sessionStorage.setItem("place", JSON.stringify(place));
}

function scrollBack({ scrolled, wrote }) {
  for (const [name, one] of scrollers()) {
    const [top, below] = scrolled[name] ?? [0, 0];
    // Whoever has just written is led to their words.
    if (name === ".said" && wrote) scrolled[name] = [one.scrollHeight, 0];
    // What is new in a conversation comes at its end: it is measured from there, unless it was at its beginning.
    one.scrollTop = name === ".said" && top ? one.scrollHeight - one.clientHeight - below : top;
  }
}

function focusAgain(place) {
  const title = document.querySelector(theCase() ? "main h1" : "#list-title, main h1");
  if (title) title.tabIndex = -1;
  const same = theCase() === place.item && [...document.querySelectorAll("main button, #bulk button")].find((one) => describe(one) === place.pressed);
  const tab = same && !same.checkVisibility?.() ? same.closest("details")?.querySelector("summary") : same;
  (tab || title)?.focus({ preventScroll: true });
}

function resume() {
  const place = JSON.parse(sessionStorage.getItem("place") ?? "null");
  sessionStorage.removeItem("place");
  if (!place || Date.now() - place.at > RECENT || !document.querySelector(".toasts") || document.querySelector(".problem")) return;
  // An act that leads on to another page has it open at its beginning.
  if (theCase() === place.item && (place.item || location.pathname === place.path)) scrollBack(place);
  if (document.activeElement === document.body) focusAgain(place);
}

document.addEventListener("submit", remember);
resume();
