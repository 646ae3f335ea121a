// The messages of the open channel: in order, edited in place, scrolled to the newest.
import { h } from "./dom.js";
import { drawAsk, drawMessage } from "./message.js";

const NEAR_BOTTOM_PX = 120;

export class Feed {
  /** @param {HTMLElement} root the element with role=log */
  constructor(root) {
    this.root = root;
    this.messages = new Map();
    this.dismissed = new Set();
    this.asks = [];
    this.drawn = new Map();
    // Pictures that load late must not push the newest message out of sight.
    this.pinned = true;
    this.lastTop = 0;
    root.addEventListener("scroll", () => this.#scrolled());
    new ResizeObserver(() => this.#keepDown()).observe(root);
    this.inner = h("div", { class: "feed" });
    new ResizeObserver(() => this.#keepDown()).observe(this.inner);
    root.replaceChildren(this.inner);
  }

  /** Show another channel, or the same again after a lost connection. */
  open(messages, context, place) {
    const again = this.place?.id === place.id && this.place.person === place.person;
    const scrolled = this.root.scrollTop;
    const wasPinned = this.pinned;
    this.place = place;
    this.context = context;
    this.messages = new Map(messages.map((message) => [message.id, message]));
    this.drawn.clear();
    this.inner.replaceChildren(h("header", { class: "feed-start" },
      h("h2", { text: place.title }), h("p", { text: place.about })));
    this.asks = this.asks.filter((ask) => ask.channel === place.id && ask.person === place.person);
    for (const message of messages) this.#draw(message);
    this.asks.forEach((ask) => this.#drawAsk(ask));
    this.pinned = !again || wasPinned;
    if (!this.pinned) this.root.scrollTop = scrolled;
    this.#keepDown();
  }

  put(message) {
    if (this.dismissed.has(message.id)) return;
    this.messages.set(message.id, message);
    if (message.interaction) this.#answered(message);
    this.#draw(message);
  }

  remove(id) {
    this.messages.delete(id);
    this.drawn.get(id)?.remove();
    this.drawn.delete(id);
  }

  /** A command on its way; `settle` it when its answer or failure is known. */
  ask(ask) {
    this.asks.push(ask);
    this.#drawAsk(ask);
    this.follow();
  }

  settle(ask, failure) {
    if (!this.asks.includes(ask)) return;
    if (!failure) {
      this.#forget(ask);
      return;
    }
    ask.failure = failure;
    ask.element?.remove();
    this.#drawAsk(ask);
  }

  /** Go to the newest message, and stay there: one's own doing is answered at the end. */
  follow() {
    this.pinned = true;
    this.#keepDown();
  }

  /** Say under a message that its button or select went wrong, until the next try. */
  fault(messageId, text) {
    const body = this.drawn.get(messageId)?.querySelector(".message-body");
    body?.querySelector(".interaction-failed")?.remove();
    if (body && text) {
      body.append(h("p", { class: "failure interaction-failed", role: "alert", text }));
    }
  }

  /** Bring a message into view, and the keyboard to it. */
  reveal(id) {
    const element = this.drawn.get(id);
    if (!element) return;
    this.pinned = false;
    element.scrollIntoView({ block: "center" });
    element.focus({ preventScroll: true });
  }

  #forget(ask) {
    this.asks = this.asks.filter((one) => one !== ask);
    ask.element?.remove();
  }

  #answered(message) {
    const ask = this.asks.find((one) =>
      !one.failure && message.interaction.own && message.created_ms >= one.since
      && message.interaction.command === `/${one.command}`);
    if (ask) this.#forget(ask);
  }

  #draw(message) {
    if (this.dismissed.has(message.id)) return;
    const element = drawMessage(message, {
      ...this.context,
      message,
      dismiss: (gone) => {
        this.dismissed.add(gone.id);
        this.remove(gone.id);
      },
    });
    element.dataset.order = message.id.padStart(20, "0");
    const old = this.drawn.get(message.id);
    this.drawn.set(message.id, element);
    if (old) {
      const focused = old.contains(document.activeElement) ? document.activeElement : null;
      old.replaceWith(element);
      if (focused) this.#refocus(element, focused);
      return;
    }
    const next = [...this.inner.querySelectorAll("[data-order]")].reverse()
      .find((one) => one.dataset.order < element.dataset.order);
    if (next) next.after(element);
    else this.inner.firstElementChild.after(element);
  }

  /** A live edit must not throw a keyboard user back to the top of the page. */
  #refocus(element, focused) {
    const id = focused.dataset.customId;
    const same = id && [...element.querySelectorAll("[data-custom-id]")]
      .find((one) => one.dataset.customId === id && !one.disabled);
    (same || element).focus({ preventScroll: true });
  }

  #drawAsk(ask) {
    ask.element = drawAsk(ask, { dismiss: (gone) => this.#forget(gone) });
    this.inner.append(ask.element);
  }

  #atBottom() {
    const { scrollTop, clientHeight, scrollHeight } = this.root;
    return scrollHeight - scrollTop - clientHeight < NEAR_BOTTOM_PX;
  }

  /** Only a person scrolls up; a feed that has grown must not count as that. */
  #scrolled() {
    const top = this.root.scrollTop;
    if (this.#atBottom()) this.pinned = true;
    else if (top < this.lastTop) this.pinned = false;
    this.lastTop = top;
  }

  #keepDown() {
    if (this.pinned) this.root.scrollTop = this.root.scrollHeight;
    this.lastTop = this.root.scrollTop;
  }
}
