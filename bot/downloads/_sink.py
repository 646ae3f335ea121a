"""A file that is taken in piece by piece, off the event loop: to the disk, or to memory."""

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final, Protocol, Self

from bot.aside import aside
from bot.downloads._errors import FetchUnkept

_ENOUGH_BYTES: Final = 2 * 1024 * 1024
"""What is collected before a thread writes it: each turn of a thread costs its share."""
_ENOUGH_PIECES: Final = 256
"""Pieces may be a byte each; the object around it is not."""


class Onlooker(Protocol):
    """Sees the bytes of a file while they are written, in the thread that does so."""

    def begin(self) -> None:
        """Be told that the first bytes come next, perhaps again."""

    def see(self, pieces: Sequence[bytes], /) -> None:
        """Look at the next bytes."""


class Memory(Protocol):
    """Keeps a file that then need not be written, if it has room for all of it."""

    def takes(self, size: int, /) -> bool:
        """Say whether it keeps a file of `size` bytes, which then comes; perhaps asked again."""

    def keep(self, pieces: Sequence[bytes], /) -> None:
        """Take the next bytes, in a thread."""

    def drop(self) -> None:
        """Forget the file: not all of it came."""


class Sink:
    """Takes in a new file; it is gone again unless `keep` was reached. An async context manager.

    With `memory` it goes there; else to `path`, where nothing is before there is something to
    write.
    """

    def __init__(
        self, path: Path, onlooker: Onlooker | None = None, memory: Memory | None = None
    ) -> None:
        self._path = path
        self._onlooker = onlooker
        self._memory = memory
        self._complete = False
        if onlooker is not None:
            onlooker.begin()
        self._file: BinaryIO | None = None
        self._pieces: list[bytes] = []
        self._waiting = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._memory is not None and not self._complete:
            self._memory.drop()
        if self._file is not None:
            await aside(self._drop, self._file)

    async def write(self, piece: bytes) -> None:
        """Take the next bytes. Raises FetchUnkept, also when there is such a file already."""
        self._pieces.append(piece)
        self._waiting += len(piece)
        if self._waiting >= _ENOUGH_BYTES or len(self._pieces) >= _ENOUGH_PIECES:
            await self._flush(last=False)

    async def keep(self) -> None:
        """Take in what is left; the file stays. Raises FetchUnkept."""
        await self._flush(last=True)
        self._complete = True

    async def _flush(self, *, last: bool) -> None:
        pieces, self._pieces, self._waiting = self._pieces, [], 0
        try:
            await aside(self._write, pieces, last=last)
        except OSError as error:
            raise FetchUnkept(error.strerror or "") from None

    def _write(self, pieces: list[bytes], *, last: bool) -> None:
        if self._memory is not None:
            self._memory.keep(pieces)
        else:
            if self._file is None:
                self._file = self._path.open("xb", buffering=0)
            _write_all(self._file, pieces)
        if self._onlooker is not None:
            self._onlooker.see(pieces)
        if last and self._file is not None:
            self._file.close()
            self._file = None

    def _drop(self, file: BinaryIO) -> None:
        with contextlib.suppress(OSError):
            file.close()
        with contextlib.suppress(OSError):
            self._path.unlink()


if sys.platform == "win32":

    def _write_all(file: BinaryIO, pieces: list[bytes]) -> None:
        for piece in pieces:
            view = memoryview(piece)
            while view:
                view = view[file.write(view) :]

else:

    def _write_all(file: BinaryIO, pieces: list[bytes]) -> None:
        """Write them in one call, as long as the disk takes all that it is given."""
        left = [memoryview(piece) for piece in pieces]
        while left:
            written = os.writev(file.fileno(), left)
            while left and written >= len(left[0]):
                written -= len(left.pop(0))
            if left:
                left[0] = left[0][written:]
