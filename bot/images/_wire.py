"""How the bot and its picture worker talk: frames of a JSON header and a payload.

A frame is the header's length and the payload's length (two unsigned 32-bit big-endian numbers),
the header, the payload. The worker's end is here whole, because it may block; the bot's end reads
and writes in small pieces and is in `bot.images._process`.
"""

import json
import struct
from dataclasses import asdict, dataclass
from typing import BinaryIO, Final

PREFIX: Final = struct.Struct(">II")
MAX_HEADER: Final = 4_096
MAX_PAYLOAD: Final = 256 * 1024 * 1024
"""Bytes; a larger number is a broken stream, not a picture."""


class BrokenStream(Exception):
    """The other side closed the stream or does not keep to the protocol."""


@dataclass(frozen=True, slots=True)
class FitOrder:
    """What the worker shall make of the picture that follows."""

    max_bytes: int
    prefer: str | None
    """`webp`, `jpeg`, `png`, or None for whatever suits the picture."""
    shrink: bool
    """Go on making it smaller where it would otherwise be given up."""
    cpu_s: int
    """Seconds of processor time for this order."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of an order; the picture follows unless one of the two says otherwise."""

    refused: str | None = None
    """A `Reason`, when the bytes are no usable picture."""
    too_large: bool = False


def pack(message: FitOrder | Reply, payload_size: int) -> bytes:
    """Return the frame up to its payload, which the caller sends after it."""
    header = json.dumps(asdict(message)).encode()
    return PREFIX.pack(len(header), payload_size) + header


def unpack_prefix(prefix: bytes, *, max_payload: int) -> tuple[int, int]:
    """Return the lengths of header and payload in bytes.

    Raises:
        BrokenStream: when either is more than may come.
    """
    header_size, payload_size = PREFIX.unpack(prefix)
    if header_size > MAX_HEADER or payload_size > max_payload:
        raise BrokenStream
    return int(header_size), int(payload_size)


def read_order(stream: BinaryIO) -> tuple[FitOrder, bytes] | None:
    """Wait for the next order and its picture; None when no more will come."""
    prefix = stream.read(PREFIX.size)
    if len(prefix) < PREFIX.size:
        return None
    header_size, payload_size = unpack_prefix(prefix, max_payload=MAX_PAYLOAD)
    header, payload = stream.read(header_size), stream.read(payload_size)
    if len(payload) < payload_size:
        return None
    return FitOrder(**json.loads(header)), payload


def parse_reply(header: bytes) -> Reply:
    """Read the worker's answer, which is trusted no more than the picture it has decoded.

    Raises:
        BrokenStream: when it is no `Reply`.
    """
    try:
        fields = json.loads(header)
    except ValueError as error:
        raise BrokenStream from error
    match fields:
        case {"refused": str() | None as refused, "too_large": bool() as too_large}:
            return Reply(refused=refused, too_large=too_large)
    raise BrokenStream
