// Sentences of the bot are written for Discord: make plain text of their Markdown.

const MARKS = /\\([^\w\s])|<t:(\d{1,12})(?::([tTdDfFR]))?>|<(https?:\/\/[^>\s]+)>|<#\d+>|<@&?\d+>|\*\*|`|^-# /gm;

/** Return `text` as it is read in Discord. */
export function plain(text) {
  return text.replace(MARKS, (mark, escaped, seconds, style, address) => {
    if (escaped) return escaped;
    if (seconds) return time(Number(seconds), style);
    if (address) return address;
    if (mark.startsWith("<#")) return "the channel";
    if (mark.startsWith("<@&")) return "a role";
    if (mark.startsWith("<@")) return "a member";
    return "";
  });
}

function time(seconds, style) {
  const date = new Date(seconds * 1000);
  if (style === "R") return relative(date);
  const styles = { t: { timeStyle: "short" }, T: { timeStyle: "medium" }, d: { dateStyle: "short" }, D: { dateStyle: "long" } };
  return date.toLocaleString(undefined, styles[style] ?? { dateStyle: "long", timeStyle: "short" });
}

function relative(date) {
  const words = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  const minutes = Math.round((date - Date.now()) / 60_000);
  if (Math.abs(minutes) < 90) return words.format(minutes, "minute");
  const hours = Math.round(minutes / 60);
  return Math.abs(hours) < 36 ? words.format(hours, "hour") : words.format(Math.round(hours / 24), "day");
}
