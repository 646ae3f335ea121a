// Tells the sandbox's time, which the "next day" button moves, and keeps shown times current.
import { h } from "./dom.js";

let offsetMs = 0;

/** Learn the sandbox's clock from its answer to "what time is it". */
export function setClock(nowMs) {
  offsetMs = nowMs - Date.now();
  refresh();
}

export function now() {
  return Date.now() + offsetMs;
}

const FORMATS = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
};

const STEPS = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

const relative = new Intl.RelativeTimeFormat("en");

function relativeText(ms) {
  const seconds = Math.round((ms - now()) / 1000);
  const [unit, size] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? STEPS.at(-1);
  return relative.format(Math.round(seconds / size), unit);
}

function absoluteText(ms, style) {
  return new Intl.DateTimeFormat(undefined, FORMATS[style] ?? FORMATS.f).format(ms);
}

/** A `<time>` for epoch milliseconds; style `R` counts along, the others stand still. */
export function timeElement(ms, style = "f", className = "") {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return h("span", { text: "Invalid date" });
  const element = h("time", {
    class: className,
    datetime: date.toISOString(),
    title: absoluteText(ms, "F"),
    data: { ms: String(ms), style },
  });
  element.textContent = style === "R" ? relativeText(ms) : absoluteText(ms, style);
  return element;
}

/** How a chat dates a message: "Today at 14:05", "Yesterday at 9:10", else the date. */
export function messageTime(ms) {
  const element = timeElement(ms, "t", "when");
  element.dataset.style = "message";
  element.textContent = messageText(ms);
  return element;
}

function messageText(ms) {
  const midnight = new Date(now());
  midnight.setHours(0, 0, 0, 0);
  const clock = absoluteText(ms, "t");
  if (ms >= midnight.getTime()) return `Today at ${clock}`;
  midnight.setDate(midnight.getDate() - 1);
  if (ms >= midnight.getTime()) return `Yesterday at ${clock}`;
  return `${absoluteText(ms, "d")} ${clock}`;
}

function refresh() {
  for (const element of document.querySelectorAll('time[data-style="R"]')) {
    setText(element, relativeText(Number(element.dataset.ms)));
  }
  for (const element of document.querySelectorAll('time[data-style="message"]')) {
    setText(element, messageText(Number(element.dataset.ms)));
  }
  const date = document.getElementById("sandbox-date");
  if (date) {
    setText(
      date,
      new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(now()),
    );
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

setInterval(refresh, 1000);
