// Chooses files: by button, by dropping them, by pasting. Used by attachment options and modals.
import { formatBytes, freshId, h } from "./dom.js";

/**
 * A place for up to `max` files.
 *
 * @returns {{element: HTMLElement, files: () => File[], add: (files: File[]) => number,
 *   focus: () => void}} `add` takes what fits and says how many it took
 */
export function fileField({ label, max = 1, onChange = () => {} }) {
  let chosen = [];
  let addresses = [];
  const id = freshId("file");
  const list = h("ul", { class: "chosen-files" });
  const input = h("input", {
    type: "file", id, class: "visually-hidden", "aria-label": label, multiple: max > 1,
    on: { change: () => { add([...input.files]); input.value = ""; } },
  });
  const hint = h("span", { class: "drop-hint", text: max > 1 ? "or drop files here" : "or drop a file here" });
  const element = h("div", { class: "file-field" }, list, input,
    h("label", { for: id, class: "button secondary", text: max > 1 ? "Choose files" : "Choose a file" }),
    hint);

  element.addEventListener("dragover", (event) => {
    event.preventDefault();
    element.classList.add("over");
  });
  element.addEventListener("dragleave", () => element.classList.remove("over"));
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    element.classList.remove("over");
    add([...event.dataTransfer.files]);
  });

  function add(files) {
    const room = max === 1 ? 1 : max - chosen.length;
    const taken = files.slice(0, room);
    if (!taken.length) return 0;
    chosen = max === 1 ? taken : [...chosen, ...taken];
    draw();
    onChange(chosen);
    return taken.length;
  }

  function remove(index) {
    chosen = chosen.filter((_, i) => i !== index);
    draw();
    onChange(chosen);
    input.focus();
  }

  function draw() {
    addresses.forEach((address) => URL.revokeObjectURL(address));
    addresses = [];
    list.replaceChildren(...chosen.map((file, index) => h("li", {},
      preview(file),
      h("span", { class: "file-name", text: file.name }),
      h("span", { class: "file-size", text: formatBytes(file.size) }),
      h("button", { type: "button", class: "icon-button", "aria-label": `Remove ${file.name}`, text: "✕",
        on: { click: () => remove(index) } }))));
    hint.hidden = chosen.length > 0;
  }

  function preview(file) {
    if (!/^image\/(png|jpeg|gif|webp)$/.test(file.type)) return null;
    const address = URL.createObjectURL(file);
    addresses.push(address);
    return h("img", { src: address, alt: "", class: "file-preview" });
  }

  return { element, files: () => [...chosen], add, focus: () => input.focus() };
}
