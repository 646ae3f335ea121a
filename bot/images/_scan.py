"""The structure of a JPEG, PNG or WebP file, from its first byte to its last, without decoding it.

Says whether a file is whole and plain, and which of its bytes are the picture, so that metadata
(where a photo was taken!) can be left out without touching a pixel. Everything that is not known
to be harmless is left out. A file that is unusual in any way gets no answer here: it goes to the
worker, which decodes it. The bytes are looked at once, piece by piece, as they come: whoever has
them passes them on, and a scan is a coroutine that waits for the next piece.
"""

import types
from collections.abc import Generator, Iterator
from typing import BinaryIO, Final, NamedTuple

from msgspec import Struct

from bot.images._sniff import Kind

READ: Final = 256 * 1024
"""Bytes that are read at a time where a file is looked at that lies on the disk."""


class Unclear(Exception):
    """The file is cut off, damaged, or has something that only a decoder can judge."""


class Span(NamedTuple):
    """Bytes of the file, from `start` up to but without `end`."""

    start: int
    end: int


@types.coroutine
def _next_piece() -> Generator[None, bytes, bytes]:
    """Wait for the bytes that come next; none are the end."""
    return (yield)


class Window:
    """The piece of a file that just goes by. What was passed is gone: there is no way back."""

    def __init__(self) -> None:
        self._start = 0
        self._held = memoryview(b"")
        self._ended = False

    async def ahead(self, start: int, *, at_least: int = 1) -> memoryview:
        """What is there from `start` on: at least so many bytes, or up to the file's end."""
        if start < self._start:
            raise Unclear
        while not self._ended and start + at_least > self._start + len(self._held):
            left = self._held[start - self._start :]
            piece = await _next_piece()
            self._ended = not piece
            self._start += len(self._held) - len(left)
            self._held = memoryview(b"".join((left, piece)) if left else piece)
        return self._held[start - self._start :]

    async def at(self, start: int, size: int) -> bytes:
        """Exactly `size` bytes from `start`.

        Raises:
            Unclear: the file ends before.
        """
        data = bytes((await self.ahead(start, at_least=size))[:size])
        if len(data) < size:
            raise Unclear
        return data


class Layout(Struct, frozen=True):
    """A whole, plain, upright picture of one frame, and where its bytes are."""

    kind: Kind
    width: int
    """Pixels, as is `height`."""
    height: int
    has_alpha: bool
    """Whether pixels may be transparent."""
    pieces: tuple[Span | bytes, ...]
    """What the file is without its metadata: bytes of its own, and rewritten headers."""

    @property
    def size(self) -> int:
        """Bytes of the pieces."""
        return sum(
            len(piece) if isinstance(piece, bytes) else piece.end - piece.start
            for piece in self.pieces
        )

    def is_untouched(self, size: int) -> bool:
        """Whether the pieces are the whole file of `size` bytes, as it is."""
        return self.pieces == (Span(0, size),)

    def read(self, file: BinaryIO) -> Iterator[bytes]:
        """The bytes of the pieces, at most `READ` at a time.

        Raises:
            Unclear: the file has become shorter.
        """
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                yield from _read_span(file, piece)


def _read_span(file: BinaryIO, span: Span) -> Iterator[bytes]:
    file.seek(span.start)
    left = span.end - span.start
    while left > 0:
        data = file.read(min(left, READ))
        if not data:
            raise Unclear
        left -= len(data)
        yield data


class Pieces:
    """Gathers pieces; neighbours become one."""

    def __init__(self) -> None:
        self._pieces: list[Span | bytes] = []

    def keep(self, start: int, end: int) -> None:
        """Keep these bytes of the file."""
        last = self._pieces[-1] if self._pieces else None
        if isinstance(last, Span) and last.end == start:
            self._pieces[-1] = Span(last.start, end)
        else:
            self._pieces.append(Span(start, end))

    def insert(self, data: bytes) -> None:
        """Put `data` where the file has something else."""
        self._pieces.append(data)

    def all(self) -> tuple[Span | bytes, ...]:
        """What has been gathered."""
        return tuple(self._pieces)


_ORIENTATION: Final = 0x0112
_TURNED: Final = range(2, 9)
"""1 is upright; anything else is nonsense, which turns nothing."""
_ENTRY: Final = 12
_SHORT: Final = 3
_MAX_ENTRIES: Final = 1_000
_MAX_EXIF: Final = 64 * 1024


async def check_upright(file: Window, span: Span) -> None:
    """Judge an EXIF block: a TIFF header and its first directory (Exif 2.32, section 4.6.2).

    Raises:
        Unclear: the picture is to be turned, or the block is too large for one.
    """
    if span.end - span.start > _MAX_EXIF:
        raise Unclear
    block = await file.at(span.start, span.end - span.start)
    block = block.removeprefix(b"Exif\x00\x00")
    if _orientation(block, little=block.startswith(b"II")) in _TURNED:
        raise Unclear


def _orientation(block: bytes, *, little: bool) -> int:
    """The tag's value; 0 when there is none, since an unreadable block turns nothing."""

    def number(start: int, size: int) -> int:
        return int.from_bytes(block[start : start + size], "little" if little else "big")

    directory = number(4, 4)
    for index in range(min(number(directory, 2), _MAX_ENTRIES)):
        entry = directory + 2 + index * _ENTRY
        if number(entry, 2) == _ORIENTATION:
            return number(entry + 8, 2 if number(entry + 2, 2) == _SHORT else 4)
    return 0
