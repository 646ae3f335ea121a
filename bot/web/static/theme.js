// Dark and light: as the system is set, or as the switch says, which this browser remembers.

const KEY = "easel-theme";
const SYSTEM = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;
const changed = new Set();

function current() {
  return root.dataset.theme ?? (SYSTEM.matches ? "dark" : "light");
}

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage is switched off: then the choice lasts as long as the page
  }
}

function turn() {
  root.dataset.theme = current() === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(KEY, root.dataset.theme);
  } catch {
    // See above.
  }
  for (const tell of changed) tell();
}

/** Call `tell` when the colours have changed. */
export function followTheme(tell) {
  changed.add(tell);
  SYSTEM.addEventListener("change", tell);
}

const chosen = remembered();
if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
document.getElementById("theme").addEventListener("click", turn);
