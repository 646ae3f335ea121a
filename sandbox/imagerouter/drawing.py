"""Pictures drawn from a prompt, without any model: a layered landscape in the prompt's own colours.

The same prompt, model and number give the same picture. Everything here blocks and belongs in a
thread; the single steps are short, so that other threads get their turn.
"""

import hashlib
import io
import math
import random
import textwrap
from collections.abc import Sequence
from html import escape
from typing import Final, TypeAlias

from PIL import Image, ImageColor, ImageDraw, ImageFilter, ImageFont, ImageOps

Colour: TypeAlias = tuple[int, int, int]

MEDIA_TYPES: Final = {
    "webp": "image/webp",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "svg": "image/svg+xml",
    "tiff": "image/tiff",
}

_DEFAULT_SIDE: Final = 1024
LARGEST_SIDE: Final = 2048
_SMALLEST_SIDE: Final = 16
_CAPTION_CHARS: Final = 160
_HILLS: Final = 4
_STEPS: Final = 48


def parse_size(size: str) -> tuple[int, int]:
    """Turn `WIDTHxHEIGHT` or `auto` into pixels, within what is sensible to draw."""
    if size == "auto":
        return _DEFAULT_SIDE, _DEFAULT_SIDE
    width, height = (int(part) for part in size.split("x"))
    scale = min(1.0, LARGEST_SIDE / max(width, height, 1))
    return (
        max(_SMALLEST_SIDE, round(width * scale)),
        max(_SMALLEST_SIDE, round(height * scale)),
    )


def draw(prompt: str, *, model: str, number: int, size: str, kind: str) -> bytes:
    """Draw a picture of a prompt and encode it as `kind`."""
    seed = hashlib.sha256(f"{model}\n{number}\n{prompt}".encode()).digest()
    width, height = parse_size(size)
    if kind == "svg":
        return _svg(random.Random(seed), prompt, width, height)  # noqa: S311 - decoration
    picture = _landscape(random.Random(seed), width, height)  # noqa: S311 - decoration
    caption(picture, prompt or model, model)
    return encode(picture, kind)


def encode(picture: Image.Image, kind: str) -> bytes:
    """Encode quickly rather than small."""
    out = io.BytesIO()
    if kind == "webp":
        picture.save(out, "WEBP", quality=82, method=1)
    elif kind == "jpeg":
        picture.save(out, "JPEG", quality=88)
    elif kind == "tiff":
        picture.save(out, "TIFF")  # uncompressed: libtiff's compressors hold the interpreter
    else:
        picture.save(out, "PNG", compress_level=3)
    return out.getvalue()


def _landscape(chance: random.Random, width: int, height: int) -> Image.Image:
    hue = chance.random()
    top, middle, low = (
        colour(hue, 0.55, 0.32),
        colour(hue + 0.08, 0.6, 0.62),
        colour(hue + 0.16, 0.75, 0.85),
    )
    ramp = Image.linear_gradient("L").resize((width, height))
    picture = ImageOps.colorize(ramp, black=top, white=low, mid=middle)
    _sun(picture, chance, colour(hue + 0.2, 0.8, 0.93))
    for hill in range(_HILLS):
        depth = (hill + 1) / _HILLS
        _hill(picture, chance, depth, colour(hue + 0.5 + 0.04 * hill, 0.4, 0.58 - 0.42 * depth))
    _boat(picture, chance)
    return picture


def _sun(picture: Image.Image, chance: random.Random, colour: Colour) -> None:
    width, height = picture.size
    side = min(width, height)
    radius = side * chance.uniform(0.08, 0.16)
    x, y = width * chance.uniform(0.2, 0.8), height * chance.uniform(0.16, 0.42)
    glow = Image.new("L", (64, 64))
    ImageDraw.Draw(glow).ellipse((18, 18, 46, 46), fill=150)
    reach = int(radius * 4)
    glow = glow.filter(ImageFilter.GaussianBlur(7)).resize((reach, reach))
    picture.paste(colour, (int(x - reach / 2), int(y - reach / 2)), glow)
    ImageDraw.Draw(picture).ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _hill(picture: Image.Image, chance: random.Random, depth: float, colour: Colour) -> None:
    width, height = picture.size
    line = height * (0.42 + 0.42 * depth)
    waves = [
        (height * chance.uniform(0.02, 0.07), chance.uniform(1, 3.5), chance.uniform(0, math.tau))
        for _ in range(3)
    ]
    points = [(0.0, float(height)), *_ridge(width, line, waves), (float(width), float(height))]
    ImageDraw.Draw(picture).polygon(points, fill=colour)


def _ridge(
    width: int, line: float, waves: Sequence[tuple[float, float, float]]
) -> list[tuple[float, float]]:
    points = []
    for step in range(_STEPS + 1):
        along = step / _STEPS
        rise = sum(h * math.sin(math.tau * f * along + phase) for h, f, phase in waves)
        points.append((width * along, line - rise))
    return points


def _boat(picture: Image.Image, chance: random.Random) -> None:
    """Fold a paper boat, the sandbox's mark, so that nobody takes this for a model's work."""
    width, height = picture.size
    unit = min(width, height) * 0.035
    x, y = width * chance.uniform(0.2, 0.8), height * 0.68
    pen = ImageDraw.Draw(picture)
    pen.polygon(
        [
            (x - 3 * unit, y),
            (x + 3 * unit, y),
            (x + 2 * unit, y + 1.3 * unit),
            (x - 2 * unit, y + 1.3 * unit),
        ],
        fill=(250, 248, 240),
    )
    pen.polygon([(x - 1.3 * unit, y), (x, y - 2 * unit), (x + 1.3 * unit, y)], fill=(226, 222, 210))


def caption(picture: Image.Image, prompt: str, model: str) -> None:
    """Write the prompt and the model below, unless the picture is too small for it."""
    width, height = picture.size
    size = max(10, min(width, height) // 32)
    if height < size * 5:
        return
    font = ImageFont.load_default(size)
    words = " ".join("".join(c if c.isprintable() else " " for c in prompt).split())
    short = textwrap.shorten(words, _CAPTION_CHARS, placeholder="…") or words[:_CAPTION_CHARS]
    lines = textwrap.wrap(short, max(8, int(width / (size * 0.56))))[:3]
    strip = int(size * 1.35 * (len(lines) + 1) + size)
    band = picture.crop((0, height - strip, width, height))
    picture.paste(band.point(lambda value: value * 0.15), (0, height - strip))
    pen = ImageDraw.Draw(picture)
    y = height - strip + size // 2
    for line in lines:
        pen.text((size, y), line, font=font, fill=(255, 255, 255))
        y += int(size * 1.35)
    note = ImageFont.load_default(max(9, int(size * 0.75)))
    pen.text((size, y), f"{model} · drawn by the sandbox", font=note, fill=(200, 205, 215))


def _svg(chance: random.Random, prompt: str, width: int, height: int) -> bytes:
    hue = chance.random()
    top, low, ink = (
        "#{:02x}{:02x}{:02x}".format(*colour(hue + shift, 0.6, light))
        for shift, light in ((0.0, 0.3), (0.15, 0.8), (0.5, 0.2))
    )
    ridge = " ".join(
        f"{x:.0f},{y:.0f}" for x, y in _ridge(width, height * 0.7, [(height * 0.08, 1.5, hue * 6)])
    )
    words = escape(textwrap.shorten(prompt, 60, placeholder="…"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}"><defs><linearGradient id="g" x1="0" y1="0" x2="0" y2="1">'
        f'<stop offset="0" stop-color="{top}"/><stop offset="1" stop-color="{low}"/>'
        f'</linearGradient></defs><rect width="100%" height="100%" fill="url(#g)"/>'
        f'<circle cx="{width * 0.7:.0f}" cy="{height * 0.3:.0f}" r="{min(width, height) * 0.1:.0f}"'
        f' fill="#fff6d8"/><polygon points="0,{height} {ridge} {width},{height}" fill="{ink}"/>'
        f'<text x="24" y="{height - 24}" font-family="sans-serif" font-size="{height // 28}" '
        f'fill="#fff">{words}</text></svg>'
    ).encode()


def colour(hue: float, saturation: float, lightness: float) -> Colour:
    """Give a colour; all numbers from 0 to 1, the hue going round."""
    text = f"hsl({hue % 1 * 360:.0f},{saturation * 100:.0f}%,{lightness * 100:.0f}%)"
    red, green, blue = ImageColor.getrgb(text)[:3]
    return red, green, blue
