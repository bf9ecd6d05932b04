// Keeps what is marked data-live fresh while the page is looked at. Without it, reloading does the same.
const main = document.querySelector("main");

function freshen(page) {
  for (const old of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(old.id);
    if (!fresh || fresh.innerHTML === old.innerHTML) continue;
    const log = old.querySelector(".scroll");
    const below = log ? log.scrollHeight - log.scrollTop - log.clientHeight : 0;
    const focused = old.contains(document.activeElement) && document.activeElement;
    const link = focused && focused.getAttribute("href");
    const field = focused && focused.id && [focused.id, focused.selectionStart, focused.selectionEnd];
    const typed = [...old.querySelectorAll("input[id]")].filter((input) => input.value).map((input) => [input.id, input.value]);
    old.innerHTML = fresh.innerHTML;
    for (const [id, words] of typed) {
      const input = document.getElementById(id);
      if (input) input.value = words;
    }
    if (log && below < 40) toEnd();
    if (link) old.querySelector(`a[href="${CSS.escape(link)}"]`)?.focus();
    if (field) {
      const input = document.getElementById(field[0]);
      input?.focus({ preventScroll: true });
      input?.setSelectionRange?.(field[1], field[2]);
    }
  }
}

function toEnd() {
  for (const log of document.querySelectorAll(".scroll")) log.scrollTop = log.scrollHeight;
}

async function look() {
  const here = new URL(location.href);
  here.searchParams.set("since", main.dataset.revision);
  const answer = await fetch(here, { cache: "no-store" });
  if (answer.status !== 200) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  main.dataset.revision = page.querySelector("main").dataset.revision;
  freshen(page);
}

toEnd();
if (document.querySelector("[data-live]")) {
  setInterval(() => { if (!document.hidden) look().catch(() => {}); }, 1000);
}
document.getElementById("body")?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});
