"""Decode a picture that a stranger made, and encode it to fit. Runs in the worker only.

Needs Pillow, which is why the bot's own process never imports this module.
"""

import contextlib
import io
import math
from collections.abc import Iterator
from typing import Final

from PIL import (
    AvifImagePlugin,
    Image,
    ImageCms,
    ImageOps,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
    features,
)

from bot.images import _svg
from bot.images._sniff import Kind, sniff, too_many_pixels
from bot.images._types import Reason, UnusablePicture
from bot.images._wire import FitOrder

_PILLOW_NAMES: Final = {
    Kind.PNG: "PNG",
    Kind.JPEG: "JPEG",
    Kind.WEBP: "WEBP",
    Kind.GIF: "GIF",
    Kind.AVIF: "AVIF",
    Kind.TIFF: "TIFF",
    Kind.BMP: "BMP",
}

# Pillow's own bomb check warns before it refuses; `_check_pixels` is the one limit here.
Image.MAX_IMAGE_PIXELS = None

# Named here so that they are loaded; Pillow would look for them only when it needs them.
_PLUGINS: Final = (AvifImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin)

_QUALITIES: Final = (92, 85, 75, 62)
_SCALED_QUALITY: Final = 75
_BYTES_AT_SCALED_QUALITY: Final = {92: 0.5, 85: 0.75, 75: 1.0, 62: 1.2}
"""Roughly how many bytes the same pixels take at `_SCALED_QUALITY`, by the quality they had."""

_HOPELESS: Final = 3
"""So many times too big at the best quality: only fewer pixels will help."""

_GENTLE_SIDE: Final = 1_024
"""Pixels of the longer side under which a picture is not scaled unless it must be."""
_SMALLEST_SIDE: Final = 64
_LAST_QUALITY: Final = 40
_WEBP_SIDE: Final = 16_383
_CAREFUL_BELOW: Final = 16_000_000
"""Pixels up to which JPEG's best compression is worth nine times the time."""
_QUICK_ABOVE: Final = 1_500_000
"""Pixels from which WebP's quick method is used: a quarter of the time, about the same bytes."""


def warm_up() -> None:
    """Use every decoder and encoder once, because no file can be opened afterwards."""
    _svg.warm_up()
    small = Image.new("RGBA", (2, 2), (0, 0, 0, 0))
    for plugin in _PLUGINS:
        if plugin is AvifImagePlugin and not features.check("avif"):
            continue
        out = io.BytesIO()
        small.save(out, plugin.__name__.removeprefix("PIL.").removesuffix("ImagePlugin"))
        order = FitOrder(max_bytes=2**20, cpu_s=1, prefer="jpeg", shrink=False)
        fit(order, out.getvalue())


def fit(order: FitOrder, data: bytes) -> bytes | None:
    """Return the picture in at most `order.max_bytes` bytes, or None when that would spoil it.

    The result is PNG, JPEG or WebP, upright (EXIF orientation applied), in sRGB, its first frame
    alone, and without any metadata.

    Raises:
        UnusablePicture: the bytes cannot be decoded.
    """
    kind = sniff(data)
    if kind is None:
        raise UnusablePicture(Reason.NOT_A_PICTURE if data else Reason.EMPTY)
    image = decode(kind, data)
    prefer = order.prefer or ("jpeg" if kind is Kind.JPEG else "png")
    for candidate in candidates(
        image, prefer=prefer, max_bytes=order.max_bytes, shrink=order.shrink
    ):
        if len(candidate) <= order.max_bytes:
            return candidate
    return None


def decode(kind: Kind, data: bytes) -> Image.Image:
    """Return the first frame, upright, as RGB or (where anything is transparent) RGBA.

    Raises:
        UnusablePicture: too many pixels, damaged, or a format that this Pillow cannot read.
    """
    if kind is Kind.SVG:
        kind, data = Kind.PNG, _svg.render(data)
    name = _PILLOW_NAMES.get(kind)
    if name is None or (kind is Kind.AVIF and not features.check("avif")):
        raise UnusablePicture(Reason.UNSUPPORTED)
    try:
        # One decoder only, the one that the first bytes call for.
        image: Image.Image = Image.open(io.BytesIO(data), formats=[name])
        _check_pixels(image)
        image.load()
        image = _plain(_in_srgb(_upright(image)), kind)
    except (UnusablePicture, MemoryError):
        raise
    except Exception as error:
        raise UnusablePicture(Reason.DAMAGED) from error
    image.info = {}  # savers copy comments, profiles and EXIF (places!) from here
    return image


def _check_pixels(image: Image.Image) -> None:
    """Judge what the header states, before anything is decoded."""
    if too_many_pixels(image.size):
        raise UnusablePicture(Reason.TOO_MANY_PIXELS)


def _upright(image: Image.Image) -> Image.Image:
    with contextlib.suppress(Exception):  # an unreadable EXIF block turns nothing
        return ImageOps.exif_transpose(image)
    return image


def _in_srgb(image: Image.Image) -> Image.Image:
    """Apply the embedded colour profile, since it is not kept."""
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or image.mode not in {"RGB", "RGBA", "CMYK", "L"}:
        return image
    with contextlib.suppress(ImageCms.PyCMSError, OSError):
        converted = ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGBA" if image.mode == "RGBA" else "RGB",
        )
        if converted is not None:
            return converted
    return image


def _plain(image: Image.Image, kind: Kind) -> Image.Image:
    """Bring any mode to RGB, or to RGBA where some pixel is not opaque."""
    if kind is Kind.PNG and (image.mode == "I" or image.mode.startswith("I;16")):
        # Its 16 bits are shades from black to white, not measurements.
        return image.convert("I").point(lambda value: value * (1 / 257)).convert("RGB")
    if image.mode.startswith("I;16"):
        image = image.convert("I")
    if image.mode in {"I", "F"}:  # scientific TIFFs: stretch what there is to what can be seen
        low, high = (float(bound) for bound in image.getextrema()[:2])  # type: ignore[arg-type]  # one band: two numbers
        span = (high - low) or 1.0
        image = image.convert("F").point(lambda value: value * (255.0 / span) - low * 255.0 / span)
        return image.convert("L").convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    lowest_alpha, _ = image.getchannel("A").getextrema()
    return image.convert("RGB") if lowest_alpha == 255 else image  # noqa: PLR2004 - opaque


def candidates(image: Image.Image, *, prefer: str, max_bytes: int, shrink: bool) -> Iterator[bytes]:
    """Yield ever smaller encodings, the best first.

    `prefer` is `png` (then WebP), `jpeg` or `webp`. Without `shrink` they end where it would spoil
    the picture; with it, they go on to a thumbnail.
    """
    lossy = "jpeg" if prefer == "jpeg" else "webp"
    if prefer == "png":
        yield encode(image, "png", 100)
    if lossy == "webp" and max(image.size) > _WEBP_SIDE:
        image = scaled(image, _WEBP_SIDE / max(image.size))
    expected = 0.0
    for quality in _QUALITIES:
        encoded = encode(image, lossy, quality)
        yield encoded
        expected = len(encoded) * _BYTES_AT_SCALED_QUALITY[quality]
        if len(encoded) > _HOPELESS * max_bytes:
            break
    yield from _smaller_candidates(image, lossy, max_bytes=max_bytes, shrink=shrink, size=expected)


def _smaller_candidates(
    image: Image.Image, lossy: str, *, max_bytes: int, shrink: bool, size: float
) -> Iterator[bytes]:
    """Scale down step by step, to a side that still shows something.

    `size` is what the picture would take in bytes at `_SCALED_QUALITY` as it is.
    """
    floor = _SMALLEST_SIDE if shrink else _GENTLE_SIDE
    side = max(image.size)
    while side > floor:
        # Bytes go with the area; a little less, so that the next try is mostly the last.
        step = min(0.9, 0.95 * math.sqrt(max_bytes / max(1.0, size)))
        side = max(floor, int(side * step))
        image = scaled(image, side / max(image.size))
        encoded = encode(image, lossy, _SCALED_QUALITY)
        size = len(encoded)
        yield encoded
    yield encode(image, lossy, _LAST_QUALITY if shrink else _QUALITIES[-1])


def scaled(image: Image.Image, factor: float) -> Image.Image:
    """The picture with both sides times `factor`, at least one pixel each."""
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def encode(image: Image.Image, name: str, quality: int) -> bytes:
    """The picture as `png`, `jpeg` (on white) or `webp` of this `quality` (1 to 100)."""
    out = io.BytesIO()
    if name == "png":
        image.save(out, "PNG")
    elif name == "jpeg":
        small = image.width * image.height <= _CAREFUL_BELOW
        on_white(image).save(out, "JPEG", quality=quality, optimize=small, progressive=small)
    else:
        method = 1 if image.width * image.height > _QUICK_ABOVE else 4
        image.save(out, "WEBP", quality=quality, method=method)
    return out.getvalue()


def on_white(image: Image.Image) -> Image.Image:
    """Lay a transparent picture on white, as paper would show it."""
    if image.mode == "RGB":
        return image
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.getchannel("A"))
    return paper
