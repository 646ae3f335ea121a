"""Masks: which part of a picture may change, and how that looks. Runs in the worker only.

In between, a mask is one grey band of the picture's size, its *editness*: 255 may change, 0 stays,
and soft edges lie between.
"""

from typing import Final

from PIL import Image, ImageChops

from bot.images._encode import candidates, decode, encode, on_white, scaled
from bot.images._sniff import sniff
from bot.images._types import Reason, UnusablePicture
from bot.images._wire import MaskOrder, PreviewOrder, Reply
from bot.requests import Area

_FULL: Final = 255
_MIDDLE: Final = 128

_SPECKS: Final = 12
"""Shades next to black or white that are black or white: JPEG never gets them quite right."""

_PREVIEW_SIDE: Final = 1_024
_STRIPE: Final = 12
"""Pixels of a preview, across a stripe."""
_TINTS: Final = ((255, 0, 128), (255, 255, 255))
"""Two colours that are far apart: whatever the picture's colour is, one of them shows on it."""
_TINT_STRENGTH: Final = 0.6


def make(order: MaskOrder, data: bytes) -> tuple[Reply, bytes]:
    """Return the mask as PNG, with what it covers.

    The area is white and transparent, the rest black and opaque: models read one or the other.

    Raises:
        UnusablePicture: the payload cannot be decoded; or it has no background.
    """
    size = (order.width, order.height)
    match order.area:
        case None:
            editness = _fitted(_drawn(_decoded(data)), size)
        case Area.BACKGROUND:
            editness = _background(_decoded(data), size)
        case area:
            editness = _outline(Area(area), size)
    if order.invert:
        editness = ImageChops.invert(editness)
    encoded = _encoded(editness)
    if len(encoded) > order.max_bytes:  # the softest of edges are the most expensive
        editness = _hard(editness)
        encoded = _encoded(editness)
    if len(encoded) > order.max_bytes:
        return Reply(too_large=True), b""
    return _measured(editness), encoded


def _decoded(data: bytes) -> Image.Image:
    kind = sniff(data)
    if kind is None:
        raise UnusablePicture(Reason.NOT_A_PICTURE)
    return decode(kind, data)


def _drawn(drawing: Image.Image) -> Image.Image:
    """Editness as somebody drew it: transparent, or else white."""
    if drawing.mode == "RGBA":
        return _without_specks(ImageChops.invert(drawing.getchannel("A")))
    return _without_specks(drawing.convert("L"))


def _without_specks(editness: Image.Image) -> Image.Image:
    shades = range(_FULL + 1)
    return editness.point(
        [0 if at <= _SPECKS else _FULL if at >= _FULL - _SPECKS else at for at in shades]
    )


def _fitted(editness: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Stretch to the picture's size; what had hard edges has hard edges afterwards."""
    if editness.size == size:
        return editness
    shades = editness.histogram()
    was_hard = shades[0] + shades[_FULL] == sum(shades)
    editness = editness.resize(size, Image.Resampling.BILINEAR)
    return _hard(editness) if was_hard else editness


def _hard(editness: Image.Image) -> Image.Image:
    return editness.point([_FULL if at >= _MIDDLE else 0 for at in range(_FULL + 1)])


def _background(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """What is transparent already; the size was told from the same file, and is checked."""
    if picture.mode != "RGBA":
        raise UnusablePicture(Reason.NO_BACKGROUND)
    if picture.size != size:
        raise UnusablePicture(Reason.DAMAGED)
    return ImageChops.invert(picture.getchannel("A"))


def _outline(area: Area, size: tuple[int, int]) -> Image.Image:
    """Editness of an area that has straight edges. Halves meet, or share the middle pixels."""
    width, height = size
    left, top, right, bottom = 0, 0, width, height
    inside, outside = _FULL, 0
    match area:
        case Area.LEFT:
            right = (width + 1) // 2
        case Area.RIGHT:
            left = width // 2
        case Area.TOP:
            bottom = (height + 1) // 2
        case Area.BOTTOM:
            top = height // 2
        case Area.CENTER:
            left, top = width // 4, height // 4
            right, bottom = width - left, height - top
        case Area.BORDER:
            left, top = max(1, width // 8), max(1, height // 8)
            right, bottom = max(left, width - left), max(top, height - top)
            inside, outside = 0, _FULL
    editness = Image.new("L", size, outside)
    editness.paste(inside, (left, top, right, bottom))
    return editness


def _encoded(editness: Image.Image) -> bytes:
    bands = (editness, editness, editness, ImageChops.invert(editness))
    return encode(Image.merge("RGBA", bands), "png", 100)


def _measured(editness: Image.Image) -> Reply:
    shades = editness.histogram()
    pixels = sum(shades)
    coverage = sum(at * count for at, count in enumerate(shades)) / (_FULL * pixels)
    if shades[0] == pixels:
        return Reply(coverage=coverage, covers="nothing")
    return Reply(coverage=coverage, covers="everything" if shades[_FULL] == pixels else None)


def preview(order: PreviewOrder, data: bytes) -> bytes | None:
    """Return the picture as a WebP of `order.max_bytes` bytes at most, its area striped.

    Raises:
        UnusablePicture: the picture or its mask cannot be decoded.
    """
    view = memoryview(data)
    picture = on_white(_small(_decoded(bytes(view[: order.picture_bytes]))))
    mask = _decoded(bytes(view[order.picture_bytes :]))
    editness = _drawn(mask).resize(picture.size, Image.Resampling.BILINEAR)
    strength = editness.point([round(at * _TINT_STRENGTH) for at in range(_FULL + 1)])
    shown = Image.composite(_stripes(picture.size), picture, strength)
    for encoded in candidates(shown, prefer="webp", max_bytes=order.max_bytes, shrink=True):
        if len(encoded) <= order.max_bytes:
            return encoded
    return None


def _small(image: Image.Image) -> Image.Image:
    long_side = max(image.size)
    return image if long_side <= _PREVIEW_SIDE else scaled(image, _PREVIEW_SIDE / long_side)


def _stripes(size: tuple[int, int]) -> Image.Image:
    """Diagonal stripes of the two tints."""
    width, height = size
    period = 2 * _STRIPE
    row = (b"\x00" * _STRIPE + b"\xff" * _STRIPE) * (width // period + 2)
    rows = (row[y % period : y % period + width] for y in range(height))
    pattern = Image.frombytes("L", size, b"".join(rows))
    first, second = (Image.new("RGB", size, tint) for tint in _TINTS)
    return Image.composite(first, second, pattern)
