// What was typed and not saved is said in the bar, and leaving the page asks first. Without this, nothing is lost that was saved.
const form = document.querySelector("form[data-guard]");

if (form) {
  const before = new URLSearchParams(new FormData(form)).toString();
  const changed = () => new URLSearchParams(new FormData(form)).toString() !== before;
  let leaving = false;
  const mark = () => { document.querySelector(".bar-line")?.toggleAttribute("data-unsaved", changed()); };
  form.addEventListener("input", mark);
  form.addEventListener("submit", () => { leaving = true; });
  addEventListener("beforeunload", (event) => { if (!leaving && changed()) event.preventDefault(); });
}
