// Draws one message as its reader sees it: who, when, text, embeds, attachments, components.
import { color, drawComponents, fileBox, picture } from "./components.js";
import { h, link } from "./dom.js";
import { markdown } from "./markdown.js";
import { messageTime, timeElement } from "./time.js";

const IMAGE = /^image\/(png|jpeg|gif|webp|avif)/;

/**
 * @param {object} message as the server's `views.py` describes it
 * @param {import("./components.js").Context} context also `dismiss(message)` and `menu(message,
 *   button)`
 */
export function drawMessage(message, context) {
  const body = h("div", { class: "message-body" });
  if (message.interaction) body.append(usedLine(message.interaction));
  else if (message.reply) body.append(replyLine(message.reply));
  body.append(header(message));
  if (message.loading) body.append(thinking(message.author));
  else body.append(...content(message, context));
  if (message.ephemeral) body.append(onlyYou(message, context));
  const element = h(
    "article",
    {
      class: `message${message.ephemeral ? " ephemeral" : ""}${message.pinged ? " pinged" : ""}`,
      "aria-label": `Message from ${message.author.name}`,
      "data-message-id": message.id,
      tabindex: "-1",
    },
    avatar(message.author),
    body,
  );
  if (!message.loading) {
    const button = appsButton(message, context);
    element.append(h("div", { class: "tools" }, button));
    element.addEventListener("contextmenu", (event) => rightClick(event, message, button, context));
  }
  return element;
}

/** A line of our own about a command that waits for its answer, or got none. */
export function drawAsk(ask, { dismiss }) {
  const failed = Boolean(ask.failure);
  const body = h(
    "div",
    { class: "message-body" },
    usedLine({ user: ask.who, command: ask.command && `/${ask.command}` }),
    h("p", { class: failed ? "failure" : "waiting", role: failed ? "alert" : null },
      failed ? ask.failure : "Sending command…"),
  );
  if (failed) {
    body.append(
      h("p", { class: "only-you" }, "Only you can see this · ",
        h("button", { type: "button", class: "text-button", text: "Dismiss",
          on: { click: () => dismiss(ask) } })),
    );
  }
  return h("article", { class: "message ask ephemeral", "aria-label": ask.command ? `Your /${ask.command}` : "Notice" },
    avatar(ask.bot), body);
}

export function avatar(author) {
  const shade = [...String(author.id)].reduce((sum, digit) => sum + Number(digit), 0) % 6;
  return h("span", {
    class: `avatar shade-${shade}`,
    "aria-hidden": "true",
    text: [...author.name][0]?.toUpperCase() ?? "?",
  });
}

function usedLine({ user, command }) {
  return h(
    "p",
    { class: "used" },
    h("span", { "aria-hidden": "true", text: "↱ " }),
    h("span", { class: "name", text: user }),
    command && " used ",
    command && h("span", { class: "mention", text: command }),
  );
}

function replyLine({ author, text }) {
  return h("p", { class: "used" }, h("span", { "aria-hidden": "true", text: "↱ " }),
    author && h("span", { class: "name", text: `${author} ` }), text);
}

function header(message) {
  return h(
    "header",
    {},
    h("span", { class: "name", text: message.author.name }),
    message.author.bot && h("span", { class: "badge", text: "APP" }),
    messageTime(message.created_ms),
  );
}

function thinking(author) {
  return h(
    "p",
    { class: "thinking", role: "status" },
    h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
    ` ${author.name} is thinking…`,
  );
}

function content(message, context) {
  const nodes = [];
  if (message.content) {
    nodes.push(h("div", { class: "md" }, markdown(message.content, context.names)));
  }
  // A layout shows the files that it names, and no others.
  if (!message.layout) nodes.push(...attachments(message, context));
  nodes.push(...(message.embeds ?? []).map((embed) => drawEmbed(embed, context)));
  if (message.components?.length) {
    nodes.push(h("div", { class: "components" }, ...drawComponents(message.components, context)));
  }
  for (const sticker of message.stickers ?? []) {
    nodes.push(!sticker.url ? h("p", { class: "subtext", text: `Sticker ${sticker.name}` })
      : h("img", { class: "sticker", src: sticker.url, alt: `Sticker ${sticker.name}`,
      title: sticker.name, width: 160, height: 160, referrerpolicy: "no-referrer" }));
  }
  if (message.forwarded) nodes.push(forwarded(message.forwarded, context));
  if (message.edited_ms) nodes.push(edited(message));
  return nodes;
}

/** What another message held; its buttons are not for use here. */
function forwarded(first, context) {
  return h("blockquote", { class: "forwarded" }, h("p", { class: "used", text: "↱ Forwarded" }),
    ...content({ ...first, components: first.layout ? first.components : [] },
      { ...context, message: first, click: () => {}, choose: () => {} }));
}

function edited(message) {
  const mark = timeElement(message.edited_ms, "t", "edited");
  mark.dataset.style = "still";
  mark.textContent = "(edited)";
  return h("p", { class: "edited-line" }, mark);
}

/** Files beside the text; one that an embed shows is not shown twice. */
function attachments(message, context) {
  const shown = JSON.stringify(message.embeds ?? []);
  const own = (message.attachments ?? []).filter((one) => !shown.includes(one.id));
  const pictures = own.filter((one) => IMAGE.test(one.content_type ?? ""));
  const files = own.filter((one) => !pictures.includes(one));
  const nodes = files.map(fileBox);
  if (pictures.length) {
    nodes.unshift(
      h("div", { class: `gallery of-${Math.min(pictures.length, 4)}`, role: "group",
        "aria-label": "Attachments" },
      ...pictures.map((one, index) => picture(one, context, pictures, index))),
    );
  }
  return nodes;
}

function drawEmbed(embed, context) {
  const md = (text) => h("div", { class: "md" }, markdown(text, context.names));
  const box = h("div", {
    class: "embed",
    style: Number.isInteger(embed.color) ? { "--accent": color(embed.color) } : {},
  });
  if (embed.author?.name) {
    box.append(h("p", { class: "embed-author" },
      embed.author.url ? link(embed.author.url, embed.author.name) : embed.author.name));
  }
  if (embed.title) {
    box.append(h("p", { class: "embed-title" },
      embed.url ? link(embed.url, embed.title) : markdown(embed.title, context.names)));
  }
  if (embed.description) box.append(md(embed.description));
  if (embed.fields?.length) {
    box.append(h("dl", { class: "embed-fields" }, ...embed.fields.map((field) =>
      h("div", { class: field.inline ? "inline" : "" },
        h("dt", {}, markdown(field.name, context.names)), h("dd", {}, md(field.value))))));
  }
  for (const [key, className] of [["image", "embed-image"], ["thumbnail", "thumbnail"]]) {
    if (embed[key]) {
      const large = key === "image" || embed.type === "image";
      box.append(h("div", { class: large ? "embed-image" : className },
        picture({ media: embed[key] }, context, [{ media: embed[key] }], 0)));
    }
  }
  if (embed.footer?.text || embed.timestamp) {
    const when = embed.timestamp ? timeElement(Date.parse(embed.timestamp), "f") : null;
    box.append(h("p", { class: "embed-footer" }, embed.footer?.text,
      embed.footer?.text && when ? " · " : null, when));
  }
  return box;
}

function onlyYou(message, context) {
  return h(
    "p",
    { class: "only-you" },
    h("span", { "aria-hidden": "true", text: "👁 " }),
    "Only you can see this · ",
    h("button", { type: "button", class: "text-button", text: "Dismiss message",
      on: { click: () => context.dismiss(message) } }),
  );
}

/** As in Discord, a right click is the way to the apps, too; on links it stays the browser's. */
function rightClick(event, message, button, context) {
  if (event.shiftKey || event.target.closest("a") || !getSelection().isCollapsed) return;
  event.preventDefault();
  // The keyboard's menu key has no place of its own.
  context.menu(message, button, event.button === 2 ? { x: event.clientX, y: event.clientY } : null);
}

function appsButton(message, context) {
  const button = h("button", {
    type: "button",
    class: "icon-button",
    "aria-label": `Apps for this message from ${message.author.name}`,
    "aria-haspopup": "menu",
    text: "⋯",
    on: { click: () => context.menu(message, button) },
  });
  return button;
}
