// Typing a paper form in: points by key, the next question by itself, and the total as it grows. The form works without.

const form = document.querySelector(".grid-form");
const questions = [...form.querySelectorAll("[data-matrix] fieldset")];
const total = form.querySelector("[data-total]");

const chosen = (question) => question.querySelector("input:checked");

function count() {
  const scored = questions.filter((one) => "scored" in one.dataset);
  const values = scored.map(chosen).filter((one) => one && one.value !== "none").map((one) => Number(one.value));
  const open = questions.filter((one) => !chosen(one)).length;
  const points = values.reduce((sum, value) => sum + value, 0);
  const none = questions.filter((one) => chosen(one)?.value === "none").length;
  const rest = open ? `${open} still open` : none ? `${none} without an answer` : "every question is answered";
  total.textContent = `${points} so far, ${rest}`;
  total.hidden = !questions.some(chosen);
}

// Only while a question has the focus, so that no key means two things at once.
function byKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const question = event.target.closest("[data-matrix] fieldset");
  const wanted = question?.querySelector(`input[value="${event.key === "-" ? "none" : CSS.escape(event.key)}"]`);
  if (!wanted || event.key.length !== 1) return;
  event.preventDefault();
  event.stopPropagation();
  wanted.checked = true;
  const next = questions[questions.indexOf(question) + 1];
  const rest = next ? chosen(next) || next.querySelector("input") : form.querySelector("button.main");
  rest.focus();
  count();
}

form.addEventListener("keydown", byKey);
form.addEventListener("change", count);
count();
