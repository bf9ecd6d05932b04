// What a browser adds to reading a long conversation: earlier texts come in above, and the eye stays where it was.

async function bringEarlier(link) {
  const answer = await fetch(link.href, { cache: "no-store" });
  if (!answer.ok || answer.redirected) return location.assign(link.href);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-thread]");
  const here = link.closest("[data-thread]");
  const [older, shown] = [fresh?.querySelector(".thread"), here.querySelector(".thread")];
  if (!older || !shown) return location.assign(link.href);
  const first = shown.firstElementChild;
  const before = first.getBoundingClientRect().top;
  // The day that the page break cut in two has one heading, the earlier one.
  const days = older.querySelectorAll(".day");
  const cut = days[days.length - 1]?.textContent === first.textContent;
  const arrived = older.firstElementChild;
  shown.prepend(...older.childNodes);
  if (cut) first.remove();
  const onward = fresh.querySelector("[data-earlier]");
  if (onward) link.href = onward.href;
  else link.parentElement.remove();
  const scroller = here.closest(".said") ?? document.scrollingElement;
  const anchor = cut ? shown.querySelector(".day:last-of-type") ?? arrived : first;
  scroller.scrollTop += anchor.getBoundingClientRect().top - before;
  arrived.tabIndex = -1;
  if (!onward) arrived.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-earlier]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  bringEarlier(link).catch(() => location.assign(link.href));
});
