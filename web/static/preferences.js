// A preference is saved as soon as it is chosen. Without this, the button saves them all.
const form = document.querySelector("form[data-at-once]");

if (form) {
  const button = form.querySelector("[data-save]"), said = form.querySelector("[data-said]");
  button.hidden = true;
  form.addEventListener("change", async () => {
    said.textContent = "";
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form), cache: "no-store" });
      if (!answer.ok || answer.url.includes("/signin")) throw new Error("not saved");
      said.textContent = form.dataset.saved;
      document.documentElement.classList.toggle("compact", form.elements.namedItem("density")[1].checked);
      document.documentElement.dataset.keys = form.elements.namedItem("keys")[1].checked ? "on" : "off";
    } catch { button.hidden = false; }
  });
}
