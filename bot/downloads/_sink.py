"""A file that is written piece by piece, off the event loop."""

import contextlib
from pathlib import Path
from typing import BinaryIO, Final, Self

from bot.aside import aside
from bot.downloads._errors import FetchUnkept

PIECE_BYTES: Final = 256 * 1024
"""Bytes that are collected before a thread writes them: each turn of a thread costs its share."""


class Sink:
    """Writes a new file; it is deleted again unless `keep` was reached."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._kept = False

    async def __aenter__(self) -> Self:
        """Make the file. Raises FetchUnkept, also when there is one already."""
        try:
            await aside(self._open)
        except OSError as error:
            raise FetchUnkept(error.strerror or "") from None
        except BaseException:
            # Cancelled: the thread has made the file all the same.
            await aside(self._end)
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await aside(self._end)

    async def write(self, piece: bytes) -> None:
        """Take the next bytes. Raises FetchUnkept."""
        self._pieces.append(piece)
        self._waiting += len(piece)
        if self._waiting >= PIECE_BYTES:
            await self._flush()

    async def keep(self) -> None:
        """Write what is left; the file stays. Raises FetchUnkept."""
        await self._flush()
        self._kept = True

    async def _flush(self) -> None:
        pieces, self._pieces, self._waiting = self._pieces, [], 0
        if pieces:
            try:
                await aside(self._write, pieces)
            except OSError as error:
                raise FetchUnkept(error.strerror or "") from None

    def _open(self) -> None:
        self._file = self._path.open("xb", buffering=0)

    def _write(self, pieces: list[bytes]) -> None:
        if self._file is None:
            raise RuntimeError("the sink is not open")
        view = memoryview(b"".join(pieces))
        while view:
            view = view[self._file.write(view) :]

    def _end(self) -> None:
        if self._file is not None:
            self._file.close()
            if not self._kept:
                with contextlib.suppress(OSError):
                    self._path.unlink(missing_ok=True)
