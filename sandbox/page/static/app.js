// Puts the page together: who one is, where one is, and what comes in and goes out.
import { Events, post } from "./api.js";
import { Composer } from "./composer.js";
import { lightbox, openMenu } from "./dialogs.js";
import { h } from "./dom.js";
import { Feed } from "./feed.js";
import { showModal } from "./modal.js";
import { Sidebar } from "./sidebar.js";
import { now, setClock } from "./time.js";

const MESSAGE_COMMAND = 3;
const TYPING_MS = 10_000;
const FAILED = "This interaction failed";

const at = (id) => document.getElementById(id);

const state = { world: null, person: "", channel: "", room: null, jump: "" };
const feed = new Feed(at("log"));
const events = new Events({ onMessage: receive, onState: connected });
const sidebar = new Sidebar({ root: at("sidebar"), drawer: at("drawer"), scrim: at("scrim"),
  shell: at("shell") });
const composer = new Composer(at("composer"), {
  commands: () => state.room?.commands ?? [],
  people: () => state.room?.people ?? { users: [], roles: [], channels: [] },
  place: () => state.room?.title ?? "",
  complete: async (command, options, focused) =>
    (await post("autocomplete", { ...here(), command, options, focused })).choices,
  run,
  say,
});
let typingTimer = 0;

const here = () => ({ person: state.person, channel: state.channel });

// Where one is: the address says it, so that reload, back and links work.

function readHash() {
  const [person = "", channel = ""] = location.hash.slice(1).split("/").map(decodeURIComponent);
  return { person, channel };
}

function go(person, channel) {
  const hash = `#${encodeURIComponent(person)}/${encodeURIComponent(channel)}`;
  if (location.hash !== hash) location.hash = hash;
  else follow();
}

function follow() {
  const { person, channel } = readHash();
  if (person !== state.person) {
    state.person = person;
    leave(channel);
    events.watch(person);
  } else if (channel !== state.channel) {
    leave(channel);
    enter();
  }
}

/** What was being written belongs to the place that one leaves. */
function leave(next) {
  state.channel = next;
  state.room = null;
  composer.clear();
}

function enter() {
  const { guilds, direct, groups } = state.world;
  const channels = guilds.flatMap((guild) => guild.channels);
  const places = [...channels, ...channels.flatMap((one) => one.threads), direct, ...groups];
  if (!places.some((place) => place.id === state.channel)) {
    state.channel = places[0].id;
    history.replaceState(null, "", `#${state.person}/${state.channel}`);
  }
  sidebar.choose(state.channel);
  events.open(state.channel);
}

// What comes in

function receive(event) {
  ({
    world: onWorld, room: onRoom, message: onMessage, gone: onGone, clock: onClock,
    typing: onTyping, stale: () => events.open(state.channel),
  })[event.op]?.(event);
}

function onWorld({ world }) {
  state.world = world;
  state.person = world.person;
  setClock(world.now_ms);
  drawBanner(world);
  drawPeople(world);
  sidebar.draw(world, state.channel, { go: (channel) => go(state.person, channel), install });
  enter();
}

function onRoom({ room }) {
  if (room.id !== state.channel) return;
  state.room = room;
  at("place").textContent = room.title;
  document.title = `${room.title} · Easel sandbox`;
  feed.open(room.messages, {
    names: room.names, people: room.people, click, choose, enlarge: lightbox, menu: appsMenu,
  }, { ...room, person: state.person });
  showTyping("");
  composer.refresh();
  feed.reveal(state.jump);
  state.jump = "";
}

function onMessage({ message, fresh }) {
  if (message.channel_id !== state.channel) {
    if (fresh) sidebar.unread(message.channel_id);
  }
  else if (state.room) feed.put(message);
  if (message.author.bot) showTyping("");
}

function onGone({ channel, id }) {
  if (channel === state.channel) feed.remove(id);
}

function onClock({ now_ms: nowMs }) {
  setClock(nowMs);
  // Links to pictures die with time; the place comes again with fresh ones.
  events.open(state.channel);
}

function onTyping({ channel, name }) {
  if (channel === state.channel) showTyping(`${name} is typing…`);
}

function showTyping(text) {
  clearTimeout(typingTimer);
  at("typing").textContent = text;
  if (text) typingTimer = setTimeout(() => showTyping(""), TYPING_MS);
}

function connected(yes) {
  at("connection").hidden = yes;
  document.documentElement.dataset.connected = String(yes);
}

// What goes out

const bot = () => state.world.bot;
const myName = () => state.world.people.find((one) => one.key === state.person)?.name ?? "";

/** A line that only this page shows: a command that failed, or the page's own complaint. */
function tell(text, command = "") {
  const ask = { ...here(), who: myName(), bot: bot(), command, since: now() };
  feed.ask(ask);
  feed.settle(ask, text);
}

async function run(command, options, files) {
  const ask = { ...here(), who: myName(), bot: bot(), command: command.name, since: now() - 2000 };
  feed.ask(ask);
  const place = here();
  try {
    const answer = await post("slash", { ...place, command: command.name, options }, files);
    feed.settle(ask, answer.failure);
    if (answer.modal) openModal(answer.modal, place);
  } catch (error) {
    feed.settle(ask, error.message);
  }
}

async function say(text, files) {
  try {
    await post("say", { ...here(), text }, { files });
    return true;
  } catch (error) {
    tell(error.message);
    return false;
  }
}

async function press(action, payload, message, element) {
  const place = here();
  feed.fault(message, "");
  element.classList.add("busy");
  element.setAttribute("aria-busy", "true");
  try {
    const answer = await post(action, { ...place, message, ...payload });
    if (answer.failure) feed.fault(message, FAILED);
    if (answer.modal) openModal(answer.modal, place);
  } catch (error) {
    feed.fault(message, error.message);
  } finally {
    element.classList.remove("busy");
    element.removeAttribute("aria-busy");
  }
}

function messageOf(element) {
  return element.closest("[data-message-id]").dataset.messageId;
}

function click(customId, element) {
  press("click", { custom_id: customId }, messageOf(element), element);
}

function choose(customId, values, element) {
  press("choose", { custom_id: customId, values }, messageOf(element), element);
}

/** The commands on a message: under its button, or at the `point` of a right click. */
function appsMenu(message, button, point) {
  const entries = state.room.commands.filter((command) => command.type === MESSAGE_COMMAND);
  openMenu(button, "Apps", entries.map((command) => ({
    label: command.name,
    run: () => {
      feed.follow();
      press("menu", { command: command.name }, message.id, button);
    },
  })), "No app has commands for messages here.", point);
}

function openModal(modal, place) {
  if (!state.room || place.person !== state.person) return;
  showModal(modal, {
    names: state.room.names,
    people: state.room.people,
    async submit(values, files) {
      try {
        const answer = await post("submit", { ...place, modal: modal.key, values }, files);
        return answer.failure ? "Something went wrong. Try again." : null;
      } catch (error) {
        return error.message;
      }
    },
  });
}

async function install(installed) {
  try {
    await post("install", { ...here(), installed });
  } catch (error) {
    tell(error.message);
  }
}

async function moveClock(step) {
  try {
    await post("clock", { step });
  } catch (error) {
    tell(error.message);
  }
}

// The frame around the chat

function drawBanner({ real }) {
  const banner = at("banner");
  banner.classList.toggle("costly", real);
  banner.textContent = real
    ? "Real ImageRouter: every picture costs real money"
    : "Sandbox: pictures are drawn locally, no money is spent";
  banner.hidden = false;
}

function drawPeople({ people, person }) {
  at("person").replaceChildren(...people.map((one) => h("option", {
    value: one.key, selected: one.key === person,
    text: `${one.name} (${one.marks.join(", ").toLowerCase()})`,
  })));
  at("person").value = person;
}

at("person").addEventListener("change", (event) => go(event.target.value, state.channel));
at("next-day").addEventListener("click", () => moveClock("day"));
at("next-month").addEventListener("click", () => moveClock("month"));
window.addEventListener("hashchange", follow);

// Links to messages lead to them here, not to Discord.
document.addEventListener("click", (event) => {
  const target = event.target.closest?.("a[data-channel]");
  if (!target) return;
  event.preventDefault();
  const { channel, message } = target.dataset;
  if (channel === state.channel) feed.reveal(message);
  else {
    state.jump = message;
    go(state.person, channel);
  }
});

// Files may be dropped anywhere on the chat, and pasted into it.
document.addEventListener("dragover", (event) => {
  if (event.dataTransfer.types.includes("Files")) event.preventDefault();
});
document.addEventListener("drop", (event) => {
  if (event.defaultPrevented || !event.dataTransfer.files.length) return;
  event.preventDefault();
  composer.addFiles([...event.dataTransfer.files]);
});
document.addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  if (!files.length || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  composer.addFiles(files);
});

state.person = readHash().person;
state.channel = readHash().channel;
events.watch(state.person);
