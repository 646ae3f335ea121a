// Keyboard shortcuts. None of them acts while somebody writes, or while a dialog is open.

const MAC = /mac|iphone|ipad/i.test(navigator.userAgentData?.platform ?? navigator.platform ?? "");
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Call `actions` by key: their names are those of the keys, with "Mod+" for Ctrl or Command. */
export function listen(actions, { arrow, space, ready }) {
  document.addEventListener("keydown", (event) => {
    if (!ready() || event.isComposing) return;
    const mod = MAC ? event.metaKey : event.ctrlKey;
    const name = `${mod ? "Mod+" : ""}${mod && event.shiftKey ? "Shift+" : ""}${event.key.length === 1 ? event.key.toLowerCase() : event.key}`;
    if (name === "Mod+Enter") {
      event.preventDefault();
      actions[name]();
      return;
    }
    // Where brackets have no key of their own, Macs make them with Option.
    if (writes(event.target) || (event.altKey && !(MAC && event.key.length === 1))) return;
    if (event.key === " " && !presses(event.target)) {
      event.preventDefault();
      if (!event.repeat) space(true);
    } else if (event.key in ARROWS && !hasArrows(event.target)) {
      event.preventDefault();
      arrow(...ARROWS[event.key]);
    } else if (actions[name]) {
      event.preventDefault();
      actions[name]();
    }
  });
  document.addEventListener("keyup", (event) => {
    if (event.key === " ") space(false);
  });
  window.addEventListener("blur", () => space(false));
}

/** On a Mac, keys have other names. */
export function nameKeys() {
  if (!MAC) return;
  for (const key of document.querySelectorAll("kbd")) {
    if (key.textContent === "Ctrl") key.textContent = "⌘";
    if (key.textContent === "Alt") key.textContent = "⌥";
  }
  for (const button of document.querySelectorAll("[data-key]")) {
    button.dataset.key = button.dataset.key.replace("Ctrl", "⌘");
  }
  for (const button of document.querySelectorAll("[aria-keyshortcuts]")) {
    const keys = button.getAttribute("aria-keyshortcuts");
    button.setAttribute("aria-keyshortcuts", keys.replace("Control", "Meta"));
  }
}

function writes(target) {
  return target.matches?.("textarea, select, input:not([type=range])");
}

/** Space presses buttons and opens lists: there it does nothing else. */
function presses(target) {
  return target.matches?.("button, a, summary, input");
}

/** Arrows set sliders, and scroll the form. */
function hasArrows(target) {
  return target.closest?.("input, .panel");
}
