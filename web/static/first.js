// On a wide screen the first item is open as soon as the inbox is: it is read, which is written down, and nothing else.
// Whoever comes back from a case by its own way back has wanted the list, and keeps it.

const first = document.querySelector(".list .row");
const wanted = new URLSearchParams(location.search).has("stay") || document.querySelector(".toasts, .problem");
if (first && !wanted && matchMedia("(min-width: 1180px)").matches) location.replace(first.href);
