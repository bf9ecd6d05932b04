// What a browser adds to the acts of a case.

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
document.getElementById("outcome")?.addEventListener("toggle", (event) => {
  if (event.target.open) event.target.scrollIntoView({ block: "nearest" });
});
document.addEventListener("click", (event) => {
  const opened = document.getElementById(event.target.closest("[data-opens]")?.dataset.opens ?? "");
  if (!opened) return;
  opened.open = true;
  opened.scrollIntoView({ block: "nearest" });
  event.target.closest(".menu")?.removeAttribute("open");
});
// The first arrow on choices of which none is made makes the one that is in focus, and does not pass over it.
document.addEventListener("keydown", (event) => {
  const choice = event.target;
  if (!/^Arrow/.test(event.key) || !choice.matches?.(".outcome input[type=radio]")) return;
  if (choice.form.elements[choice.name].value) return;
  event.preventDefault();
  choice.click();
});
