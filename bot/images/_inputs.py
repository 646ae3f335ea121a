"""Make a stranger's picture one that a model can be given. Runs in the worker only."""

from collections.abc import Iterator
from typing import Final

from PIL import Image

from bot.images._encode import candidates, decode, encode
from bot.images._sniff import Kind, sniff
from bot.images._types import Reason, UnusablePicture
from bot.images._wire import InputOrder

_LOSSY: Final = frozenset({Kind.JPEG, Kind.AVIF})
"""Photos: as PNG they would be many times larger, and no better."""

_NEARLY_LOSSLESS: Final = 95
"""JPEG's quality where a photo is only turned, or its colours are changed."""

_HOPELESS: Final = 4
"""Decoded bytes over the bytes allowed, from which no PNG is tried: it would take long for nothing.
"""


def take_in(order: InputOrder, data: bytes) -> bytes | None:
    """Return the picture as PNG, JPEG or WebP of `order.max_bytes` bytes at most, or None.

    It is upright, in sRGB with 8 bits, its first frame alone, and without any metadata.

    Raises:
        UnusablePicture: the bytes cannot be decoded.
    """
    kind = sniff(data)
    if kind is None:
        raise UnusablePicture(Reason.NOT_A_PICTURE)
    image = decode(kind, data)
    for encoded in _encodings(image, kind, order, size=len(data)):
        if len(encoded) <= order.max_bytes:
            return encoded
    return None


def _encodings(image: Image.Image, kind: Kind, order: InputOrder, *, size: int) -> Iterator[bytes]:
    """Yield ever smaller encodings: as it was, then by quality, then by size."""
    opaque = image.mode == "RGB"
    decoded = image.width * image.height * len(image.mode)
    fits = size <= order.max_bytes and decoded <= _HOPELESS * order.max_bytes
    if opaque and kind in _LOSSY:
        yield encode(image, "jpeg", _NEARLY_LOSSLESS)
    elif fits:
        yield encode(image, "png", 100)
    # More models read JPEG than WebP, which is for what JPEG can't: transparency.
    prefer = "jpeg" if opaque else "webp"
    yield from candidates(image, prefer=prefer, max_bytes=order.max_bytes, shrink=True)
