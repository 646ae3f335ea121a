"""The structure of a JPEG, PNG or WebP file, from its first byte to its last, without decoding it.

Says whether a file is whole and plain, and which of its bytes are the picture, so that metadata
(where a photo was taken!) can be left out without touching a pixel. Everything that is not known
to be harmless is left out. A file that is unusual in any way gets no answer here: it goes to the
worker, which decodes it. Runs in a thread; a piece of the file is in memory at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from bot.images._sniff import Kind

READ: Final = 256 * 1024
"""Bytes in memory at a time. Each piece is one call, for which the thread lets others run."""


class Unclear(Exception):
    """The file is cut off, damaged, or has something that only a decoder can judge."""


class Span(NamedTuple):
    """Bytes of the file, from `start` up to but without `end`."""

    start: int
    end: int


class RawFile(Protocol):
    """A file without a buffer of its own, or bytes in memory that are read as one."""

    def seek(self, offset: int, /) -> int:
        """Go to a place, counted in bytes from the front."""

    def readinto(self, buffer: bytearray, /) -> int | None:
        """Read what fits, and return how many bytes that is: 0 at the end."""


class Window:
    """A file that is read in large pieces and looked at in small ones, mostly from front to back.

    What it gives is good until it is asked again: all pieces are read into the same memory.
    """

    def __init__(self, file: RawFile) -> None:
        self._file = file
        self._buffer = bytearray(READ)
        self._start = 0
        self._held = memoryview(b"")

    def at(self, start: int, size: int) -> bytes:
        """Exactly `size` bytes from `start`, at most `READ`.

        Raises:
            Unclear: the file ends before.
        """
        data = self.ahead(start, at_least=size)[:size]
        if len(data) < size:
            raise Unclear
        return bytes(data)

    def span(self, span: Span) -> Iterator[memoryview]:
        """The bytes of `span`, at most `READ` at a time.

        Raises:
            Unclear: the file ends before.
        """
        at = span.start
        while at < span.end:
            data = self.ahead(at)[: span.end - at]
            if not data:
                raise Unclear
            at += len(data)
            yield data

    def ahead(self, start: int, *, at_least: int = 1) -> memoryview:
        """What is held from `start` on: at least so many bytes, or up to the file's end."""
        skipped = start - self._start
        if skipped < 0 or skipped + at_least > len(self._held):
            self._file.seek(start)
            self._start, skipped = start, 0
            self._held = memoryview(self._buffer)[: self._file.readinto(self._buffer) or 0]
        return self._held[skipped:]


@dataclass(frozen=True, slots=True)
class Layout:
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

    def read(self, file: RawFile) -> Iterator[bytes | memoryview]:
        """The bytes of the pieces, at most `READ` at a time.

        Raises:
            Unclear: the file has become shorter.
        """
        window = Window(file)
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                yield from window.span(piece)


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


def check_upright(file: Window, span: Span) -> None:
    """Judge an EXIF block: a TIFF header and its first directory (Exif 2.32, section 4.6.2).

    Raises:
        Unclear: the picture is to be turned, or the block is too large for one.
    """
    if span.end - span.start > _MAX_EXIF:
        raise Unclear
    block = file.at(span.start, span.end - span.start).removeprefix(b"Exif\x00\x00")
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
