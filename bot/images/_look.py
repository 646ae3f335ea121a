"""What is known of a stranger's file without decoding it: gathered while its bytes go by.

So a file that is being written is not read again, and one that lies on the disk is read once.
"""

from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from bot.images._scan import READ, Layout, Window
from bot.images._scan_formats import scan
from bot.images._sniff import TEXT_WINDOW, Kind, dimensions, sniff, too_many_pixels
from bot.images._types import Reason, UnusablePicture
from bot.images._wire import MAX_PAYLOAD

_REFUSED: Final = frozenset({Kind.SVG, Kind.HEIC})
"""Pillow reads no HEIC. A drawing can be made safe, but no model asks for one: less to go wrong."""
_SIZED_EARLY: Final = frozenset({Kind.PNG, Kind.WEBP, Kind.GIF})
"""Their size stands within the first bytes, or they are broken."""
_MANY: Final = 32
"""Pieces at once from which they are joined first: each costs a turn, however small it is."""


class Seen(Struct, frozen=True):
    """What a file looks like."""

    size: int
    """Bytes."""
    layout: Layout | None
    """None: for the worker to find out."""


class _Found(Struct, frozen=True):
    head: bytes
    kind: Kind | None
    layout: Layout | None


class Look:
    """Looks at one file, from its first byte to its last. Blocks: for threads."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Forget what was seen: the file comes from its start, perhaps again."""
        self._size = 0
        self._found: _Found | None = None
        self._looking: Coroutine[None, bytes, _Found] = _look(Window())
        self._pass_on(None)

    def see(self, pieces: Sequence[bytes]) -> None:
        """Look at the bytes that come next."""
        self._size += sum(map(len, pieces))
        for piece in pieces if len(pieces) <= _MANY else (b"".join(pieces),):
            if piece:
                self._pass_on(piece)

    def judge(self) -> Seen:
        """Say what it is, now that all bytes were seen.

        Raises:
            UnusablePicture: nothing can be made of it.
        """
        self._pass_on(b"")
        if self._found is None:
            raise AssertionError("unreachable: a look ends when the bytes do")
        head, kind, layout = self._found.head, self._found.kind, self._found.layout
        if kind is None:
            raise UnusablePicture(Reason.NOT_A_PICTURE if head else Reason.EMPTY)
        if kind in _REFUSED:
            raise UnusablePicture(Reason.UNSUPPORTED)
        if self._size > MAX_PAYLOAD:
            raise UnusablePicture(Reason.TOO_LARGE)
        pixels = dimensions(kind, head) if layout is None else (layout.width, layout.height)
        if pixels is None and kind in _SIZED_EARLY:
            raise UnusablePicture(Reason.DAMAGED)
        if pixels is not None and too_many_pixels(pixels):
            raise UnusablePicture(Reason.TOO_MANY_PIXELS)
        return Seen(self._size, layout)

    def _pass_on(self, piece: bytes | None) -> None:
        """Let the scan go on until it waits for more; None starts it."""
        if self._found is not None:
            return
        try:
            self._looking.send(piece)  # type: ignore[arg-type] # as every coroutine is started
        except StopIteration as done:
            self._found = done.value


async def _look(file: Window) -> _Found:
    head = bytes((await file.ahead(0, at_least=TEXT_WINDOW))[:TEXT_WINDOW])
    kind = sniff(head)
    return _Found(head, kind, None if kind is None else await scan(kind, file))


def look_at(path: Path) -> Seen:
    """Look at a file that is on the disk.

    Raises:
        UnusablePicture: nothing can be made of it.
    """
    look = Look()
    with path.open("rb", buffering=0) as file:
        while piece := file.read(READ):
            look.see((piece,))
    return look.judge()
