// A drop-down list that the keyboard, a finger and a screen reader can use: for selects in messages
// and modals, and for the lists that complete what one types.
import { freshId, h } from "./dom.js";

/**
 * A popup list under `anchor` (the element that keeps the focus and carries role=combobox).
 * `onPick(item)` is called with the chosen item of `show(items)`.
 * Items: `{label, description?, value, selected?, disabled?, hint?}`.
 */
export class Listbox {
  constructor(anchor, { label, onPick, multiple = false }) {
    this.anchor = anchor;
    this.onPick = onPick;
    this.items = [];
    this.active = -1;
    this.element = h("ul", {
      class: "listbox",
      role: "listbox",
      id: freshId("list"),
      "aria-label": label,
      "aria-multiselectable": multiple ? "true" : null,
      hidden: true,
    });
    this.status = h("div", { class: "listbox-status", role: "status", hidden: true });
    anchor.setAttribute("aria-haspopup", "listbox");
    anchor.setAttribute("aria-expanded", "false");
    anchor.setAttribute("aria-controls", this.element.id);
    // Keep the focus (and the phone's keyboard) where it is while a row is pressed.
    this.element.addEventListener("mousedown", (event) => event.preventDefault());
  }

  get open() {
    return !this.element.hidden;
  }

  /** Fill and open the list; `active` is the row that Enter takes (-1: none yet). */
  show(items, active = -1) {
    this.items = items;
    this.status.hidden = true;
    this.element.replaceChildren(...items.map((item, index) => this.#row(item, index)));
    this.element.hidden = items.length === 0;
    this.anchor.setAttribute("aria-expanded", String(this.open));
    this.setActive(items.length ? Math.min(active, items.length - 1) : -1);
  }

  /** Say something ("Loading…", "Nothing matches") instead of a list. */
  say(text) {
    this.hide();
    this.status.textContent = text;
    this.status.hidden = false;
  }

  hide() {
    this.element.hidden = true;
    this.status.hidden = true;
    this.setActive(-1);
    this.anchor.setAttribute("aria-expanded", "false");
  }

  setActive(index) {
    this.active = index;
    const rows = this.element.children;
    for (let i = 0; i < rows.length; i += 1) rows[i].classList.toggle("active", i === index);
    if (index >= 0 && rows[index]) {
      this.anchor.setAttribute("aria-activedescendant", rows[index].id);
      rows[index].scrollIntoView({ block: "nearest" });
    } else this.anchor.removeAttribute("aria-activedescendant");
  }

  /** Handle arrows, Home, End, Enter, Tab and Escape while open; true if the key was used. */
  onKey(event) {
    if (!this.open || event.isComposing) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      const count = this.items.length;
      const from = this.active < 0 && step < 0 ? 0 : this.active;
      this.setActive((from + step + count) % count);
    } else if ((event.key === "Enter" || event.key === "Tab") && this.active >= 0) {
      if (event.shiftKey) return false;
      this.#pick(this.active);
    } else if (event.key === "Escape") this.hide();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  #pick(index) {
    const item = this.items[index];
    if (item && !item.disabled) this.onPick(item);
  }

  #row(item, index) {
    return h(
      "li",
      {
        role: "option",
        id: freshId("option"),
        class: item.disabled ? "disabled" : "",
        "aria-selected": String(Boolean(item.selected)),
        "aria-disabled": item.disabled ? "true" : null,
        on: { click: () => this.#pick(index) },
      },
      h("span", { class: "option-label", text: item.label }),
      item.description && h("span", { class: "option-description", text: item.description }),
      item.hint && h("span", { class: "option-hint", text: item.hint }),
    );
  }
}

/** Open upwards where there is too little room below and more above. */
function turnUp(anchor, list) {
  const frame = anchor.closest("dialog, .log")?.getBoundingClientRect();
  if (!frame) return;
  const place = anchor.getBoundingClientRect();
  const below = Math.min(frame.bottom, innerHeight) - place.bottom;
  const above = place.top - Math.max(frame.top, 0);
  list.classList.toggle("up", below < list.offsetHeight + 8 && above > below);
}

/**
 * A select as Discord has it, for one or several values.
 *
 * @param {{label: string, placeholder?: string, options: Array<{label, value, description?,
 *   default?: boolean, emoji?: {name: string}}>, min?: number, max?: number, disabled?: boolean,
 *   customId?: string}} spec
 * @param {(values: string[]) => void} onChange called once the choice is made
 * @returns {{element: HTMLElement, values: () => string[], anchor: HTMLElement}}
 */
export function select(spec, onChange) {
  const { options, min = 1, max = 1 } = spec;
  let chosen = options.filter((option) => option.default).map((option) => option.value);
  let announced = chosen.join("\n");
  const shown = h("span", { class: "select-value" });
  const anchor = h(
    "button",
    {
      type: "button",
      class: "select",
      role: "combobox",
      "aria-label": spec.label,
      disabled: spec.disabled,
      "data-custom-id": spec.customId,
    },
    shown,
    h("span", { class: "select-arrow", "aria-hidden": "true", text: "▾" }),
  );
  const list = new Listbox(anchor, { label: spec.label, onPick: pick, multiple: max > 1 });

  function draw() {
    const labels = options.filter((o) => chosen.includes(o.value)).map((o) => o.label);
    shown.textContent = labels.join(", ") || spec.placeholder || "Make a selection";
    anchor.classList.toggle("empty", labels.length === 0);
  }

  function rows() {
    return options.map((option) => ({
      ...option,
      label: option.emoji?.name ? `${option.emoji.name} ${option.label}` : option.label,
      selected: chosen.includes(option.value),
      disabled: max > 1 && chosen.length >= max && !chosen.includes(option.value),
    }));
  }

  function pick(option) {
    if (max > 1) {
      const had = chosen.includes(option.value);
      chosen = had ? chosen.filter((v) => v !== option.value) : [...chosen, option.value];
      draw();
      list.show(rows(), list.active);
      return;
    }
    const again = chosen[0] === option.value;
    chosen = again && min === 0 ? [] : [option.value];
    draw();
    close();
  }

  function close() {
    if (!list.open) return;
    list.hide();
    const now = chosen.join("\n");
    if (now === announced || chosen.length < min) return;
    announced = now;
    onChange([...chosen]);
  }

  anchor.addEventListener("click", () => {
    if (list.open) {
      close();
      return;
    }
    list.element.classList.remove("up");
    list.show(rows(), Math.max(0, options.findIndex((o) => chosen.includes(o.value))));
    turnUp(anchor, list.element);
  });
  anchor.addEventListener("blur", close);
  anchor.addEventListener("keydown", (event) => {
    if (list.open && event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (list.open && event.key === "Tab") close();
    else if (list.onKey(event)) return;
    else if (!list.open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      anchor.click();
    }
  });
  draw();
  return {
    element: h("div", { class: "select-box" }, anchor, list.element),
    values: () => [...chosen],
    anchor,
  };
}
