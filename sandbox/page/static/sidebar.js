// Guilds, their channels and threads, and the direct messages; a drawer on a small screen.
import { avatar } from "./message.js";
import { h } from "./dom.js";

export class Sidebar {
  constructor({ root, drawer, scrim, shell }) {
    this.root = root;
    this.drawer = drawer;
    this.shell = shell;
    drawer.addEventListener("click", () => this.#open(!shell.classList.contains("drawer-open")));
    scrim.addEventListener("click", () => this.#open(false));
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#open(false);
    });
  }

  /**
   * @param {{go: (channel: string) => void, install: (installed: boolean) => void}} act called with
   *   the channel that was clicked, and with whether the bot shall be in one's account
   */
  draw(world, current, { go, install }) {
    const hadFocus = this.root.contains(document.activeElement)
      ? document.activeElement.dataset.channel ?? "install" : null;
    const places = [];
    const entry = (place, sign) => {
      const button = h("button", {
        type: "button", class: "channel", data: { channel: place.id },
        on: { click: () => { this.#open(false); go(place.id); } },
      }, sign, h("span", { text: place.name }),
      h("span", { class: "unread-mark", "aria-label": "unread", role: "img" }));
      places.push(button);
      return h("li", {}, button);
    };
    const people = () => h("span", { class: "hash", "aria-hidden": "true", text: "⁂" });
    const branch = () => h("span", { class: "hash branch", "aria-hidden": "true", text: "↳" });
    const hash = () => h("span", { class: "hash", "aria-hidden": "true", text: "#" });
    this.root.replaceChildren(
      h("p", { class: "brand" }, h("img", { src: "/static/icon.svg", alt: "", width: 28, height: 28 }),
        "Easel sandbox"),
      h("h2", { text: "Direct messages" }),
      h("ul", {}, entry(world.direct, h("span", { class: `presence${world.online ? " online" : ""}` },
        avatar(world.bot))), ...world.groups.map((group) => entry(group, people()))),
      ...world.guilds.flatMap((guild) => [h("h2", { text: guild.name }),
        h("ul", { "aria-label": `Channels of ${guild.name}` },
          ...guild.channels.flatMap((channel) => [entry(channel, hash()),
            ...channel.threads.map((thread) => entry(thread, branch()))]))]),
      h("p", { class: "bot-state", role: "status" },
        h("span", { class: `dot${world.online ? " online" : ""}`, "aria-hidden": "true" }),
        world.online ? `${world.bot.name} is online` : `${world.bot.name} is offline`),
    );
    if (world.installable) this.root.append(account(world, install));
    this.places = places;
    this.choose(current);
    if (hadFocus === "install") this.root.querySelector(".install")?.focus();
    else if (hadFocus) places.find((place) => place.dataset.channel === hadFocus)?.focus();
  }

  choose(channel) {
    for (const place of this.places ?? []) {
      const here = place.dataset.channel === channel;
      if (here) place.setAttribute("aria-current", "page");
      else place.removeAttribute("aria-current");
      if (here) place.classList.remove("unread");
    }
  }

  unread(channel) {
    this.places?.find((place) => place.dataset.channel === channel)?.classList.add("unread");
  }

  #open(open) {
    this.shell.classList.toggle("drawer-open", open);
    this.drawer.setAttribute("aria-expanded", String(open));
    if (open) this.root.querySelector("[aria-current]")?.focus();
    else if (this.root.contains(document.activeElement)) this.drawer.focus();
  }
}

/** The switch for having the bot in one's account, which brings it along to every talk. */
function account(world, install) {
  const { installed, bot } = world;
  return h("button", {
    type: "button", class: "button secondary small install", "aria-pressed": String(installed),
    title: `With ${bot.name} in your account you can use it where it is no member`,
    text: installed ? `Remove ${bot.name} from my account` : `Add ${bot.name} to my account`,
    on: { click: () => install(!installed) },
  });
}
