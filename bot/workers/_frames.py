"""How the bot and a worker talk: frames of a JSON header and a payload.

A frame is the header's length and the payload's length (two unsigned 32-bit big-endian numbers),
the header, the payload. The worker's end is here whole, because it may block; the bot's end reads
and writes in small pieces and is in `bot.workers._process`.
"""

import json
import struct
from collections.abc import Mapping
from typing import BinaryIO, Final

PREFIX: Final = struct.Struct(">II")
PIECE: Final = 128 * 1024
"""Bytes that are held at a time on the bot's end."""
MAX_HEADER: Final = 4_096


class BrokenStream(Exception):
    """The other side closed the stream or does not keep to the protocol."""


def pack_frame(header: Mapping[str, object], payload_size: int) -> bytes:
    """Return a frame up to its payload, which the caller sends after it."""
    encoded = json.dumps(dict(header)).encode()
    return PREFIX.pack(len(encoded), payload_size) + encoded


def unpack_prefix(prefix: bytes, *, max_payload: int) -> tuple[int, int]:
    """Return the lengths of header and payload in bytes.

    Raises:
        BrokenStream: when either is more than may come.
    """
    header_size, payload_size = PREFIX.unpack(prefix)
    if header_size > MAX_HEADER or payload_size > max_payload:
        raise BrokenStream
    return int(header_size), int(payload_size)


def read_frame(stream: BinaryIO, *, max_payload: int) -> tuple[bytes, bytes] | None:
    """Wait for the next frame's header and payload; None when no more will come."""
    prefix = stream.read(PREFIX.size)
    if len(prefix) < PREFIX.size:
        return None
    header_size, payload_size = unpack_prefix(prefix, max_payload=max_payload)
    header, payload = stream.read(header_size), stream.read(payload_size)
    return None if len(payload) < payload_size else (header, payload)
