// Turns Discord-flavoured Markdown into DOM nodes. Every character of the source ends in a text node
// or a checked link; nothing is parsed as HTML.
import { h, link, safeUrl } from "./dom.js";
import { timeElement } from "./time.js";

const MAX_DEPTH = 10;
const MAX_LENGTH = 20_000;

/** @typedef {{users: Object, roles: Object, channels: Object}} Names ids to names */

/**
 * @param {string} source
 * @param {Names} names
 * @returns {DocumentFragment}
 */
export function markdown(source, names) {
  const fragment = document.createDocumentFragment();
  fragment.append(...blocks(String(source ?? "").slice(0, MAX_LENGTH), names, 0));
  return fragment;
}

function blocks(source, names, depth) {
  const nodes = [];
  let rest = source;
  const fence = /```(?:([\w+-]{1,20})\n)?\n?([\s\S]+?)\n?```/;
  for (let match = fence.exec(rest); match; match = fence.exec(rest)) {
    nodes.push(...lines(trimNewline(rest.slice(0, match.index)), names, depth));
    nodes.push(h("pre", {}, h("code", { text: match[2], "data-language": match[1] })));
    rest = rest.slice(match.index + match[0].length).replace(/^\n/, "");
  }
  nodes.push(...lines(rest, names, depth));
  return nodes;
}

const trimNewline = (text) => text.replace(/\n$/, "");

function lines(source, names, depth) {
  if (!source) return [];
  const nodes = [];
  const queue = source.split("\n");
  let paragraph = [];
  const flush = () => {
    if (paragraph.some((line) => line.trim())) {
      nodes.push(h("p", {}, ...inline(paragraph.join("\n"), names, depth)));
    }
    paragraph = [];
  };
  while (queue.length) {
    const block = takeBlock(queue, names, depth);
    if (block) {
      flush();
      nodes.push(block);
    } else paragraph.push(queue.shift());
  }
  flush();
  return nodes;
}

/** The heading, subtext, quote or list that starts the queue, taken off it; null for plain text. */
function takeBlock(queue, names, depth) {
  const heading = /^(#{1,3}) +(\S.*)$/.exec(queue[0]);
  if (heading) {
    queue.shift();
    return h(`h${heading[1].length + 2}`, { class: `md-h${heading[1].length}` },
      ...inline(heading[2], names, depth));
  }
  const subtext = /^-# +(\S.*)$/.exec(queue[0]);
  if (subtext) {
    queue.shift();
    return h("p", { class: "subtext" }, ...inline(subtext[1], names, depth));
  }
  if (depth < MAX_DEPTH && /^>>> /.test(queue[0])) {
    const quoted = queue.splice(0).join("\n").slice(4);
    return h("blockquote", {}, ...blocks(quoted, names, depth + 1));
  }
  if (depth < MAX_DEPTH && /^> /.test(queue[0])) {
    const quoted = [];
    while (queue.length && /^> /.test(queue[0])) quoted.push(queue.shift().slice(2));
    return h("blockquote", {}, ...blocks(quoted.join("\n"), names, depth + 1));
  }
  return takeList(queue, names, depth);
}

const ITEM = /^( *)(?:([-*])|(\d{1,9})\.) +(\S.*)$/;

function takeList(queue, names, depth) {
  const first = ITEM.exec(queue[0]);
  if (!first || depth >= MAX_DEPTH) return null;
  const indent = first[1].length;
  const list = first[2] ? h("ul") : h("ol", { start: first[3] });
  while (queue.length) {
    const item = ITEM.exec(queue[0]);
    if (!item || item[1].length < indent || Boolean(item[2]) !== Boolean(first[2])) break;
    if (item[1].length > indent && list.lastElementChild) {
      list.lastElementChild.append(takeList(queue, names, depth + 1) ?? queue.shift());
    } else {
      queue.shift();
      list.append(h("li", {}, ...inline(item[4], names, depth)));
    }
  }
  return list;
}

// Inline markup, in the order in which it is tried at each place.
const RULES = [
  [/^\\([^\p{L}\p{N}\s])/u, (match) => [match[1]]],
  [/^(`+)([\s\S]*?[^`])\1(?!`)/, (match) => [h("code", { text: match[2] })]],
  [/^\*\*\*(?!\s)([\s\S]+?)\*\*\*(?!\*)/, wrap("strong", "em")],
  [/^\*\*([\s\S]+?)\*\*(?!\*)/, wrap("strong")],
  [/^__([\s\S]+?)__(?!_)/, wrap("u")],
  [/^~~([\s\S]+?)~~/, wrap("s")],
  [/^\|\|([\s\S]+?)\|\|/, spoiler],
  [/^\*(?![\s*])((?:\*\*|[^*])+?)(?<!\s)\*(?!\*)/, wrap("em")],
  [/^_(?!_)((?:__|[^_])+?)_(?![\p{L}\p{N}_])/u, wrap("em")],
  [/^\[([^\]\n]{1,500})\]\(<?([^\s()<>]+(?:\([^\s()<>]*\)[^\s()<>]*)*)>?(?: +"[^"\n]*")?\)/, maskedLink],
  [/^<(https?:\/\/[^\s<>]+)>/, (match) => [link(match[1], match[1])]],
  [/^https?:\/\/[^\s<>]+/, bareLink],
  [/^<@!?(\d{1,20})>/, (match, names) => [mention("@", names.users[match[1]] ?? "unknown-user")]],
  [/^<@&(\d{1,20})>/, (match, names) => [mention("@", names.roles[match[1]] ?? "deleted-role")]],
  [/^<#(\d{1,20})>/, (match, names) => [mention("#", names.channels[match[1]] ?? "unknown")]],
  [/^<\/([-\w \p{L}\p{N}]{1,100}):\d{1,20}>/u, (match) => [mention("/", match[1])]],
  [/^<t:(-?\d{1,13})(?::([tTdDfFR]))?>/, (match) => [timeElement(Number(match[1]) * 1000, match[2])]],
  [/^<a?:(\w{2,32}):\d{1,20}>/, (match) => [`:${match[1]}:`]],
];

// Text up to the next character that could start markup.
const PLAIN = /^(?:[^\\`*_~|[<h\n]|h(?!ttps?:\/\/)|(?<=[\p{L}\p{N}])_)+/u;

function inline(source, names, depth) {
  const nodes = [];
  let text = "";
  let rest = source;
  const flush = () => {
    if (text) nodes.push(text);
    text = "";
  };
  while (rest) {
    const plain = PLAIN.exec(rest);
    if (plain) {
      text += plain[0];
      rest = rest.slice(plain[0].length);
      continue;
    }
    const found = depth < MAX_DEPTH ? firstRule(rest, names, depth) : null;
    if (found) {
      flush();
      nodes.push(...found.nodes);
      rest = rest.slice(found.length);
    } else if (rest[0] === "\n") {
      flush();
      nodes.push(h("br"));
      rest = rest.slice(1);
    } else {
      text += rest[0];
      rest = rest.slice(1);
    }
  }
  flush();
  return nodes;
}

function firstRule(rest, names, depth) {
  for (const [pattern, build] of RULES) {
    const match = pattern.exec(rest);
    const nodes = match && build(match, names, depth);
    if (nodes) return { nodes, length: nodes.length_ ?? match[0].length };
  }
  return null;
}

function wrap(...tags) {
  return (match, names, depth) => [
    tags.reduceRight(
      (children, tag) => [h(tag, {}, ...children)],
      inline(match[1], names, depth + 1),
    )[0],
  ];
}

function maskedLink(match, names, depth) {
  if (!safeUrl(match[2])) return null;
  return [link(match[2], ...inline(match[1], names, MAX_DEPTH - 1 > depth ? depth + 1 : MAX_DEPTH))];
}

function bareLink(match) {
  // A sentence's own punctuation is not part of the address.
  const address = match[0].replace(/[.,:;!?"')\]*_~|]+$/, "");
  if (!safeUrl(address)) return null;
  return Object.assign([link(address, address)], { length_: address.length });
}

function mention(sign, name) {
  return h("span", { class: "mention", text: `${sign}${name}` });
}

function spoiler(match, names, depth) {
  const content = h("span", { class: "spoiler-text" }, ...inline(match[1], names, depth + 1));
  const cover = h("button", {
    class: "spoiler",
    type: "button",
    "aria-label": "Spoiler",
    "aria-expanded": "false",
    on: {
      click: (event) => {
        event.stopPropagation();
        cover.replaceWith(h("span", { class: "spoiler open" }, content));
      },
    },
  });
  cover.append(h("span", { class: "spoiler-text", "aria-hidden": "true", text: "spoiler" }));
  return [cover];
}
