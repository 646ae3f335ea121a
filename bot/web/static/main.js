// The mask painter: fetches what a link is for, and ties picture, tools and form together.

import * as api from "./api.js";
import { preview, toPng } from "./feather.js";
import { Gestures } from "./gestures.js";
import { listen, nameKeys } from "./keys.js";
import { Mask } from "./mask.js";
import * as panel from "./panel.js";
import { followTheme } from "./theme.js";
import { View } from "./view.js";

const byId = (id) => document.getElementById(id);
const POLL_MS = 1500;
const SHOWN_MS = 900;
const NARROW = matchMedia("(max-width: 860px)");

class Painter {
  constructor(state, picture, kept) {
    this.state = state;
    this.side = Math.min(picture.width, picture.height);
    this.mask = new Mask(picture.width, picture.height);
    if (kept) this.mask.load(kept);
    this.touched = false;
    this.sent = false;
    this.kind = "brush";
    this.cut = false;
    this.view = new View(byId("view"), picture, this.mask);
    this.view.insets = () => this.#insets();
    this.view.onzoom = (scale) => {
      byId("zoom-level").textContent = `${Math.round(scale * 100)}%`;
    };
    this.gestures = new Gestures(this.view, this.mask, {
      tool: () => ({ kind: this.kind, size: this.size, cut: this.cut }),
      began: () => this.#began(),
      after: () => this.#changed(),
    });
    this.#bindTools();
    this.#bindForm();
    this.#bindKeys();
    this.#setSize(Number(byId("size").value) || 55);
    this.#setFeather(0);
    this.choose("brush");
    this.view.fit();
    this.#changed();
    followTheme(() => this.view.recolour());
    window.addEventListener("beforeunload", (event) => {
      if (this.touched && !this.sent) event.preventDefault();
    });
    this.stopClock = panel.countDown(state.expires_in, () => this.#expired());
  }

  choose(kind) {
    this.gestures.cancel();
    this.kind = kind;
    for (const button of document.querySelectorAll("[data-tool]")) {
      button.setAttribute("aria-pressed", String(button.dataset.tool === kind));
    }
    for (const part of document.querySelectorAll(".options [data-for]")) {
      part.hidden = !part.dataset.for.split(" ").includes(kind);
    }
    this.gestures.showCursor();
  }

  undo() {
    if (this.gestures.busy || !this.mask.canUndo) return;
    this.mask.undo();
    this.#changed("Undone");
  }

  redo() {
    if (this.gestures.busy || !this.mask.canRedo) return;
    this.mask.redo();
    this.#changed("Redone");
  }

  invert() {
    if (this.gestures.busy) return;
    this.#began();
    this.mask.invert();
    this.#changed("Inverted");
  }

  clear() {
    if (this.gestures.busy) return;
    this.mask.clear();
    this.#changed("Cleared");
  }

  #began() {
    this.touched = true;
    this.view.soft = null; // while something is drawn, what is drawn is shown
    byId("hint").classList.add("gone");
  }

  #changed(said = "") {
    byId("undo").disabled = !this.mask.canUndo;
    byId("redo").disabled = !this.mask.canRedo;
    this.view.soft = null;
    this.view.draw();
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.#look(said), 60);
  }

  /** Work out the soft edges and how much is painted: too slow to do at every move. */
  #look(said) {
    if (this.gestures.busy) return;
    const { share, canvas } = preview(this.mask, this.feather);
    this.view.soft = canvas;
    this.view.draw();
    const percent = share * 100;
    const text =
      share === 0 ? "nothing yet" : percent < 1 ? "less than 1%" : percent > 99 && share < 1 ? "nearly all" : `${Math.round(percent)}% of it`;
    byId("coverage").textContent = share === 1 ? "all of it" : text;
    if (said) panel.announce(`${said}. Painted: ${byId("coverage").textContent}.`);
  }

  #setSize(step) {
    const value = Math.min(100, Math.max(0, step));
    byId("size").value = String(value);
    this.size = Math.max(1, Math.round(2 * (this.side / 2.5) ** (value / 100)));
    byId("size-out").textContent = `${this.size} px`;
    byId("size").setAttribute("aria-valuetext", `${this.size} pixels`);
    this.gestures.showCursor();
  }

  /** Show how large the brush is now, for a moment: fingers have no cursor. */
  #showBrush() {
    const { clientWidth, clientHeight } = this.view.canvas;
    this.view.cursor = { ...this.view.toPicture(clientWidth / 2, clientHeight / 2), size: this.size };
    this.view.draw();
    clearTimeout(this.shown);
    this.shown = setTimeout(() => {
      this.view.cursor = null;
      this.view.draw();
    }, SHOWN_MS);
  }

  #setFeather(step) {
    const value = Math.min(100, Math.max(0, step));
    byId("feather").value = String(value);
    this.feather = Math.round((value / 100) ** 2 * this.side * 0.15);
    if (value > 0) this.feather = Math.max(2, this.feather);
    byId("feather-out").textContent = this.feather ? `${this.feather} px` : "off";
    byId("feather").setAttribute("aria-valuetext", this.feather ? `${this.feather} pixels` : "off");
    this.#changed();
  }

  /** What to leave free for the floating tools: on a phone, above the picture or beside it. */
  #insets() {
    if (!NARROW.matches) return [{ top: 84, right: 28, bottom: 80, left: 88 }];
    const edge = { top: 14, right: 14, bottom: 14, left: 14 };
    return [{ ...edge, top: 64 }, { ...edge, right: 116 }];
  }

  #setCut(cut) {
    this.cut = cut;
    byId("shape-add").setAttribute("aria-pressed", String(!cut));
    byId("shape-cut").setAttribute("aria-pressed", String(cut));
  }

  #bindTools() {
    for (const button of document.querySelectorAll("[data-tool]")) {
      button.addEventListener("click", () => this.choose(button.dataset.tool));
    }
    const clicks = {
      undo: () => this.undo(),
      redo: () => this.redo(),
      invert: () => this.invert(),
      clear: () => this.clear(),
      "shape-add": () => this.#setCut(false),
      "shape-cut": () => this.#setCut(true),
      "zoom-in": () => this.view.zoom(1.25),
      "zoom-out": () => this.view.zoom(0.8),
      "zoom-level": () => this.view.zoom(1 / this.view.scale),
      "zoom-fit": () => this.view.fit(),
    };
    for (const [id, action] of Object.entries(clicks)) byId(id).addEventListener("click", action);
    byId("size").addEventListener("input", () => {
      this.#setSize(Number(byId("size").value));
      this.#showBrush();
    });
    byId("feather").addEventListener("input", () => this.#setFeather(Number(byId("feather").value)));
  }

  #bindKeys() {
    const step = (id, by, set) => () => set(Number(byId(id).value) + by);
    const size = (value) => this.#setSize(value);
    const feather = (value) => this.#setFeather(value);
    const actions = {
      b: () => this.choose("brush"),
      e: () => this.choose("eraser"),
      r: () => this.choose("rectangle"),
      l: () => this.choose("lasso"),
      h: () => this.choose("hand"),
      i: () => this.invert(),
      "[": step("size", -5, size),
      "]": step("size", 5, size),
      "{": step("feather", -10, feather),
      "}": step("feather", 10, feather),
      "+": () => this.view.zoom(1.25),
      "=": () => this.view.zoom(1.25),
      "-": () => this.view.zoom(0.8),
      0: () => this.view.fit(),
      1: () => this.view.zoom(1 / this.view.scale),
      "?": () => byId("help").showModal(),
      Delete: () => this.clear(),
      Backspace: () => this.clear(),
      Escape: () => this.gestures.cancel(),
      "Mod+z": () => this.undo(),
      "Mod+Shift+z": () => this.redo(),
      "Mod+y": () => this.redo(),
      "Mod+Enter": () => this.send(),
    };
    listen(actions, {
      arrow: (dx, dy) => this.gestures.arrow(dx, dy),
      space: (held) => this.gestures.holdSpace(held),
      ready: () => document.body.dataset.state === "ready" && !byId("help").open,
    });
  }

  #bindForm() {
    panel.fill(this.state);
    byId("panel").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    if (!this.state.models.length) {
      byId("generate").disabled = true;
      panel.notice({ title: "No model takes a mask just now", body: "Try again later." });
    }
  }

  /** Send the edit; `said` is what the person has answered to a question. */
  async send(said = { agreed: 0, checked: false }) {
    if (byId("generate").disabled || this.gestures.busy) return;
    panel.clearNotice();
    panel.sending(true);
    try {
      const mask = await toPng(this.mask, this.feather);
      const about = { prompt: byId("prompt").value, model: byId("model").value, ...said };
      await api.generate(mask, about);
      this.#leave();
    } catch (error) {
      panel.sending(false);
      this.#refused(error, said);
    }
  }

  #refused(error, said) {
    if (!(error instanceof api.Refused)) {
      panel.notice({ title: "That did not work", body: `${error.message}.` });
      return;
    }
    const { answer } = error;
    if (answer.code === "used") this.#leave();
    else if (["expired", "unknown", "gone"].includes(answer.code)) this.#close(answer);
    else panel.notice(answer, this.#answers(answer.ask, said));
  }

  /** What may be answered to the bot's question. */
  #answers(ask, said) {
    const never = ["Not now", () => panel.clearNotice()];
    if (ask?.kind === "price") {
      return [["Confirm", () => this.send({ ...said, agreed: ask.agreed })], never];
    }
    if (ask?.kind !== "mask") return [];
    const invert = () => {
      panel.clearNotice();
      this.invert();
    };
    return [["Generate anyway", () => this.send({ ...said, checked: true })], ["Invert", invert], never];
  }

  #leave() {
    this.sent = true;
    this.stopClock();
    byId("left").textContent = "";
    follow();
  }

  #close(answer) {
    this.stopClock();
    this.sent = true;
    panel.cover("closed", { mark: "closed", title: answer.title, body: answer.body });
  }

  #expired() {
    this.#close({
      title: "This link has expired",
      body: "Links work for 30 minutes. Ask for a new one in Discord: /edit with area:paint.",
    });
  }
}

const STAGES = {
  queued: { mark: "busy", title: "Sent", body: "It waits for its turn. You can close this page." },
  working: { mark: "busy", title: "The model works on it", body: "You can close this page: the result comes in Discord." },
  done: { mark: "done", title: "Your edit is in Discord", body: "" },
  failed: { mark: "closed", title: "No picture came", body: "Why, and what it cost, was sent to you in Discord." },
};

/** Show how far the edit is until it is there. */
async function follow() {
  for (;;) {
    let wait = POLL_MS;
    try {
      const { stage, link } = await api.readStatus();
      const shown = STAGES[stage] ?? STAGES.queued;
      const step = stage === "failed" ? null : (stage ?? "queued");
      if (byId("cover").dataset.stage !== String(stage)) panel.cover("sent", { ...shown, link, step });
      byId("cover").dataset.stage = String(stage);
      if (stage === "done" || stage === "failed") return;
    } catch (error) {
      if (error.answer?.code === "expired") return;
      wait = 4 * POLL_MS;
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

async function open() {
  panel.cover("loading", { mark: "busy", title: "Fetching your picture" });
  try {
    const state = await api.readState();
    const [picture, kept] = await Promise.all([api.readPicture(), state.mask ? api.readMask() : null]);
    panel.uncover();
    const painter = new Painter(state, picture, kept);
    if (kept) panel.announce("What you painted before is here again.");
    byId("hint").classList.toggle("gone", Boolean(kept));
    return painter;
  } catch (error) {
    return refuse(error);
  }
}

function refuse(error) {
  const answer = error.answer ?? { title: "This picture can't be shown here", body: "Try another browser." };
  if (answer.code === "used") {
    follow();
    return null;
  }
  const again = ["away", "busy", "refused", "fault"].includes(answer.code);
  panel.cover("closed", { mark: "closed", ...answer, retry: again ? open : null });
  return null;
}

function help() {
  const dialog = byId("help");
  byId("help-open").addEventListener("click", () => dialog.showModal());
  byId("help-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}

nameKeys();
help();
open();
