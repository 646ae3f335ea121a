// Talks with the page's server: one WebSocket that tells what happens, and POSTs for what one does.

const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 5000;

/** Do something as a person. Answers the server's JSON; throws `Error` with a sentence. */
export async function post(action, payload, files = {}) {
  const form = new FormData();
  form.append("payload", JSON.stringify(payload));
  for (const [name, value] of Object.entries(files)) {
    for (const file of [value].flat()) form.append(`file:${name}`, file, file.name);
  }
  let response;
  try {
    response = await fetch(`/api/${action}`, { method: "POST", body: form });
  } catch {
    throw new Error("The sandbox does not answer. Is it still running?");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `The sandbox answered ${response.status}.`);
  return answer;
}

/** The stream of events for one person; connects again by itself. */
export class Events {
  /** @param {{onMessage: (data: object) => void, onState: (connected: boolean) => void}} owner */
  constructor(owner) {
    this.owner = owner;
    this.person = "";
    this.socket = null;
    this.timer = 0;
    this.pause = FIRST_PAUSE_MS;
  }

  /** Watch as this person from now on. */
  watch(person) {
    this.person = person;
    this.#connect();
  }

  /** Ask for what is in a channel; the answer comes as an event, in order with the others. */
  open(channel) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ open: channel }));
  }

  #connect() {
    clearTimeout(this.timer);
    this.socket?.close();
    const socket = new WebSocket(
      `ws://${location.host}/api/events?person=${encodeURIComponent(this.person)}`);
    this.socket = socket;
    socket.addEventListener("message", (event) => {
      if (socket !== this.socket) return;
      this.pause = FIRST_PAUSE_MS;
      this.owner.onMessage(JSON.parse(event.data));
    });
    socket.addEventListener("open", () => {
      if (socket === this.socket) this.owner.onState(true);
    });
    socket.addEventListener("close", () => {
      if (socket !== this.socket) return;
      this.owner.onState(false);
      this.timer = setTimeout(() => this.#connect(), this.pause);
      this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS);
    });
  }
}
