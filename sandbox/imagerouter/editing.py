"""What the invented models make of input images: pictures that visibly come from them.

Like `drawing`, everything here blocks and belongs in a thread.
"""

import hashlib
import io
import random
from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageChops, ImageDraw, ImageOps

from sandbox.imagerouter.catalogue import Effect
from sandbox.imagerouter.drawing import LARGEST_SIDE, caption, colour, encode, parse_size

_LEAST_TINT: Final = 150
_ENLARGED: Final = 4
_TILES: Final = 48
"""On the longer side of a traced picture."""
_LIKE_THE_GROUND: Final = 40
"""How much of 255 a grey may differ from the ground that is cut away."""


class UnusableInput(ValueError):
    """An input is no picture that can be opened."""


def redraw(
    prompt: str,
    images: Sequence[bytes],
    mask: bytes | None,
    *,
    model: str,
    effect: Effect,
    size: str,
    kind: str,
) -> bytes:
    """Make a picture of the first image, as `effect` says.

    `paint` tints it in a colour of the prompt's own, inside the mask if there is one, and lays the
    other images over it small. Transparent, or else white, parts of a mask are the ones to change;
    a mask of another size is stretched.

    Raises:
        UnusableInput: an image or the mask can't be opened.
    """
    opened = [_open(data) for data in images]
    area = _area(_open(mask)) if mask is not None else None
    if effect == "trace":
        return _trace(_flat(opened[0]))
    if effect == "cut_out":
        return encode(_cut_out(opened[0]), "png" if kind == "jpeg" else kind)
    if effect == "enlarge":
        return encode(_enlarge(opened[0]), kind)
    painted = _paint(prompt, opened, area, size=size)
    if area is None:
        # With a mask, what lies outside of it stays as it was, to the last pixel.
        caption(painted, prompt or model, model)
    return encode(painted, kind)


def _paint(
    prompt: str, images: Sequence[Image.Image], area: Image.Image | None, *, size: str
) -> Image.Image:
    base = _flat(images[0])
    if size == "auto":
        base.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    else:
        base = ImageOps.fit(base, parse_size(size))
    seed = hashlib.sha256(prompt.encode()).digest()
    tint = colour(random.Random(seed).random(), 0.75, 0.55)  # noqa: S311 - decoration
    grey = ImageOps.grayscale(base).convert("RGB")
    tinted = ImageChops.screen(grey, Image.new("RGB", base.size, tint))
    where = (
        Image.new("L", base.size, _LEAST_TINT)
        if area is None
        else area.resize(base.size, Image.Resampling.NEAREST)
    )
    base.paste(tinted, (0, 0), where)
    side = max(24, min(base.size) // 5)
    for place, extra in enumerate(images[1:]):
        small = ImageOps.fit(_flat(extra), (side, side))
        base.paste(small, (8 + (side + 8) * (place % 4), 8 + (side + 8) * (place // 4)))
    return base


def _enlarge(picture: Image.Image) -> Image.Image:
    factor = min(_ENLARGED, LARGEST_SIDE / max(picture.size))
    width, height = (max(1, round(side * factor)) for side in picture.size)
    return _flat(picture).resize((width, height), Image.Resampling.LANCZOS)


def _cut_out(picture: Image.Image) -> Image.Image:
    """Make the ground transparent: what looks like the upper left corner, else the corners."""
    picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    cut = _flat(picture)
    corner = Image.new("RGB", cut.size, cut.getpixel((0, 0)))
    unlike = ImageOps.grayscale(ImageChops.difference(cut, corner))
    figure = unlike.point(lambda grey: 255 if grey > _LIKE_THE_GROUND else 0)
    if figure.getextrema() == (0, 0):
        width, height = cut.size
        ImageDraw.Draw(figure).ellipse((0, 0, width - 1, height - 1), fill=255)
    cut.putalpha(figure)
    return cut


def _trace(picture: Image.Image) -> bytes:
    """Write the picture as a mosaic of squares, which is an SVG."""
    width, height = picture.size
    factor = min(1.0, _TILES / max(width, height))
    tiles = picture.resize((max(1, round(width * factor)), max(1, round(height * factor))))
    squares = "".join(
        f'<rect x="{index % tiles.width}" y="{index // tiles.width}" width="1" height="1"'
        f' fill="#{pixel.hex()}"/>'
        for index, pixel in enumerate(_pixels(tiles))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {tiles.width} {tiles.height}" shape-rendering="crispEdges">{squares}</svg>'
    ).encode()


def _pixels(picture: Image.Image) -> list[bytes]:
    raw = picture.tobytes()
    return [raw[start : start + 3] for start in range(0, len(raw), 3)]


def _open(data: bytes) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(data))
        picture.draft("RGB", (LARGEST_SIDE, LARGEST_SIDE))
        picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnusableInput("not a picture") from error
    return picture


def _flat(picture: Image.Image) -> Image.Image:
    """Return a copy without transparency, on white."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    shown = picture.convert("RGBA")
    flat = Image.new("RGB", shown.size, "white")
    flat.paste(shown, (0, 0), shown.getchannel("A"))
    return flat


def _area(mask: Image.Image) -> Image.Image:
    """Return what a mask marks, white on black."""
    alpha = mask.getchannel("A") if "A" in mask.getbands() else None
    if alpha is not None and alpha.getextrema() != (255, 255):
        return ImageChops.invert(alpha)
    return mask.convert("L")
