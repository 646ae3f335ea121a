// The canvas that people see: picture, mask as a tint, shapes being drawn, and the brush's circle.
//
// `scale` is screen (CSS) pixels for each picture pixel; `x` and `y` are where the picture's corner is.

import { makeCanvas } from "./mask.js";

const MOST_SCALE = 32;
const MARGIN = 24;
const TINT = "rgb(242 60 90 / 50%)";
const STRIPE = "rgb(255 255 255 / 50%)";

export class View {
  constructor(canvas, picture, mask) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.picture = picture;
    this.mask = mask;
    this.tint = makeCanvas(1, 1);
    this.soft = null; // what the feathered mask looks like
    this.shape = null; // { points, cut }: a lasso or rectangle being drawn
    this.cursor = null; // { x, y, size } in picture pixels
    this.insets = () => [{ top: MARGIN, right: MARGIN, bottom: MARGIN, left: MARGIN }];
    this.onzoom = () => {};
    this.fitted = true;
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.frame = 0;
    new ResizeObserver(() => this.resize()).observe(canvas);
    this.recolour();
    this.resize();
  }

  /** Take the theme's colours. */
  recolour() {
    const style = getComputedStyle(document.documentElement);
    this.checks = checks(this.context, style.getPropertyValue("--check-a"), style.getPropertyValue("--check-b"));
    this.edge = style.getPropertyValue("--line-strong");
    this.draw();
  }

  resize() {
    const { clientWidth, clientHeight } = this.canvas;
    const ratio = devicePixelRatio || 1;
    this.ratio = ratio;
    this.canvas.width = this.tint.width = Math.max(1, Math.round(clientWidth * ratio));
    this.canvas.height = this.tint.height = Math.max(1, Math.round(clientHeight * ratio));
    this.stripes = stripes(this.context, ratio);
    if (this.fitted) this.fit();
    else this.#hold();
  }

  /** Show all of the picture, as large as it can be. */
  fit() {
    const places = this.insets().map((free) => this.#within(free));
    Object.assign(this, places.reduce((a, b) => (b.scale > a.scale ? b : a)));
    this.fitted = true;
    this.#changed();
  }

  /** Where the picture is when all of it is shown and these edges of the canvas are left free. */
  #within({ top, right, bottom, left }) {
    const width = Math.max(40, this.canvas.clientWidth - left - right);
    const height = Math.max(40, this.canvas.clientHeight - top - bottom);
    const scale = Math.min(width / this.mask.width, height / this.mask.height, 4);
    const x = left + (width - this.mask.width * scale) / 2;
    const y = top + (height - this.mask.height * scale) / 2;
    return { x, y, scale };
  }

  /** Zoom by a factor, with the given point of the canvas staying where it is. */
  zoom(factor, at = { x: this.canvas.clientWidth / 2, y: this.canvas.clientHeight / 2 }) {
    const least = Math.min(1, 60 / Math.max(this.mask.width, this.mask.height));
    const scale = Math.min(MOST_SCALE, Math.max(least, this.scale * factor));
    this.x = at.x - ((at.x - this.x) * scale) / this.scale;
    this.y = at.y - ((at.y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.fitted = false;
    this.#hold();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.fitted = false;
    this.#hold();
  }

  /** Where a point of the canvas (CSS pixels) is in the picture. */
  toPicture(x, y) {
    return { x: (x - this.x) / this.scale, y: (y - this.y) / this.scale };
  }

  /** Draw at the next frame. */
  draw() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.#paint();
    });
  }

  /** Keep a piece of the picture in sight. */
  #hold() {
    const { clientWidth, clientHeight } = this.canvas;
    const keep = 60;
    this.x = Math.min(clientWidth - keep, Math.max(keep - this.mask.width * this.scale, this.x));
    this.y = Math.min(clientHeight - keep, Math.max(keep - this.mask.height * this.scale, this.y));
    this.#changed();
  }

  #changed() {
    // For whoever automates the page: where the picture's corner is, and how large a pixel of it.
    this.canvas.dataset.place = [this.x, this.y, this.scale].join(" ");
    this.onzoom(this.scale);
    this.draw();
  }

  #paint() {
    const { context, canvas, ratio } = this;
    const { width, height } = this.mask;
    const place = [this.x * ratio, this.y * ratio, width * this.scale * ratio, height * this.scale * ratio];
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = this.checks;
    context.fillRect(...place);
    // Enlarged pixels are shown as such, so that one can see what one paints.
    context.imageSmoothingEnabled = this.scale * ratio < 4;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.picture, ...place);
    this.#paintTint(place);
    context.strokeStyle = this.edge;
    context.lineWidth = ratio;
    context.strokeRect(place[0] - ratio / 2, place[1] - ratio / 2, place[2] + ratio, place[3] + ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (this.shape) this.#outline(this.shape);
    if (this.cursor) this.#circle(this.cursor);
  }

  #paintTint(place) {
    const { tint, context } = this;
    const layer = tint.getContext("2d");
    layer.globalCompositeOperation = "copy";
    layer.imageSmoothingEnabled = this.scale * this.ratio < 4;
    layer.drawImage(this.soft ?? this.mask.canvas, ...place);
    layer.globalCompositeOperation = "source-in";
    layer.fillStyle = this.stripes;
    layer.fillRect(0, 0, tint.width, tint.height);
    context.drawImage(tint, 0, 0);
  }

  #outline({ points, cut }) {
    const { context } = this;
    context.beginPath();
    for (const point of points) context.lineTo(this.x + point.x * this.scale, this.y + point.y * this.scale);
    context.closePath();
    context.fillStyle = cut ? "rgb(255 255 255 / 25%)" : "rgb(242 60 90 / 25%)";
    context.fill();
    context.lineWidth = 1.5;
    context.strokeStyle = "#fff";
    context.setLineDash([]);
    context.stroke();
    context.strokeStyle = "#17181c";
    context.setLineDash([5, 5]);
    context.stroke();
    context.setLineDash([]);
  }

  #circle({ x, y, size }) {
    const { context } = this;
    const radius = Math.max(1.5, (size * this.scale) / 2);
    const middle = [this.x + x * this.scale, this.y + y * this.scale];
    for (const [line, colour] of [[3, "rgb(0 0 0 / 45%)"], [1.4, "#fff"]]) {
      context.beginPath();
      context.arc(...middle, radius, 0, 2 * Math.PI);
      context.lineWidth = line;
      context.strokeStyle = colour;
      context.stroke();
    }
  }
}

/** A tint with slanted stripes: it stands out from pictures of any colour. */
function stripes(context, ratio) {
  const side = Math.round(10 * ratio);
  const tile = makeCanvas(side, side);
  const paint = tile.getContext("2d");
  paint.fillStyle = TINT;
  paint.fillRect(0, 0, side, side);
  paint.strokeStyle = STRIPE;
  paint.lineWidth = 1.3 * ratio;
  for (const shift of [-side, 0, side]) {
    paint.beginPath();
    paint.moveTo(shift - ratio, side + ratio);
    paint.lineTo(shift + side + ratio, -ratio);
    paint.stroke();
  }
  return context.createPattern(tile, "repeat");
}

/** What shows through where the picture is transparent. */
function checks(context, light, dark) {
  const tile = makeCanvas(20, 20);
  const paint = tile.getContext("2d");
  paint.fillStyle = light || "#fff";
  paint.fillRect(0, 0, 20, 20);
  paint.fillStyle = dark || "#ddd";
  paint.fillRect(0, 0, 10, 10);
  paint.fillRect(10, 10, 10, 10);
  return context.createPattern(tile, "repeat");
}
