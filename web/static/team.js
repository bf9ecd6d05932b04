// Names behind an "@" while a note is written, from the list that stands beside it; and a file's size before it is sent.
// Without this the list asks as well, and the server says of a file what is wrong.

const START = /(^|[^\w@.])@([\w'’-]*(?: [\w'’-]*)?)$/u;

function complete(area) {
  const key = area.dataset.mentions;
  const list = document.getElementById(`names-${key}`);
  const select = document.getElementById(`mention-${key}`) || document.querySelector("select[name=mention]");
  const said = list?.nextElementSibling;
  if (!list || !select) return;
  const people = [...select.options].filter((option) => option.dataset.name).map((option) => option.dataset.name);
  let at = 0;
  area.setAttribute("aria-autocomplete", "list");
  area.setAttribute("aria-controls", list.id);
  const typed = () => START.exec(area.value.slice(0, area.selectionStart));
  const close = () => { list.hidden = true; list.replaceChildren(); area.removeAttribute("aria-activedescendant"); };
  const mark = () => {
    [...list.children].forEach((one, place) => one.setAttribute("aria-selected", String(place === at)));
    area.setAttribute("aria-activedescendant", list.children[at].id);
    list.children[at].scrollIntoView({ block: "nearest" });
  };
  const choose = (name) => {
    const start = area.selectionStart - typed()[2].length;
    area.setRangeText(`${name} `, start, area.selectionStart, "end");
    close();
    area.focus();
  };
  const show = () => {
    const match = typed();
    const wanted = match?.[2].toLowerCase();
    const fitting = match ? people.filter((name) => name.toLowerCase().split(" ").some((part) => part.startsWith(wanted)) || name.toLowerCase().startsWith(wanted)) : [];
    if (!fitting.length) { close(); return; }
    list.replaceChildren(...fitting.slice(0, 8).map((name, place) => {
      const one = document.createElement("li");
      [one.id, one.textContent] = [`${list.id}-${place}`, name];
      one.setAttribute("role", "option");
      one.addEventListener("pointerdown", (event) => { event.preventDefault(); choose(name); });
      return one;
    }));
    [at, list.hidden] = [0, false];
    said.textContent = `${list.children.length} to choose from`;
    mark();
  };
  area.addEventListener("input", show);
  area.addEventListener("blur", close);
  if (document.activeElement === area) show(); // it came while somebody was typing
  area.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (way) at = (at + way + list.children.length) % list.children.length;
    else if (event.key === "Enter" || event.key === "Tab") choose(list.children[at].textContent);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (way) mark();
  });
}

function measure(form) {
  const box = form.querySelector("input[type=file]");
  box?.addEventListener("change", () => {
    const large = [...box.files].find((file) => file.size > Number(form.dataset.largest));
    box.setCustomValidity(large ? `${large.name} ${form.dataset.tooLarge}` : "");
    box.reportValidity();
  });
}

document.querySelectorAll("textarea[data-mentions]").forEach(complete);
document.querySelectorAll("form[data-largest]").forEach(measure);
