// Mouse, finger and pen on the picture.
//
// One pointer uses the tool, two fingers zoom and move. A second finger that comes soon takes back
// what the first one has begun; later it is a hand that rests on the glass. While a pen is down,
// fingers do nothing, and what the hand that holds it has begun is taken back.

const CHANGE_OF_MIND_MS = 350;
const LEAST_STEP = 0.6; // CSS pixels between two points of a lasso
const ARROW = 48;

export class Gestures {
  /** `tool` is { kind, size, cut }, `after` is called when the mask has changed. */
  constructor(view, mask, { tool, after, began }) {
    this.view = view;
    this.mask = mask;
    this.tool = tool;
    this.after = after;
    this.began = began;
    this.fingers = new Map();
    this.stroke = null;
    this.panning = null;
    this.space = false;
    const { canvas } = view;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", (event) => this.#up(event));
    canvas.addEventListener("pointerleave", () => this.#hideCursor());
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    // Safari zooms the whole page otherwise.
    canvas.addEventListener("gesturestart", (event) => event.preventDefault());
  }

  /** Whether something is being drawn right now. */
  get busy() {
    return this.stroke !== null;
  }

  /** While the space bar is held, dragging moves the picture. */
  holdSpace(held) {
    this.space = held;
    this.showCursor();
  }

  /** Move by arrow keys. */
  arrow(dx, dy) {
    this.view.pan(-dx * ARROW, -dy * ARROW);
  }

  /** Let go of everything, taking back what is being drawn. */
  cancel() {
    if (this.stroke) this.#abort();
    this.panning = null;
  }

  /** Fit the mouse cursor to the tool. */
  showCursor() {
    const { kind } = this.tool();
    const cursors = { brush: "none", eraser: "none", rectangle: "crosshair", lasso: "crosshair", hand: "grab" };
    this.view.canvas.style.cursor = this.panning ? "grabbing" : this.space ? "grab" : cursors[kind];
    const brush = kind === "brush" || kind === "eraser";
    if (!brush || this.space || this.panning) this.#hideCursor();
    else if (this.view.cursor) {
      this.view.cursor.size = this.tool().size;
      this.view.draw();
    }
  }

  #point(event) {
    const box = this.view.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  #inPicture(event) {
    const { x, y } = this.#point(event);
    return this.view.toPicture(x, y);
  }

  #down(event) {
    if (event.pointerType === "touch" && this.stroke?.by === "pen") return;
    if (event.pointerType === "pen" && this.stroke?.by === "touch") this.#abort();
    this.view.canvas.setPointerCapture(event.pointerId);
    this.#takeFocus(event.pointerType);
    if (event.pointerType === "touch") {
      this.fingers.set(event.pointerId, this.#point(event));
      if (this.fingers.size === 2) this.#secondFinger();
      if (this.fingers.size > 1) return;
    }
    if (this.stroke || this.panning) return;
    if (event.button === 1 || this.space || this.tool().kind === "hand") {
      this.panning = { id: event.pointerId, at: this.#point(event) };
      this.showCursor();
    } else if (event.button === 0) this.#begin(event);
    event.preventDefault();
  }

  /** Take the keyboard from the form: keys are for the picture, and a phone's goes away. */
  #takeFocus(pointerType) {
    if (pointerType === "touch") document.activeElement?.blur();
    else this.view.canvas.focus({ preventScroll: true });
  }

  #secondFinger() {
    if (this.stroke && performance.now() - this.stroke.since < CHANGE_OF_MIND_MS) this.#abort();
    if (this.panning) this.panning = null;
  }

  #move(event) {
    if (this.fingers.has(event.pointerId)) {
      if (this.fingers.size >= 2 && !this.stroke) {
        this.#pinch(event);
        return;
      }
      this.fingers.set(event.pointerId, this.#point(event));
    }
    if (this.panning?.id === event.pointerId) {
      const at = this.#point(event);
      this.view.pan(at.x - this.panning.at.x, at.y - this.panning.at.y);
      this.panning.at = at;
    } else if (this.stroke?.id === event.pointerId) this.#go(event);
    this.#follow(event);
  }

  #up(event) {
    this.fingers.delete(event.pointerId);
    if (this.panning?.id === event.pointerId) {
      this.panning = null;
      this.showCursor();
    }
    if (this.stroke?.id !== event.pointerId) return;
    if (event.type === "pointercancel") this.#abort();
    else this.#finish();
  }

  #pinch(event) {
    const before = [...this.fingers.values()].slice(0, 2);
    this.fingers.set(event.pointerId, this.#point(event));
    const now = [...this.fingers.values()].slice(0, 2);
    const middle = ([a, b]) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
    const apart = ([a, b]) => Math.hypot(a.x - b.x, a.y - b.y) || 1;
    const from = middle(before);
    const to = middle(now);
    this.view.pan(to.x - from.x, to.y - from.y);
    this.view.zoom(apart(now) / apart(before), to);
  }

  #wheel(event) {
    event.preventDefault();
    if (this.stroke) return;
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
    const dx = event.deltaX * unit;
    const dy = event.deltaY * unit;
    if (!event.ctrlKey && (event.shiftKey || Math.abs(dx) > Math.abs(dy))) {
      this.view.pan(-(dx || dy), dx ? -dy : 0);
      return;
    }
    // A pinch on a trackpad comes as a wheel with Ctrl, in smaller steps.
    this.view.zoom(Math.exp(-dy * (event.ctrlKey ? 0.01 : 0.0016)), this.#point(event));
  }

  #begin(event) {
    const tool = this.tool();
    const at = this.#inPicture(event);
    const removing = tool.kind !== "brush" && tool.cut; // a setting of shapes
    const cut = tool.kind === "eraser" || removing !== event.altKey;
    this.stroke = {
      id: event.pointerId,
      kind: tool.kind,
      cut,
      by: event.pointerType,
      since: performance.now(),
      at,
      points: [at],
    };
    this.mask.begin();
    this.began();
    if (tool.kind === "brush" || tool.kind === "eraser") this.#brush(event, at);
  }

  #go(event) {
    const { stroke } = this;
    // Browsers join the moves between two frames into one event; all of them make a rounder line.
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const move of moves.length ? moves : [event]) {
      const at = this.#inPicture(move);
      if (stroke.kind === "brush" || stroke.kind === "eraser") this.#brush(move, at);
      else if (stroke.kind === "lasso") this.#lasso(at);
    }
    if (stroke.kind === "rectangle") this.#rectangle(this.#inPicture(event), event.shiftKey);
    if (stroke.kind === "rectangle" || stroke.kind === "lasso") {
      this.view.shape = { points: stroke.points, cut: stroke.cut };
    }
    this.view.draw();
  }

  #brush(event, at) {
    const { stroke } = this;
    const { size } = this.tool();
    const pressure = stroke.by === "pen" && event.pressure > 0 ? 0.35 + 0.65 * event.pressure : 1;
    this.mask.line(stroke.at, at, size * pressure, stroke.cut);
    stroke.at = at;
    this.view.draw();
  }

  #lasso(at) {
    const { points } = this.stroke;
    const last = points[points.length - 1];
    if (Math.hypot(at.x - last.x, at.y - last.y) * this.view.scale >= LEAST_STEP) points.push(at);
  }

  #rectangle(at, square) {
    const [from] = this.stroke.points;
    let { x, y } = at;
    if (square) {
      const side = Math.max(Math.abs(x - from.x), Math.abs(y - from.y));
      x = from.x + Math.sign(x - from.x || 1) * side;
      y = from.y + Math.sign(y - from.y || 1) * side;
    }
    this.stroke.points = [from, { x, y: from.y }, { x, y }, { x: from.x, y }];
  }

  #finish() {
    const { stroke } = this;
    this.stroke = null;
    this.view.shape = null;
    let points = stroke.points;
    if (stroke.kind === "rectangle") {
      // Whole pixels: half-covered ones at the edges are nothing that anybody means.
      points = points.map(({ x, y }) => ({ x: Math.round(x), y: Math.round(y) }));
    }
    if (points.length > 2) this.mask.fill(points, stroke.cut);
    this.mask.commit();
    this.view.draw();
    this.after();
  }

  #abort() {
    this.stroke = null;
    this.view.shape = null;
    this.mask.abort();
    this.view.draw();
    this.after();
  }

  #follow(event) {
    const { kind, size } = this.tool();
    const brush = kind === "brush" || kind === "eraser";
    if (!brush || this.space || this.panning || event.pointerType === "touch") return;
    this.view.cursor = { ...this.#inPicture(event), size };
    this.view.draw();
  }

  #hideCursor() {
    if (!this.view.cursor) return;
    this.view.cursor = null;
    this.view.draw();
  }
}
