// Who fits what is typed, while it is typed. Without it the form is sent with Enter, and the server answers the same.
// What is typed is posted, so that it stands in no address and no log.

function suggest(form) {
  const box = form.elements.wanted;
  const list = form.querySelector("[data-suggested]") || form.parentElement.querySelector("[data-suggested]");
  let [timer, turn] = [0, 0];
  const clear = () => { turn += 1; list.replaceChildren(); };
  const look = async () => {
    const mine = ++turn;
    const fields = new URLSearchParams({ csrf_token: form.elements.csrf_token.value, wanted: box.value });
    try {
      const answer = await fetch(form.dataset.suggest, { method: "POST", body: fields, cache: "no-store" });
      if (!answer.ok || answer.redirected || mine !== turn) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      list.replaceChildren(...page.body.children);
    } catch { /* the network is away: Enter still asks */ }
  };
  box.addEventListener("input", () => {
    clearTimeout(timer);
    if (box.value.trim().length < 2) clear(); else timer = setTimeout(look, 180);
  });
  const links = () => [...list.querySelectorAll("a")];
  const step = (event) => {
    if (event.key === "Escape" && links().length) { clear(); box.focus(); return; }
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!way || !links().length) return;
    event.preventDefault();
    const at = links().indexOf(document.activeElement) + way;
    (links()[at] || box).focus();
  };
  for (const part of [box, list]) part.addEventListener("keydown", step);
}

document.querySelectorAll("[data-suggest]").forEach(suggest);
