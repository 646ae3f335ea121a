// The form beside the picture, the notices in it, and what covers the page at its start and end.

import { plain } from "./words.js";

const byId = (id) => document.getElementById(id);

/** Fill the form in with what the bot says that this link is for. */
export function fill(state) {
  byId("prompt").value = state.prompt;
  byId("prompt").maxLength = state.most_prompt;
  const select = byId("model");
  select.replaceChildren(
    ...state.models.map((model) => {
      const price = model.about ? `about ${model.about}` : model.at_most ? `at most ${model.at_most}` : "free";
      return new Option(`${model.name} · ${price}`, model.id, false, model.id === state.model);
    }),
  );
  select.addEventListener("change", () => price(state));
  byId("count-row").hidden = state.count === 1;
  byId("count").textContent = String(state.count);
  byId("where").textContent = state.private
    ? "Only you get the result, as a direct message."
    : "The result is posted where you came from.";
  price(state);
}

/** Say what the chosen model costs, for all pictures together. */
function price(state) {
  const model = state.models.find((each) => each.id === byId("model").value);
  byId("price").replaceChildren(...(model ? prices(model) : []));
}

function prices({ about, at_most: most }) {
  if (!about && !most) return [line("strong", "free")];
  if (about === most) return [line("strong", most)];
  if (!about) return [line("strong", `at most ${most}`)];
  return [line("strong", `about ${about}`), line("span", `at most ${most}`)];
}

function line(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

/** Show that the edit is being sent, or not any more. */
export function sending(busy) {
  byId("generate").disabled = busy;
  byId("generate").setAttribute("aria-busy", String(busy));
  byId("generate-label").textContent = busy ? "Sending…" : "Generate";
}

/** Say what the bot said; `buttons` are [label, action] pairs, the first one the likelier. */
export function notice({ title, body }, buttons = []) {
  byId("notice-title").textContent = plain(title);
  byId("notice-body").textContent = plain(body);
  byId("notice-actions").replaceChildren(
    ...buttons.map(([label, action], index) => {
      const button = line("button", label);
      button.type = "button";
      button.className = index ? "secondary" : "primary";
      button.addEventListener("click", action);
      return button;
    }),
  );
  byId("notice").hidden = false;
  byId("notice").scrollIntoView({ block: "nearest" });
}

export function clearNotice() {
  const answered = byId("notice").contains(document.activeElement);
  byId("notice").hidden = true;
  if (answered) byId("generate").focus();
}

/** Cover the page: `state` is loading, closed or sent, `mark` is busy, done or closed. */
export function cover(state, { mark, title, body = "", link = null, retry = null, step = null }) {
  document.body.dataset.state = state;
  byId("app").inert = true;
  byId("cover-mark").dataset.mark = mark;
  byId("cover-title").textContent = plain(title);
  byId("cover-body").textContent = plain(body);
  byId("cover-link").hidden = !link;
  if (link) byId("cover-link").href = link;
  byId("cover-retry").hidden = !retry;
  byId("cover-retry").onclick = retry;
  byId("steps").hidden = !step;
  const steps = [...byId("steps").children];
  const reached = steps.findIndex((each) => each.dataset.step === step);
  steps.forEach((each, index) => each.classList.toggle("reached", index <= reached));
  byId("cover-title").focus({ preventScroll: true });
}

/** Show the page itself. */
export function uncover() {
  document.body.dataset.state = "ready";
  byId("app").inert = false;
}

/** Show how long the link works, every few seconds; `over` is called when it does not any more. */
export function countDown(seconds, over) {
  const end = performance.now() + seconds * 1000;
  const label = byId("left");
  const show = () => {
    const left = (end - performance.now()) / 1000;
    const soon = left < 180;
    label.classList.toggle("soon", soon);
    label.textContent = soon ? `${clock(left)} left` : `${Math.ceil(left / 60)} min left`;
    if (left <= 0) {
      clearInterval(timer);
      over();
    }
  };
  const timer = setInterval(show, 1000);
  show();
  return () => clearInterval(timer);
}

function clock(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Tell screen readers what has happened. */
export function announce(text) {
  byId("live").textContent = text;
}
