// What a browser adds to reading a long conversation: earlier texts come in above, and the eye stays where it was.

async function bringEarlier(link) {
  const answer = await fetch(link.href, { cache: "no-store" });
  if (!answer.ok || answer.redirected) return location.assign(link.href);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#thread");
  const here = link.closest("#thread");
  const [older, shown] = [fresh?.querySelector(".thread"), here.querySelector(".thread")];
  if (!older || !shown) return location.assign(link.href);
  const anchor = shown.querySelector("li:not(.day)");
  const before = anchor.getBoundingClientRect().top;
  // The day that the page's edge cut in two keeps one heading, the earlier one.
  const days = older.querySelectorAll(".day");
  if (days[days.length - 1]?.textContent === shown.firstElementChild.textContent) shown.firstElementChild.remove();
  // What was fetched is not in the page that keeps itself fresh: it is to leave it, and the way further back, alone.
  for (const one of [...older.children, link.parentElement]) one.dataset.keep = "";
  shown.prepend(...older.childNodes);
  const scroller = here.closest(".said") ?? document.scrollingElement;
  const inside = scroller.scrollHeight > scroller.clientHeight ? scroller : document.scrollingElement;
  inside.scrollTop += anchor.getBoundingClientRect().top - before;
  const onward = fresh.querySelector("[data-earlier]");
  if (onward) return void (link.href = onward.href);
  // The button was in focus and is no more needed: the beginning of the conversation takes its place.
  link.parentElement.remove();
  shown.firstElementChild.tabIndex = -1;
  shown.firstElementChild.focus({ preventScroll: true });
}

// Names behind "@" are fetched when somebody begins to write a note.
document.addEventListener("focusin", ({ target: { dataset } }) => dataset?.script && import(dataset.script).catch(() => {}));

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-earlier]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  bringEarlier(link).catch(() => location.assign(link.href));
});
