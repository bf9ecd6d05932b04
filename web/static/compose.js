// What a browser adds to writing a text: its cost as it is typed. The form works without it.

const GSM = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const GSM_TWICE = "€[]{}\\^~|\f";
const SMART = { "‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " " };

// Count as messaging.wording does; the server counts again and decides.
export function segments(text) {
  const plain = [...text.trim()].map((one) => SMART[one] ?? one).join("");
  const costly = [...new Set([...plain].filter((one) => !GSM.includes(one) && !GSM_TWICE.includes(one)))];
  const sizes = [...plain].map((one) => (costly.length ? one.length : GSM_TWICE.includes(one) ? 2 : 1));
  const [single, part] = costly.length ? [70, 67] : [160, 153];
  const units = sizes.reduce((sum, one) => sum + one, 0);
  if (units <= single) return { parts: units ? 1 : 0, units, room: single, costly };
  let parts = 1;
  let used = 0;
  for (const size of sizes) {
    if (used + size > part) [parts, used] = [parts + 1, 0];
    used += size;
  }
  return { parts, units, room: parts * part, costly };
}

function watchTheCost() {
  const text = document.querySelector("[data-compose] textarea");
  const line = document.querySelector("[data-cost]");
  if (!text || !line) return;
  const before = line.textContent;
  const say = () => {
    const { parts, units, room, costly } = segments(text.value);
    const why = costly.length ? ` (${costly.slice(0, 3).join(" ")} makes it 70 characters each)` : "";
    line.textContent = parts ? `${parts} segment${parts > 1 ? "s" : ""}, ${units} of ${room} characters${why}` : before;
  };
  text.addEventListener("input", say);
  if (text.value) say();
  const form = text.form;
  // One press is one text. The server keeps that promise; this only spares the second request.
  form.addEventListener("submit", () => setTimeout(() => { form.querySelector("button.main").disabled = true; }));
  addEventListener("pageshow", () => { form.querySelector("button.main").disabled = false; });
}

watchTheCost();
