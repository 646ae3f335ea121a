// What is made of a mask: soft edges, how much it covers, and the file that is sent.

import { makeCanvas } from "./mask.js";

const PREVIEW_SIDE = 900;

/** Return how much is painted (0 to 255 a pixel), `radius` picture pixels soft at its edges. */
export function alphaOf(mask, radius, side = Infinity) {
  const shrink = Math.min(1, side / Math.max(mask.canvas.width, mask.canvas.height));
  const width = Math.max(1, Math.round(mask.canvas.width * shrink));
  const height = Math.max(1, Math.round(mask.canvas.height * shrink));
  const canvas = makeCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(mask.canvas, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const alpha = new Uint8ClampedArray(width * height);
  for (let i = 0; i < alpha.length; i++) alpha[i] = data[4 * i + 3];
  const reach = Math.round((radius * mask.scale * shrink) / 2);
  return { alpha: reach ? soften(alpha, width, height, reach) : alpha, width, height };
}

/** A small picture of the soft mask, and the share of the picture that it covers. */
export function preview(mask, radius) {
  const { alpha, width, height } = alphaOf(mask, radius, PREVIEW_SIDE);
  let sum = 0;
  for (const value of alpha) sum += value;
  const share = sum / (255 * alpha.length);
  if (!radius) return { share, canvas: null };
  const image = new ImageData(width, height);
  for (let i = 0; i < alpha.length; i++) {
    image.data[4 * i] = image.data[4 * i + 1] = image.data[4 * i + 2] = 255;
    image.data[4 * i + 3] = alpha[i];
  }
  const canvas = makeCanvas(width, height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  return { share, canvas };
}

/** The mask as a PNG in the picture's own pixels: white and transparent is what shall change. */
export async function toPng(mask, radius) {
  const { alpha, width, height } = alphaOf(mask, radius);
  const image = new ImageData(width, height);
  for (let i = 0; i < alpha.length; i++) {
    image.data[4 * i] = image.data[4 * i + 1] = image.data[4 * i + 2] = alpha[i];
    image.data[4 * i + 3] = 255 - alpha[i];
  }
  const canvas = makeCanvas(width, height);
  canvas.getContext("2d").putImageData(image, 0, 0);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) throw new Error("this browser could not make a PNG of the mask");
  return blob;
}

/** Blur three times with a box, which looks like a Gaussian blur. */
function soften(alpha, width, height, reach) {
  let from = alpha;
  let to = new Uint8ClampedArray(alpha.length);
  const third = Math.max(1, Math.round(reach / 1.7));
  for (let pass = 0; pass < 3; pass++) {
    box(from, to, width, height, third, 1, width);
    [from, to] = [to, from];
    box(from, to, height, width, third, width, 1);
    [from, to] = [to, from];
  }
  return from;
}

/** Average along lines: `step` apart within a line, `next` from line to line; edges go on. */
function box(from, to, length, lines, reach, step, next) {
  const span = 2 * reach + 1;
  for (let line = 0; line < lines; line++) {
    const start = line * next;
    const at = (i) => from[start + Math.min(length - 1, Math.max(0, i)) * step];
    let sum = 0;
    for (let i = -reach; i <= reach; i++) sum += at(i);
    for (let i = 0; i < length; i++) {
      to[start + i * step] = sum / span;
      sum += at(i + reach + 1) - at(i - reach);
    }
  }
}
