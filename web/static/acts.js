// What a browser adds to the acts of a case: the ten seconds in which an act can be taken back are seen to pass.

function countDown(notice) {
  const form = notice.querySelector("form");
  const bar = document.createElement("span");
  bar.className = "time";
  bar.setAttribute("aria-hidden", "true");
  notice.append(bar);
  const over = () => {
    // Whoever is about to press it keeps it: the server says whether it came in time.
    if (form.contains(document.activeElement)) return form.addEventListener("focusout", over, { once: true });
    form.remove();
    bar.remove();
  };
  setTimeout(over, Number(notice.dataset.undo) * 1000);
}

for (const notice of document.querySelectorAll("[data-undo]")) countDown(notice);
// A page that comes back out of the browser's memory offers nothing that is over.
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of document.querySelectorAll("[data-undo] form")) form.remove();
});
// Opened by a key or a click, a sheet is ready to be used.
for (const menu of document.querySelectorAll(".acts details.menu")) {
  menu.addEventListener("toggle", () => {
    if (!menu.open) return;
    menu.querySelector(".sheet")?.scrollIntoView({ block: "nearest" });
    menu.querySelector("button, select, input:not([type=hidden])")?.focus();
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
// Whoever calls is asked what came of it: the outcome opens by itself, and is there without script too.
document.addEventListener("click", (event) => {
  const opened = document.getElementById(event.target.closest("[data-opens]")?.dataset.opens ?? "");
  if (!opened) return;
  opened.open = true;
  opened.scrollIntoView({ block: "nearest" });
});
