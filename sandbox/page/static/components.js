// Draws Discord's message components: v1 rows and v2 layouts. Knows nothing about where messages come
// from; what a click does is asked of `context.act`.
import { formatBytes, h, link, safeUrl } from "./dom.js";
import { markdown } from "./markdown.js";
import { select } from "./listbox.js";

/**
 * @typedef {object} Context
 * @property {object} names ids to names, for mentions
 * @property {object} people members, roles and channels of this place, for selects
 * @property {object} message the message that is drawn
 * @property {(customId: string, element: HTMLElement) => void} click
 * @property {(customId: string, values: string[], element: HTMLElement) => void} choose
 * @property {(pictures: object[], index: number) => void} enlarge
 */

export const TYPE = {
  row: 1, button: 2, stringSelect: 3, textInput: 4, userSelect: 5, roleSelect: 6,
  mentionableSelect: 7, channelSelect: 8, section: 9, text: 10, thumbnail: 11, gallery: 12,
  file: 13, separator: 14, container: 17, label: 18, fileUpload: 19, radioGroup: 21,
  checkboxGroup: 22, checkbox: 23,
};

const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link", 6: "primary" };

const DRAW = {
  [TYPE.row]: (part, context) =>
    h("div", { class: "row" }, ...drawComponents(part.components, context)),
  [TYPE.button]: drawButton,
  [TYPE.section]: drawSection,
  [TYPE.text]: (part, context) =>
    h("div", { class: "md" }, markdown(part.content, context.names)),
  [TYPE.thumbnail]: (part, context) =>
    h("div", { class: "thumbnail" }, picture(part, context, [part], 0)),
  [TYPE.gallery]: drawGallery,
  [TYPE.file]: drawFile,
  [TYPE.separator]: (part) =>
    h("hr", {
      class: `separator${part.divider === false ? " bare" : ""}${part.spacing === 2 ? " wide" : ""}`,
    }),
  [TYPE.container]: drawContainer,
};
for (const type of [3, 5, 6, 7, 8]) DRAW[type] = drawSelect;

/** @returns {Node[]} */
export function drawComponents(components, context) {
  return (components ?? []).map((part) => {
    const draw = DRAW[part.type];
    return draw
      ? draw(part, context)
      : h("p", { class: "subtext", text: `A component of type ${part.type}, not shown here` });
  });
}

function drawContainer(part, context) {
  const accent = Number.isInteger(part.accent_color) ? color(part.accent_color) : null;
  const box = h(
    "div",
    { class: `container${accent ? " accented" : ""}`, style: accent ? { "--accent": accent } : {} },
    ...drawComponents(part.components, context),
  );
  return part.spoiler ? covered(box) : box;
}

function drawSection(part, context) {
  return h(
    "div",
    { class: "section" },
    h("div", { class: "section-text" }, ...drawComponents(part.components, context)),
    part.accessory && h("div", { class: "accessory" }, ...drawComponents([part.accessory], context)),
  );
}

function drawButton(part, context) {
  const label = [
    part.emoji?.name && !part.emoji.id
      ? h("span", { class: "emoji", "aria-hidden": part.label ? "true" : null, text: part.emoji.name })
      : null,
    part.label && h("span", { text: part.label }),
  ];
  const name = part.label || part.emoji?.name || "Button";
  if (part.style === 5) return drawLinkButton(part, label, name);
  const button = h(
    "button",
    {
      type: "button",
      class: `button ${STYLES[part.style] ?? "secondary"}`,
      disabled: part.disabled,
      "aria-label": part.label ? null : name,
      "data-custom-id": part.custom_id,
      on: { click: () => context.click(part.custom_id, button) },
    },
    ...label,
  );
  return button;
}

function drawLinkButton(part, label, name) {
  const href = part.disabled ? null : safeUrl(part.url);
  if (!href) {
    return h("button", { type: "button", class: "button link", disabled: true, "aria-label": name },
      ...label);
  }
  const anchor = link(href, ...label, h("span", { class: "emoji", "aria-hidden": "true", text: "↗" }));
  anchor.className = "button link";
  return anchor;
}

function drawSelect(part, context) {
  const made = select(
    {
      label: part.placeholder || "Make a selection",
      placeholder: part.placeholder,
      options: selectOptions(part, context.people),
      min: part.min_values ?? 1,
      max: part.max_values ?? 1,
      disabled: part.disabled,
      customId: part.custom_id,
    },
    (values) => context.choose(part.custom_id, values, made.element),
  );
  return made.element;
}

/** The rows of a select: its own, or the people, roles and channels of this place. */
export function selectOptions(part, people) {
  const chosen = new Set((part.default_values ?? []).map((entry) => String(entry.id)));
  const rows = (list, sign) =>
    list.map(({ id, name }) => ({ value: id, label: `${sign}${name}`, default: chosen.has(id) }));
  if (part.type === TYPE.userSelect) return rows(people.users, "");
  if (part.type === TYPE.roleSelect) return rows(people.roles, "@");
  if (part.type === TYPE.channelSelect) return rows(people.channels, "#");
  if (part.type === TYPE.mentionableSelect) {
    return [...rows(people.users, ""), ...rows(people.roles, "@")];
  }
  return part.options ?? [];
}

const mediaOf = (item) => item.media ?? item.file ?? item;

function attachmentOf(media, message) {
  const attachments = message.attachments ?? [];
  const named = /^attachment:\/\/(.+)$/.exec(media.url ?? "");
  return attachments.find(
    (one) =>
      (media.attachment_id && one.id === String(media.attachment_id)) ||
      (named && one.filename === named[1]) ||
      one.url === media.url,
  );
}

/** Address, size and name of a picture, from a media item, an embed's image or an attachment. */
function facts(item, message) {
  const media = mediaOf(item);
  const attachment = attachmentOf(media, message);
  // What the media proxy knows is shown by way of it; the rest of the web stays outside.
  const address = media.width ? media.proxy_url ?? media.url : media.url;
  return {
    url: safeUrl(attachment?.url ?? address ?? ""),
    width: attachment?.width ?? media.width ?? null,
    height: attachment?.height ?? media.height ?? null,
    name: attachment?.filename ?? "",
    alt: item.description ?? attachment?.description ?? attachment?.filename ?? "Picture",
    type: attachment?.content_type ?? media.content_type ?? "",
  };
}

/** One picture of `all`, which opens large on a click. */
export function picture(item, context, all, index) {
  const shown = facts(item, context.message);
  if (!shown.url) return h("span", { class: "broken", text: "Picture without an address" });
  const image = h("img", {
    src: shown.url,
    alt: shown.alt,
    width: shown.width,
    height: shown.height,
    loading: "lazy",
    decoding: "async",
    referrerpolicy: "no-referrer",
  });
  const box = h(
    "button",
    {
      type: "button",
      class: "picture",
      "aria-label": `Enlarge ${shown.alt}`,
      on: { click: () => context.enlarge(all.map((one) => facts(one, context.message)), index) },
    },
    image,
  );
  image.addEventListener("error", () => {
    box.replaceWith(h("span", { class: "broken" }, "Picture not shown: ", link(shown.url, shown.alt)));
  });
  return item.spoiler ? covered(box) : box;
}

function drawGallery(part, context) {
  const items = part.items ?? [];
  return h(
    "div",
    { class: `gallery of-${Math.min(items.length, 4)}`, role: "group", "aria-label": "Pictures" },
    ...items.map((item, index) => picture(item, context, items, index)),
  );
}

function drawFile(part, context) {
  const attachment = attachmentOf(part.file ?? {}, context.message);
  const box = fileBox({
    url: attachment?.url ?? part.file?.url,
    filename: part.name ?? attachment?.filename ?? "file",
    size: part.size ?? attachment?.size,
  });
  return part.spoiler ? covered(box) : box;
}

/** A file to download, with its name and size. */
export function fileBox({ url, filename, size }) {
  return h(
    "div",
    { class: "file" },
    h("span", { class: "file-icon", "aria-hidden": "true", text: "📄" }),
    h("span", { class: "file-name" }, link(url ?? "", filename)),
    Number.isFinite(size) && h("span", { class: "file-size", text: formatBytes(size) }),
  );
}

function covered(content) {
  const cover = h("button", { type: "button", class: "cover", text: "Spoiler" });
  const box = h("div", { class: "covered" }, h("div", { inert: true }, content), cover);
  cover.addEventListener("click", () => box.replaceWith(content));
  return box;
}

/** `#rrggbb` for Discord's colour number. */
export function color(number) {
  return `#${(number & 0xffffff).toString(16).padStart(6, "0")}`;
}
