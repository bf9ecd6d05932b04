// What a browser adds to wording a text: its phones as one types. The "Show on a phone" button does the same without it.

const form = document.querySelector("form[data-look]");

async function look() {
  const turn = ++look.turn;
  const typed = new FormData(form);
  try {
    const answer = await fetch(form.dataset.look, { method: "POST", body: typed, headers: { Accept: "application/json" }, cache: "no-store" });
    if (!answer.ok || answer.redirected || turn !== look.turn) return;
    const { shown, said } = await answer.json();
    for (const [language, html] of Object.entries(shown)) {
      const place = form.querySelector(`[data-shown="${language}"]`);
      // A press on what stands there must not be lost under the pointer.
      if (place.contains(document.activeElement)) continue;
      const open = place.querySelector(".others")?.open;
      place.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
      if (open) place.querySelector(".others").open = true;
      const line = form.querySelector(`[data-said="${language}"]`);
      if (line.textContent !== said[language]) line.textContent = said[language];
    }
  } catch { /* the network is away: the server looks again when it is saved */ }
}
look.turn = 0;

if (form) {
  let timer = 0;
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, 300); });
}
