// The mask: a canvas in which painted means "change this", and its undo history.
//
// Coordinates are the picture's own pixels. The canvas is as large as the picture, or smaller where
// browsers could not hold it. The history keeps what tiles of the canvas looked like before each
// step, so that a step costs as much memory as it touches, and nothing is read back.

const TILE = 256;
const MOST_PIXELS = 16_000_000; // phones' canvases end at 16.7 million
const MOST_STEPS = 80;
const HISTORY_PIXELS = 48_000_000; // about 200 MB

const PAINT = "#fff";

export class Mask {
  constructor(width, height) {
    const scale = Math.min(1, Math.sqrt(MOST_PIXELS / (width * height)));
    this.width = width;
    this.height = height;
    this.scale = scale;
    this.canvas = makeCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
    this.context = this.canvas.getContext("2d");
    this.columns = Math.ceil(this.canvas.width / TILE);
    this.rows = Math.ceil(this.canvas.height / TILE);
    this.done = [];
    this.undone = [];
    this.step = null;
  }

  get canUndo() {
    return this.done.length > 0;
  }

  get canRedo() {
    return this.undone.length > 0;
  }

  /** Begin a step; everything until `commit` is undone at once. */
  begin() {
    this.step = { tiles: new Map() };
  }

  /** Paint (or erase) a line of round ends; `size` is its diameter. */
  line(from, to, size, erase) {
    const reach = size / 2 + 2;
    this.#touch(
      Math.min(from.x, to.x) - reach,
      Math.min(from.y, to.y) - reach,
      Math.max(from.x, to.x) + reach,
      Math.max(from.y, to.y) + reach,
    );
    this.#draw(erase, (context) => {
      context.lineWidth = size;
      context.lineCap = "round";
      context.strokeStyle = PAINT;
      context.beginPath();
      context.moveTo(from.x, from.y);
      context.lineTo(to.x, to.y);
      context.stroke();
    });
  }

  /** Paint (or erase) what a closed line of points surrounds. */
  fill(points, erase) {
    const xs = points.map((point) => point.x);
    const ys = points.map((point) => point.y);
    this.#touch(least(xs) - 2, least(ys) - 2, most(xs) + 2, most(ys) + 2);
    this.#draw(erase, (context) => {
      context.fillStyle = PAINT;
      context.beginPath();
      points.forEach((point) => context.lineTo(point.x, point.y));
      context.closePath();
      context.fill();
    });
  }

  /** End a step. */
  commit() {
    const step = this.step;
    this.step = null;
    if (step.tiles.size) this.#remember(step);
  }

  /** Take back what was done since `begin`. */
  abort() {
    const step = this.step;
    this.step = null;
    if (step) this.#swap(step);
  }

  invert() {
    const step = { invert: true };
    this.#swap(step);
    this.#remember(step);
  }

  clear() {
    this.begin();
    this.#touch(0, 0, this.width, this.height);
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.commit();
  }

  undo() {
    const step = this.done.pop();
    if (!step) return;
    this.#swap(step);
    this.undone.push(step);
  }

  redo() {
    const step = this.undone.pop();
    if (!step) return;
    this.#swap(step);
    this.done.push(step);
  }

  /** Start from a mask as it is sent: transparent is painted. */
  load(bitmap) {
    const { context, canvas } = this;
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    flip(context);
  }

  #draw(erase, paint) {
    const { context } = this;
    context.save();
    context.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    context.globalCompositeOperation = erase ? "destination-out" : "source-over";
    paint(context);
    context.restore();
  }

  /** Keep the tiles under an area as they are now, unless this step has them already. */
  #touch(left, top, right, bottom) {
    const first = (value) => Math.max(0, Math.floor((value * this.scale) / TILE));
    const lastX = Math.min(this.columns - 1, Math.floor((right * this.scale) / TILE));
    const lastY = Math.min(this.rows - 1, Math.floor((bottom * this.scale) / TILE));
    for (let row = first(top); row <= lastY; row++) {
      for (let column = first(left); column <= lastX; column++) {
        const index = row * this.columns + column;
        if (!this.step.tiles.has(index)) this.step.tiles.set(index, this.#tile(index));
      }
    }
  }

  #tile(index) {
    const x = (index % this.columns) * TILE;
    const y = Math.floor(index / this.columns) * TILE;
    const width = Math.min(TILE, this.canvas.width - x);
    const height = Math.min(TILE, this.canvas.height - y);
    const copy = makeCanvas(width, height);
    copy.getContext("2d").drawImage(this.canvas, x, y, width, height, 0, 0, width, height);
    return copy;
  }

  /** Exchange what a step keeps with what is there: undo and redo are the same. */
  #swap(step) {
    if (step.invert) {
      flip(this.context);
      return;
    }
    for (const [index, before] of step.tiles) {
      const now = this.#tile(index);
      const x = (index % this.columns) * TILE;
      const y = Math.floor(index / this.columns) * TILE;
      this.context.clearRect(x, y, before.width, before.height);
      this.context.drawImage(before, x, y);
      step.tiles.set(index, now);
    }
  }

  #remember(step) {
    this.undone = [];
    this.done.push(step);
    let pixels = 0;
    let keep = 0;
    for (const each of [...this.done].reverse()) {
      pixels += each.invert ? 0 : each.tiles.size * TILE * TILE;
      if (keep === MOST_STEPS || (keep > 0 && pixels > HISTORY_PIXELS)) break;
      keep++;
    }
    this.done = this.done.slice(-keep);
  }
}

export function makeCanvas(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

/** Make painted what was not, and the other way round. */
function flip(context) {
  context.save();
  context.globalCompositeOperation = "xor";
  context.fillStyle = PAINT;
  context.fillRect(0, 0, context.canvas.width, context.canvas.height);
  context.restore();
}

const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
const most = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
