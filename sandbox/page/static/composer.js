// The line at the bottom: plain messages, and slash commands with their options.
import { freshId, h } from "./dom.js";
import { fileField } from "./files.js";
import { Listbox } from "./listbox.js";
import { grow, optionField } from "./options.js";

const SLASH = 1;
const ATTACHMENT = 11;

/**
 * @typedef {object} Outside what the composer asks of the page
 * @property {() => object[]} commands those that this person may use here
 * @property {() => object} people users, roles and channels of this place
 * @property {() => string} place what the channel is called
 * @property {(name, options, focused) => Promise<object[]>} complete
 * @property {(command, options, files) => void} run
 * @property {(text: string, files: File[]) => Promise<boolean>} say
 */
export class Composer {
  /** @param {HTMLElement} root @param {Outside} outside */
  constructor(root, outside) {
    this.root = root;
    this.outside = outside;
    this.command = null;
    this.fields = [];
    this.popups = h("div", { class: "popups" });
    this.#reset();
  }

  /** Start afresh: another person, another channel. */
  clear() {
    this.#reset();
  }

  /** The place's name or commands are new; what is being written stays. */
  refresh() {
    if (this.command) return;
    const label = `Message ${this.outside.place()}`;
    this.line.setAttribute("aria-label", label);
    this.line.placeholder = `${label} · / for commands`;
    if (document.activeElement === this.line && this.line.value) this.#typed();
  }

  /** Files that were dropped or pasted: into an attachment option, else beside a plain message. */
  addFiles(files) {
    let left = files;
    if (!this.command) {
      this.tray.element.hidden = false;
      this.tray.add(left);
      return;
    }
    for (const option of this.command.options.filter((o) => o.type === ATTACHMENT)) {
      if (!left.length) return;
      let field = this.fields.find((one) => one.option.name === option.name);
      if (field?.files().length) continue;
      field ??= this.#add(option);
      field.add(left.slice(0, 1));
      left = left.slice(1);
    }
    this.#help(left.length ? "This command takes no more files." : "");
  }

  #reset() {
    this.fields.forEach((field) => field.close());
    this.command = null;
    this.fields = [];
    this.popups.replaceChildren();
    this.line = h("textarea", {
      class: "line", rows: 1, role: "combobox", maxlength: 4000, autocomplete: "off",
      enterkeyhint: "send",
    });
    this.tray = fileField({ label: "Files for this message", max: 10 });
    this.tray.element.hidden = true;
    this.list = new Listbox(this.line, {
      label: "Commands", onPick: (item) => this.#begin(item.command),
    });
    this.popups.append(this.list.element, this.list.status);
    this.line.addEventListener("input", () => this.#typed());
    this.line.addEventListener("blur", () => this.list.hide());
    this.line.addEventListener("keydown", (event) => this.#lineKey(event));
    const attach = h("button", {
      type: "button", class: "icon-button", "aria-label": "Add files", text: "+",
      on: { click: () => { this.tray.element.hidden = !this.tray.element.hidden; } },
    });
    this.root.replaceChildren(this.popups, this.tray.element,
      h("div", { class: "composer-row" }, attach, this.line));
    this.refresh();
  }

  #typed() {
    grow(this.line);
    const text = this.line.value;
    if (!text.startsWith("/")) {
      this.list.hide();
      return;
    }
    const commands = this.outside.commands().filter((command) => command.type === SLASH);
    const wanted = text.slice(1).toLowerCase();
    const exact = text.endsWith(" ") && commands.find((c) => `${c.name} ` === wanted);
    if (exact) {
      this.#begin(exact);
      return;
    }
    const found = commands
      .filter((command) => command.name.includes(wanted.trim()))
      .sort((a, b) => Number(b.name.startsWith(wanted)) - Number(a.name.startsWith(wanted)));
    if (!found.length) {
      this.list.say(commands.length ? "No command has that name" : "No commands here yet");
      return;
    }
    this.list.show(found.map((command) => ({
      command, label: `/${command.name}`, description: command.description,
      hint: command.options.filter((o) => o.required).map((o) => o.name).join(" "),
    })), 0);
  }

  async #lineKey(event) {
    if (this.list.onKey(event) || event.isComposing) return;
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    const files = this.tray.files();
    const text = this.line.value;
    if (text.startsWith("/") || (!text.trim() && !files.length)) return;
    const { line } = this;
    if (await this.outside.say(text, files) && this.line === line) {
      this.#reset();
      this.line.focus();
    }
  }

  #begin(command) {
    this.list.hide();
    this.command = command;
    this.popups.replaceChildren();
    this.help = h("p", { class: "option-help", role: "status", hidden: true });
    this.slots = h("div", { class: "option-fields" });
    this.more = h("div", { class: "more-options", role: "group", "aria-label": "More options" });
    this.form = h("form", {
      class: "command-form", "aria-label": `Command /${command.name}`, novalidate: true, id: freshId("form"),
      on: {
        submit: (event) => { event.preventDefault(); this.#run(); },
        keydown: (event) => {
          if (event.key !== "Escape" || event.defaultPrevented) return;
          event.preventDefault();
          this.#cancel();
        },
      },
    },
    h("div", { class: "command-head" },
      h("span", { class: "command-name", text: `/${command.name}` }),
      h("span", { class: "command-description", text: command.description }),
      h("button", { type: "button", class: "icon-button", "aria-label": "Cancel command", text: "✕",
        on: { click: () => this.#cancel() } })),
    this.slots,
    h("div", { class: "command-foot" }, this.more,
      h("button", { type: "submit", class: "button primary run", text: "Run" })));
    this.root.replaceChildren(this.popups, this.help, this.form);
    for (const option of command.options.filter((o) => o.required)) this.#add(option);
    this.#drawMore();
    (this.fields[0] ?? { focus: () => this.form.querySelector(".run").focus() }).focus();
  }

  #cancel() {
    this.#reset();
    this.line.focus();
  }

  #add(option) {
    const field = optionField(option, {
      popups: this.popups,
      people: this.outside.people(),
      complete: (name, typed) => this.outside.complete(
        this.command.name, { ...this.#values({ files: false }), [name]: typed }, name),
      run: () => this.#run(),
      focused: (shown) => this.#help(shown.description),
      picked: () => this.#nextRequired(),
      remove: (gone) => this.#remove(gone),
    });
    this.fields.push(field);
    this.slots.append(field.element);
    this.#drawMore();
    return field;
  }

  #remove(field) {
    field.close();
    field.element.remove();
    this.fields = this.fields.filter((one) => one !== field);
    this.#drawMore();
    (this.fields.at(-1) ?? { focus: () => this.more.querySelector("button")?.focus() }).focus();
  }

  #drawMore() {
    const used = new Set(this.fields.map((field) => field.option.name));
    this.more.replaceChildren(...this.command.options
      .filter((option) => !used.has(option.name))
      .map((option) => h("button", {
        type: "button", class: "chip", title: option.description,
        "aria-label": `Add option ${option.name}`, text: `+ ${option.name}`,
        on: { click: () => this.#add(option).focus() },
      })));
  }

  #nextRequired() {
    const empty = this.fields.find((field) => field.option.required && field.value() === undefined);
    empty?.focus();
  }

  #help(text) {
    this.help.textContent = text ?? "";
    this.help.hidden = !text;
  }

  #values({ files = true } = {}) {
    const values = {};
    for (const field of this.fields.filter((one) => files || !one.files)) {
      const value = field.value();
      if (value !== undefined) values[field.option.name] = value;
    }
    return values;
  }

  #run() {
    const wrong = this.fields.filter((field) => field.complain());
    if (wrong.length) {
      wrong[0].focus();
      return;
    }
    const files = {};
    for (const field of this.fields) {
      const [file] = field.files?.() ?? [];
      if (file) files[field.option.name] = file;
    }
    const { command } = this;
    const values = this.#values();
    this.#reset();
    this.line.focus();
    this.outside.run(command, values, files);
  }
}
