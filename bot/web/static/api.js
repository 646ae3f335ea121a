// Talks to the bot: everything of one link is below the page's own address.

const BASE = location.pathname.replace(/\/$/, "");

/** The bot said no: `status`, and its `code`, `title`, `body` and `ask`. */
export class Refused extends Error {
  constructor(status, answer) {
    super(answer.title);
    this.status = status;
    this.answer = answer;
  }
}

const AWAY = {
  code: "away",
  title: "The bot can't be reached",
  body: "Your connection or the bot is away just now. What you painted is still here.",
};

async function ask(part, options = {}) {
  let response;
  try {
    response = await fetch(`${BASE}/${part}`, { cache: "no-store", credentials: "omit", ...options });
  } catch {
    throw new Refused(0, AWAY);
  }
  if (response.ok) return response;
  throw new Refused(response.status, await refusal(response));
}

async function refusal(response) {
  try {
    const answer = await response.json();
    if (typeof answer.title === "string" && typeof answer.body === "string") return answer;
  } catch {
    // Not from the bot: something between it and this page has answered.
  }
  return AWAY;
}

/** What the link is for. */
export async function readState() {
  return (await ask("state")).json();
}

/** The picture, in its own pixels. */
export async function readPicture() {
  return createImageBitmap(await (await ask("picture")).blob());
}

/** The mask that was painted before; null when it is gone. */
export async function readMask() {
  try {
    return await createImageBitmap(await (await ask("mask")).blob());
  } catch {
    return null;
  }
}

/** How far the edit is. */
export async function readStatus() {
  return (await ask("status")).json();
}

/** Send the edit. */
export async function generate(mask, about) {
  const form = new FormData();
  form.append("about", new Blob([JSON.stringify(about)], { type: "application/json" }), "about.json");
  form.append("mask", mask, "mask.png");
  return (await ask("generate", { method: "POST", body: form })).json();
}
