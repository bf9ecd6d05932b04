// What a browser adds to the acts of a case.

// Opened by a key or a click, a sheet is ready to be used.
for (const menu of document.querySelectorAll(".acts details.menu")) {
  menu.addEventListener("toggle", () => menu.open && menu.querySelector("button, select, input:not([type=hidden])")?.focus());
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
