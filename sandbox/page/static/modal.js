// Shows a bot's modal, checks what Discord's client checks, and hands the values over.
import { TYPE, selectOptions } from "./components.js";
import { openDialog } from "./dialogs.js";
import { freshId, h } from "./dom.js";
import { fileField } from "./files.js";
import { select } from "./listbox.js";
import { markdown } from "./markdown.js";

const SELECTS = [3, 5, 6, 7, 8];

/**
 * @param {{title: string, components: object[]}} modal
 * @param {{names: object, people: object, submit: (values: Object, files: Object) =>
 *   Promise<string|null>}} context `submit` answers null, or the sentence to show in the modal
 */
export function showModal(modal, { names, people, submit }) {
  const fields = [];
  const draw = (part, label, description) => drawPart(part, { label, description, names, people, fields });
  const note = h("p", { class: "failure", role: "alert", hidden: true });
  const send = h("button", { type: "submit", class: "button primary", text: "Submit" });
  const form = h("form", { class: "modal-form", novalidate: true },
    h("h2", { text: modal.title }),
    ...modal.components.flatMap((part) => draw(part)),
    note,
    h("div", { class: "modal-actions" },
      h("button", { type: "button", class: "button secondary", text: "Cancel",
        on: { click: () => dialog.close() } }),
      send));
  const dialog = openDialog("modal", modal.title, form);

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const wrong = fields.filter((field) => !field.check());
    if (wrong.length) {
      wrong[0].focus();
      return;
    }
    send.disabled = true;
    note.hidden = true;
    const values = {};
    const files = {};
    for (const field of fields) {
      if (field.files) files[field.customId] = field.files();
      else values[field.customId] = field.value();
    }
    const problem = await submit(values, files);
    send.disabled = false;
    if (problem) {
      note.textContent = problem;
      note.hidden = false;
    } else dialog.close();
  });
  (form.querySelector("textarea, input:not([type=file]), .select") ?? send).focus();
}

function drawPart(part, context) {
  if (part.type === TYPE.row) return part.components.flatMap((child) => drawPart(child, context));
  if (part.type === TYPE.label) {
    const { label, description } = part;
    return drawPart(part.component, { ...context, label, description });
  }
  if (part.type === TYPE.text) return [h("div", { class: "md" }, markdown(part.content, context.names))];
  const make = maker(part.type);
  if (!make) return [h("p", { class: "subtext", text: `A field of type ${part.type}, not shown here` })];
  const label = context.label ?? part.label ?? "Value";
  const made = make(part, { ...context, label });
  return [frame(part, made, { label, description: context.description, fields: context.fields })];
}

function maker(type) {
  if (type === TYPE.textInput) return textField;
  if (SELECTS.includes(type)) return selectField;
  if (type === TYPE.fileUpload) return uploadField;
  if (type === TYPE.radioGroup || type === TYPE.checkboxGroup) return groupField;
  return type === TYPE.checkbox ? checkboxField : null;
}

/** Label, description, field and complaint around one control; registers it with the form. */
function frame(part, made, { label, description, fields }) {
  const problem = h("p", { class: "failure", id: freshId("problem"), role: "alert", hidden: true });
  const required = part.required ?? part.type !== TYPE.checkbox;
  const controlId = made.control.id || (made.control.id = freshId("field"));
  const notes = h("p", { class: "field-description", id: freshId("about"), text: description ?? "" });
  made.control.setAttribute("aria-describedby", `${notes.id} ${problem.id}`);
  fields.push({
    customId: part.custom_id,
    value: made.value,
    files: made.files,
    focus: () => made.control.focus(),
    check() {
      const complaint = made.complain(required);
      problem.textContent = complaint ?? "";
      problem.hidden = !complaint;
      made.control.setAttribute("aria-invalid", String(Boolean(complaint)));
      return !complaint;
    },
  });
  const mark = required && !made.inline
    ? h("span", { class: "required", "aria-hidden": "true", text: " *" }) : null;
  const caption = made.group || made.inline
    ? h("p", { class: "field-label" }, made.group ? label : null, made.group && mark)
    : h("label", { class: "field-label", for: controlId }, label, mark);
  return h("div", { class: "field" }, caption, notes, made.element, problem);
}

function textField(part, { label }) {
  const control = h(part.style === 2 ? "textarea" : "input", {
    class: "text-input", "aria-label": label, placeholder: part.placeholder,
    rows: part.style === 2 ? 4 : null, type: part.style === 2 ? null : "text",
    maxlength: part.max_length ?? 4000, "aria-required": String(part.required ?? true),
    autocomplete: "off",
  });
  control.value = part.value ?? "";
  return {
    control, element: control, value: () => control.value,
    complain(required) {
      const { length } = control.value;
      if (!length) return required ? "This is required." : null;
      if (part.min_length && length < part.min_length) {
        return `At least ${part.min_length} characters, please.`;
      }
      return null;
    },
  };
}

function selectField(part, { label, people }) {
  const made = select({
    label, placeholder: part.placeholder, options: selectOptions(part, people),
    min: 0, max: part.max_values ?? 1, customId: part.custom_id,
  }, () => {});
  return {
    control: made.anchor, element: made.element, value: made.values,
    complain: (required) => complainCount(made.values().length, part, required),
  };
}

function complainCount(count, part, required) {
  if (!count) return required && (part.min_values ?? 1) > 0 ? "Please choose." : null;
  const least = part.min_values ?? 1;
  if (count < least) return `Choose at least ${least}.`;
  return part.max_values && count > part.max_values ? `Choose at most ${part.max_values}.` : null;
}

function uploadField(part, { label }) {
  const made = fileField({ label, max: part.max_values ?? 1 });
  return {
    control: made.element.querySelector("input"), element: made.element, value: () => null,
    files: made.files,
    complain: (required) => complainCount(made.files().length, part, required),
  };
}

function groupField(part, { label }) {
  const single = part.type === TYPE.radioGroup;
  const name = freshId("group");
  const boxes = (part.options ?? []).map((option) => ({
    option,
    input: h("input", { type: single ? "radio" : "checkbox", name, checked: option.default,
      value: option.value }),
  }));
  const control = h("div", { class: "choice-group", role: single ? "radiogroup" : "group",
    "aria-label": label, tabindex: "-1" },
  ...boxes.map(({ option, input }) => h("label", { class: "choice" }, input, h("span", {},
    option.label, option.description && h("small", { text: option.description })))));
  const values = () => boxes.filter(({ input }) => input.checked).map(({ option }) => option.value);
  return {
    control, element: control, group: true,
    value: () => (single ? values()[0] ?? null : values()),
    complain: (required) => complainCount(values().length, single ? {} : part, required),
  };
}

function checkboxField(part, { label }) {
  const control = h("input", { type: "checkbox", checked: part.default });
  return {
    control, element: h("label", { class: "choice" }, control, h("span", { text: label })),
    inline: true, value: () => control.checked, complain: () => null,
  };
}
