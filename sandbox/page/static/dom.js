// Builds elements. The only way this page makes HTML: text always becomes a text node, so nothing
// that a person or a bot wrote is ever parsed as markup.

/**
 * @param {string} tag
 * @param {Object<string, unknown>} [props] `class`, `text`, `on` (event -> listener), `style`
 *   (custom property -> value), `data`; anything else is an attribute (true: empty, false and
 *   null: left out).
 * @param {...(Node|string|null|undefined|false)} children
 * @returns {HTMLElement}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) setProp(element, name, value);
  element.append(...children.flat().filter((child) => child || child === 0));
  return element;
}

function setProp(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "class") element.className = value;
  else if (name === "text") element.textContent = value;
  else if (name === "data") Object.assign(element.dataset, value);
  else if (name === "style") {
    for (const [key, entry] of Object.entries(value)) element.style.setProperty(key, entry);
  } else if (name === "on") {
    for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
  } else element.setAttribute(name, value === true ? "" : String(value));
}

let lastId = 0;

/** An id that no other element has, for labels and `aria-controls`. */
export function freshId(prefix) {
  lastId += 1;
  return `${prefix}-${lastId}`;
}

/** The link target if it is an absolute http or https address, else null. */
export function safeUrl(text) {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

const JUMP = /^https:\/\/(?:\w+\.)?discord(?:app)?\.com\/channels\/(?:\d+|@me)\/(\d+)(?:\/(\d+))?\/?$/;

/**
 * A link that opens elsewhere and tells the other side nothing; plain text if it is unsafe. Links to
 * Discord's own messages lead to the sandbox's (`data-channel`, `data-message`).
 */
export function link(target, ...children) {
  const href = safeUrl(target);
  if (!href) return h("span", {}, ...children);
  const [, channel, message = ""] = JUMP.exec(href) ?? [];
  if (channel) return h("a", { href, data: { channel, message } }, ...children);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer", title: href }, ...children);
}

/** `12.3 kB` for a number of bytes. */
export function formatBytes(bytes) {
  const units = ["bytes", "kB", "MB", "GB"];
  let value = Number(bytes) || 0;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
