"""What the bot and its picture worker say to each other, in frames of `bot.workers`."""

import json
from typing import BinaryIO, Final, Literal

from msgspec import Struct
from msgspec.structs import asdict

from bot.workers import BrokenStream, pack_frame, read_frame

MAX_PAYLOAD: Final = 256 * 1024 * 1024
"""Bytes; a larger number is a broken stream, not a picture."""


class Order(Struct, frozen=True, kw_only=True):
    """What the worker shall make of the payload that follows."""

    max_bytes: int
    """The largest answer."""
    cpu_s: int
    """Seconds of processor time for this order."""


class FitOrder(Order, frozen=True, kw_only=True):
    """Make the picture one that Discord shows."""

    prefer: str | None
    """`webp`, `jpeg`, `png`, or None for whatever suits the picture."""
    shrink: bool
    """Go on making it smaller where it would otherwise be given up."""


class InputOrder(Order, frozen=True, kw_only=True):
    """Make the picture one that a model can be given."""


class MaskOrder(Order, frozen=True, kw_only=True):
    """Make a mask for a picture of `width` times `height` pixels.

    The payload is a drawn mask when `area` is None, the picture itself for its background, and
    empty for every other area.
    """

    width: int
    height: int
    area: str | None
    """A `bot.requests.Area`."""
    invert: bool


class PreviewOrder(Order, frozen=True, kw_only=True):
    """Show on a picture what its mask covers: the payload is the one, then the other."""

    picture_bytes: int
    """Where the mask begins."""


class Reply(Struct, frozen=True, kw_only=True):
    """What became of an order; a picture follows unless `refused` or `too_large` is set."""

    refused: str | None = None
    """A `Reason`, when the bytes are no usable picture."""
    too_large: bool = False
    """No answer within `max_bytes` is worth having."""
    coverage: float = 0.0
    """Of a mask: 0 to 1."""
    covers: Literal["nothing", "everything"] | None = None
    """Of a mask: whether it is one of the two exactly."""


_ORDERS: Final[dict[str, type[Order]]] = {
    kind.__name__: kind for kind in (FitOrder, InputOrder, MaskOrder, PreviewOrder)
}


def pack_order(order: Order, payload_size: int) -> bytes:
    """Return the frame up to its payload, which the caller sends after it."""
    return pack_frame({"order": type(order).__name__, "fields": asdict(order)}, payload_size)


def pack_reply(reply: Reply, payload_size: int) -> bytes:
    """Return the frame up to its payload, which the caller sends after it."""
    return pack_frame(asdict(reply), payload_size)


def read_order(stream: BinaryIO) -> tuple[Order, bytes] | None:
    """Wait for the next order and its payload; None when no more will come."""
    frame = read_frame(stream, max_payload=MAX_PAYLOAD)
    if frame is None:
        return None
    header, payload = frame
    message = json.loads(header)
    return _ORDERS[message["order"]](**message["fields"]), payload


def parse_reply(header: bytes) -> Reply:
    """Read the worker's answer, which is trusted no more than the picture it has decoded.

    Raises:
        BrokenStream: when it is no `Reply`.
    """
    try:
        fields = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise BrokenStream from error
    match fields:
        case {
            "refused": str() | None as refused,
            "too_large": bool() as too_large,
            "coverage": float() as coverage,
            "covers": ("nothing" | "everything" | None) as covers,
        } if 0.0 <= coverage <= 1.0:
            return Reply(refused=refused, too_large=too_large, coverage=coverage, covers=covers)
    raise BrokenStream
