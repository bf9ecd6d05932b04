// Hours of a week painted on a grid, by mouse, finger or keys. The field beside it holds what is painted, and is all there is without this.
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const NAMES = DAYS.map((day) => day[0].toUpperCase() + day.slice(1));
const HALVES = 48, WEEK = DAYS.length * HALVES;
const narrow = matchMedia("(max-width: 759px)");

const clock = (minutes) => {
  const hour = Math.floor(minutes / 60) % 24;
  return `${hour % 12 || 12}:${String(minutes % 60).padStart(2, "0")} ${hour < 12 ? "AM" : "PM"}`;
};
const minutes = (text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));

async function ask(text) {
  const answer = await fetch(`/settings/hours?text=${encodeURIComponent(text)}`, { headers: { Accept: "application/json" }, cache: "no-store" });
  return answer.ok && !answer.redirected ? answer.json() : {};
}

class Grid {
  constructor(input) {
    this.input = input;
    this.on = new Array(WEEK).fill(false);
    this.edges = new Map();
    this.said = document.createElement("p");
    this.said.className = "small hours-said";
    this.said.setAttribute("role", "status");
    this.toggle = document.createElement("button");
    Object.assign(this.toggle, { type: "button", className: "bare small", textContent: "Paint on a grid" });
    this.toggle.setAttribute("aria-expanded", "false");
    this.toggle.append(Object.assign(document.createElement("span"), { className: "unseen", textContent: `: ${input.dataset.hours}` }));
    input.after(this.toggle, this.said);
    this.toggle.addEventListener("click", () => this.open());
    input.addEventListener("change", () => this.typed());
  }

  async open() {
    if (!this.table) this.build();
    else this.table.hidden = !this.table.hidden;
    this.toggle.setAttribute("aria-expanded", String(!this.table.hidden));
    if (!this.table.hidden) await this.typed();
  }

  build() {
    const table = document.createElement("div");
    table.className = "hours-grid";
    table.setAttribute("role", "grid");
    table.setAttribute("aria-label", `${this.input.dataset.hours}: arrow keys move, Space paints, Shift with arrows paints on`);
    table.append(this.heads());
    this.cells = [];
    DAYS.forEach((_day, row) => table.append(this.row(row)));
    this.cells[16].tabIndex = 0;
    this.toggle.after(table);
    this.table = table;
    table.addEventListener("pointerdown", (event) => this.press(event));
    table.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel"]) table.addEventListener(name, () => this.release());
    table.addEventListener("keydown", (event) => this.key(event));
  }

  heads() {
    const line = document.createElement("div");
    line.className = "hours-heads tiny quiet";
    line.setAttribute("aria-hidden", "true");
    line.append(document.createElement("span"));
    for (let hour = 0; hour < 24; hour += 1) {
      line.append(Object.assign(document.createElement("span"), { textContent: hour % 3 ? "" : `${hour % 12 || 12}${hour < 12 ? "a" : "p"}` }));
    }
    return line;
  }

  row(row) {
    const line = document.createElement("div");
    line.setAttribute("role", "row");
    const head = Object.assign(document.createElement("span"), { textContent: NAMES[row], className: "hours-day small" });
    head.setAttribute("role", "rowheader");
    line.append(head);
    for (let half = 0; half < HALVES; half += 1) {
      const cell = document.createElement("span");
      cell.setAttribute("role", "gridcell");
      cell.setAttribute("aria-label", `${NAMES[row]} ${clock(half * 30)}`);
      cell.dataset.at = row * HALVES + half;
      cell.tabIndex = -1;
      this.cells.push(cell);
      line.append(cell);
    }
    return line;
  }

  async typed() {
    const { text, week, problem } = await ask(this.input.value).catch(() => ({}));
    this.said.textContent = problem || "";
    this.said.classList.toggle("unsaved", Boolean(problem));
    if (!week) return;
    if (text !== this.input.value) this.put(text);
    this.show(week);
  }

  put(text) {
    this.input.value = text;
    this.input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  show(week) {
    if (!this.table) return;
    this.on.fill(false);
    this.edges.clear();
    DAYS.forEach((day, row) => {
      if (!week[day]) return;
      const [start, end] = week[day].map(minutes);
      const from = row * 1440 + start, to = from + ((end - start + 1440) % 1440 || 1440);
      const first = Math.floor(from / 30), last = Math.ceil(to / 30);
      for (let at = first; at < last; at += 1) this.on[at % WEEK] = true;
      this.edges.set(`start ${first % WEEK}`, start).set(`end ${last % WEEK}`, end);
    });
    this.draw();
  }

  draw() {
    this.cells.forEach((cell, at) => cell.setAttribute("aria-selected", String(this.on[at])));
  }

  // What is painted in words; a stretch longer than a day is one for each day.
  words() {
    if (this.on.every(Boolean)) return "Mon-Sun all day";
    const parts = [], begin = this.on.indexOf(false);
    for (let step = 0; step < WEEK; step += 1) {
      const at = (begin + step) % WEEK;
      if (!this.on[at] || this.on[(at + WEEK - 1) % WEEK]) continue;
      let length = 1;
      while (this.on[(at + length) % WEEK]) length += 1;
      for (let from = at; length > 0; from += HALVES, length -= HALVES) {
        const piece = Math.min(length, HALVES), first = from % WEEK, last = (from + piece) % WEEK;
        const start = from === at ? this.edges.get(`start ${first}`) ?? (first % HALVES) * 30 : (first % HALVES) * 30;
        const end = piece === length ? this.edges.get(`end ${last}`) ?? (last % HALVES) * 30 : (last % HALVES) * 30;
        parts.push([first, `${NAMES[Math.floor(first / HALVES)]} ${clock(start)}-${clock(end)}`]);
      }
    }
    return parts.sort((one, other) => one[0] - other[0]).map((part) => part[1]).join(", ");
  }

  async commit() {
    const words = this.words();
    const { text, problem } = await ask(words).catch(() => ({}));
    this.put(text ?? words);
    this.said.textContent = problem || text || "No hours";
    this.said.classList.toggle("unsaved", Boolean(problem));
  }

  // Everything between two cells, hours across and days down, becomes what the first one became.
  span(from, to, value, before) {
    const [days, halves] = [[from, to].map((at) => Math.floor(at / HALVES)), [from, to].map((at) => at % HALVES)];
    before.forEach((was, at) => {
      const day = Math.floor(at / HALVES), half = at % HALVES;
      const inside = day >= Math.min(...days) && day <= Math.max(...days) && half >= Math.min(...halves) && half <= Math.max(...halves);
      this.on[at] = inside ? value : was;
    });
    this.draw();
  }

  press(event) {
    const cell = event.target.closest("[data-at]");
    if (!cell || event.button) return;
    event.preventDefault();
    const at = Number(cell.dataset.at);
    this.stroke = { from: at, value: !this.on[at], before: [...this.on] };
    this.focus(at);
    this.span(at, at, this.stroke.value, this.stroke.before);
  }

  drag(event) {
    if (!this.stroke) return;
    const cell = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-at]");
    if (cell && this.table.contains(cell)) this.span(this.stroke.from, Number(cell.dataset.at), this.stroke.value, this.stroke.before);
  }

  release() {
    if (this.stroke) this.commit();
    this.stroke = undefined;
  }

  key(event) {
    const at = Number(event.target.dataset?.at);
    if (Number.isNaN(at)) return;
    const [half, day] = narrow.matches ? ["ArrowDown ArrowUp", "ArrowRight ArrowLeft"] : ["ArrowRight ArrowLeft", "ArrowDown ArrowUp"];
    const step = { [half.split(" ")[0]]: 1, [half.split(" ")[1]]: -1, [day.split(" ")[0]]: HALVES, [day.split(" ")[1]]: -HALVES }[event.key];
    if (step) {
      event.preventDefault();
      const to = at + step;
      if (to < 0 || to >= WEEK) return;
      if (event.shiftKey) this.span(to, to, this.painting ?? this.on[at], [...this.on]);
      this.focus(to);
      if (event.shiftKey) this.commit();
    } else if (event.key === " ") {
      event.preventDefault();
      this.painting = !this.on[at];
      this.span(at, at, this.painting, [...this.on]);
      this.commit();
    }
  }

  focus(at) {
    this.cells.find((cell) => cell.tabIndex === 0).tabIndex = -1;
    this.cells[at].tabIndex = 0;
    this.cells[at].focus();
  }
}

document.querySelectorAll("input[data-hours]").forEach((input) => new Grid(input));
