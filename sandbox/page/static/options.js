// One field for each option of a slash command: what it takes, how it is completed, what is wrong.
import { freshId, h } from "./dom.js";
import { fileField } from "./files.js";
import { Listbox } from "./listbox.js";

const KIND = {
  string: 3, integer: 4, boolean: 5, user: 6, channel: 7, role: 8, mentionable: 9, number: 10,
  attachment: 11,
};
const TYPING_PAUSE_MS = 200;

/**
 * @typedef {object} Surroundings
 * @property {HTMLElement} popups where lists open
 * @property {object} people users, roles and channels of this place
 * @property {(name: string, typed: string) => Promise<Array<{name, value}>>} complete
 * @property {() => void} run
 * @property {(option: object|null, field: object|null) => void} focused
 * @property {(field: object) => void} picked
 * @property {(field: object) => void} remove
 */

/**
 * @param {object} option as Discord describes it
 * @param {Surroundings} around
 * @returns {{option, element, value: () => unknown, files?: () => File[], complain: () =>
 *   string|null, focus: () => void, close: () => void}}
 */
export function optionField(option, around) {
  const made = option.type === KIND.attachment ? attachment(option) : typed(option, around);
  const problem = h("p", { class: "failure", role: "alert", id: freshId("problem"), hidden: true });
  const field = { ...made, option, element: null };
  const label = h("label", { class: "option-name", for: made.control.id, text: option.name });
  field.element = h("div", {
    class: `option-field${option.type === KIND.attachment ? " is-file" : ""}`,
  }, label, made.element,
  option.required ? null : h("button", {
    type: "button", class: "icon-button", "aria-label": `Remove option ${option.name}`, text: "✕",
    on: { click: () => around.remove(field) },
  }), problem);
  made.control.setAttribute("aria-describedby", problem.id);
  field.element.addEventListener("focusin", () => around.focused(option, field));
  field.complain = () => {
    const complaint = made.complain();
    problem.textContent = complaint ?? "";
    problem.hidden = !complaint;
    made.control.setAttribute("aria-invalid", String(Boolean(complaint)));
    return complaint;
  };
  made.whenPicked?.(() => around.picked(field));
  return field;
}

function attachment(option) {
  const made = fileField({ label: option.name, max: 1 });
  return {
    ...made,
    control: made.element.querySelector("input"),
    value: () => (made.files().length ? option.name : undefined),
    complain: () =>
      option.required && !made.files().length ? "This option is required: choose a file." : null,
    close() {},
  };
}

/** A text field; with choices, people or autocomplete it also has a list. */
function typed(option, around) {
  const source = itemSource(option, around);
  const control = h("textarea", {
    id: freshId("option"), rows: 1, class: `option-input${source ? " has-list" : ""}`, "aria-label": option.name,
    spellcheck: source ? "false" : "true", autocomplete: "off", maxlength: option.max_length ?? 6000,
    "aria-required": option.required ? "true" : null, enterkeyhint: "send",
  });
  let picked = null;
  let onPicked = () => {};
  const list = source && completion(control, { option, source, around, pick });

  function pick(item) {
    picked = item;
    control.value = item.label;
    list.hide();
    onPicked();
  }

  control.addEventListener("input", () => {
    picked = null;
    grow(control);
  });
  control.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      around.run();
    }
  });
  return {
    control,
    element: control,
    whenPicked: (listener) => { onPicked = listener; },
    value: () => readValue(option, picked, control.value, source),
    complain: () => complain(option, { picked, text: control.value, source }),
    focus: () => control.focus(),
    close: () => list?.dispose(),
  };
}

/** Make a text area as high as its text, where CSS alone cannot. */
export function grow(control) {
  if (CSS.supports("field-sizing", "content")) return;
  control.style.height = "auto";
  control.style.height = `${control.scrollHeight}px`;
}

/** Where the rows of a field come from: null for plain text. */
function itemSource(option, around) {
  const matching = (rows) => ({
    local: true,
    find: async (text) => {
      const wanted = text.trim().toLowerCase();
      return rows.filter((row) => row.label.toLowerCase().includes(wanted)).slice(0, 25);
    },
    exact: (text) => rows.find((row) => row.label.toLowerCase() === text.trim().toLowerCase()),
  });
  const named = (list, sign) => list.map(({ id, name }) => ({ value: id, label: `${sign}${name}` }));
  if (option.choices?.length) {
    return matching(option.choices.map(({ name, value }) => ({ label: name, value })));
  }
  if (option.autocomplete) {
    return {
      local: false,
      exact: () => undefined,
      find: async (text) =>
        (await around.complete(option.name, text)).map(({ name, value }) => ({ label: name, value })),
    };
  }
  const { people } = around;
  if (option.type === KIND.boolean) {
    return matching([{ label: "True", value: true }, { label: "False", value: false }]);
  }
  if (option.type === KIND.user) return matching(named(people.users, "@"));
  if (option.type === KIND.channel) return matching(named(people.channels, "#"));
  if (option.type === KIND.role) return matching(named(people.roles, "@"));
  if (option.type === KIND.mentionable) {
    return matching([...named(people.users, "@"), ...named(people.roles, "@")]);
  }
  return null;
}

/** Keep a list under a field up to date while the person types; the newest answer wins. */
function completion(control, { option, source, around, pick }) {
  const list = new Listbox(control, { label: `Suggestions for ${option.name}`, onPick: pick });
  control.setAttribute("role", "combobox");
  control.setAttribute("aria-autocomplete", "list");
  around.popups.append(list.element, list.status);
  let asked = 0;
  let timer = 0;

  async function look() {
    asked += 1;
    const mine = asked;
    const text = control.value;
    if (!source.local && !list.open) list.say("Loading options…");
    let items;
    try {
      items = await source.find(text);
    } catch {
      if (mine === asked) list.say("Loading options failed");
      return;
    }
    if (mine !== asked || document.activeElement !== control) return;
    if (items.length) list.show(items, source.local || text ? 0 : -1);
    else list.say("No options match your search");
  }

  const stop = () => {
    clearTimeout(timer);
    asked += 1;
    list.hide();
  };
  control.addEventListener("input", () => {
    clearTimeout(timer);
    asked += 1;
    timer = setTimeout(look, source.local ? 0 : TYPING_PAUSE_MS);
  });
  control.addEventListener("focus", look);
  control.addEventListener("blur", stop);
  control.addEventListener("keydown", (event) => {
    if (!list.open && event.key === "ArrowDown") look();
    else list.onKey(event);
  });
  return {
    hide: stop,
    dispose() {
      stop();
      list.element.remove();
      list.status.remove();
    },
  };
}

function readValue(option, picked, text, source) {
  if (picked) return picked.value;
  if (!text) return undefined;
  const exact = source?.exact(text);
  if (exact) return exact.value;
  if (option.type === KIND.integer || option.type === KIND.number) {
    const number = Number(text);
    return Number.isFinite(number) && text.trim() ? number : text;
  }
  return text;
}

function complain(option, { picked, text, source }) {
  if (!picked && !text.trim()) {
    return option.required ? "This option is required." : null;
  }
  if (picked) return null;
  if (source?.local && !source.exact(text)) return "Please pick one of the list.";
  if (option.type === KIND.integer || option.type === KIND.number) return complainNumber(option, text);
  if (option.min_length && text.length < option.min_length) {
    return `At least ${option.min_length} characters, please.`;
  }
  return null;
}

function complainNumber(option, text) {
  const number = Number(text);
  if (!Number.isFinite(number)) return "This must be a number.";
  if (option.type === KIND.integer && !Number.isInteger(number)) return "This must be a whole number.";
  if (number < (option.min_value ?? -Infinity)) return `At least ${option.min_value}, please.`;
  if (number > (option.max_value ?? Infinity)) return `At most ${option.max_value}, please.`;
  return null;
}
