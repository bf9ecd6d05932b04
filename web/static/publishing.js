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

// What cannot be published or was not kept leads to its field: a section that is closed opens, and what is to be mended has the focus.
const fieldOf = (name) => document.getElementById(name) ?? document.getElementsByName(name)[0] ?? document.getElementById(`${name}-row`);
document.addEventListener("click", (event) => {
  const link = event.target.closest('.problem li a[href^="#"]');
  if (!link) return;
  const name = decodeURIComponent(link.hash.slice(1)).replace(/-problem$/, "");
  const place = document.getElementById(`${name}-problem`) ?? fieldOf(name) ?? fieldOf(name.split(/[.[]/)[0]);
  if (!place) return;
  event.preventDefault();
  for (let around = place; around; around = around.parentElement) if (around.matches("details")) around.open = true;
  if (place.matches("li")) place.querySelector("details").open = true;
  const fields = [...(place.closest("details") ?? place.parentElement).querySelectorAll("input:not([type=hidden]), select, textarea")];
  const follows = (field) => place === field || place.compareDocumentPosition(field) & (Node.DOCUMENT_POSITION_FOLLOWING | Node.DOCUMENT_POSITION_CONTAINED_BY);
  const field = fields.find(follows) ?? place;
  field.scrollIntoView({ block: "center" });
  field.focus({ preventScroll: true });
});
