// Passkeys: the browser makes one or answers with one, and the form carries what it says. Without script there is none.
const known = window.PublicKeyCredential;
const can = known && known.parseCreationOptionsFromJSON && known.parseRequestOptionsFromJSON;

async function credential(form) {
  const body = new URLSearchParams({ csrf_token: form.elements.namedItem("csrf_token").value });
  const answer = await fetch(form.dataset.ask, { method: "POST", body, cache: "no-store" });
  if (!answer.ok) throw new Error("not asked");
  const options = await answer.json();
  return form.dataset.passkey === "create"
    ? navigator.credentials.create({ publicKey: known.parseCreationOptionsFromJSON(options) })
    : navigator.credentials.get({ publicKey: known.parseRequestOptionsFromJSON(options) });
}

for (const form of can ? document.querySelectorAll("form[data-passkey]") : []) {
  const said = form.querySelector("[data-said]");
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    said.textContent = "";
    try {
      form.elements.namedItem("credential").value = JSON.stringify((await credential(form)).toJSON());
      form.submit();
    } catch { said.textContent = said.dataset.failed || "That did not work. Try again, or sign in another way."; }
  });
}
