"""Bytes on their way to and from a picture worker, from memory or from files.

Files are read and written in pieces and in threads, so that neither a whole file is ever in
memory nor the event loop waits for a disk.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from bot.aside import aside
from bot.workers import PIECE, BrokenStream


class Payload(Protocol):
    """What follows an order."""

    @property
    def size(self) -> int:
        """Bytes in all."""

    def pieces(self) -> AsyncGenerator[bytes | memoryview, None]:
        """The bytes, in pieces of at most `PIECE`."""


class Sink(Protocol):
    """Where an answer goes."""

    async def write(self, piece: bytes) -> None:
        """Take the next bytes."""


class Held:
    """A payload that is in memory anyway."""

    def __init__(self, data: bytes = b"") -> None:
        self._data = data

    @property
    def size(self) -> int:
        """Bytes in all."""
        return len(self._data)

    async def pieces(self) -> AsyncGenerator[bytes | memoryview, None]:
        """The bytes, in pieces of at most `PIECE`."""
        view = memoryview(self._data)
        for start in range(0, len(view), PIECE):
            yield view[start : start + PIECE]


class Files:
    """A payload of files, one after the other, each with its size in bytes."""

    def __init__(self, *files: tuple[Path, int]) -> None:
        self._files: Sequence[tuple[Path, int]] = files

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(size for _, size in self._files)

    async def pieces(self) -> AsyncGenerator[bytes | memoryview, None]:
        """The bytes, in pieces of at most `PIECE`.

        Raises:
            OSError: a file cannot be read.
            BrokenStream: a file is shorter than was said.
        """
        for path, size in self._files:
            file: BinaryIO = await aside(path.open, "rb")
            try:
                left = size
                while left > 0:
                    piece = await aside(file.read, min(left, PIECE))
                    if not piece:
                        raise BrokenStream
                    left -= len(piece)
                    yield piece
            finally:
                file.close()


class Memory:
    """A sink for an answer that is wanted in memory."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    async def write(self, piece: bytes) -> None:
        """Take the next bytes."""
        self._pieces.append(piece)

    async def joined(self) -> bytes:
        """All that came."""
        if len(self._pieces) <= 1:
            return b"".join(self._pieces)
        # Joining megabytes takes milliseconds, and lets other threads run meanwhile.
        return await asyncio.to_thread(b"".join, self._pieces)


class NewFile:
    """A sink that is a file: an async context manager, which deletes it when an error leaves it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    async def __aenter__(self) -> Self:
        try:
            await aside(self._open)
        except asyncio.CancelledError:
            # The thread has opened it all the same.
            await aside(self._close, keep=False)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await aside(self._close, keep=error is None)

    async def write(self, piece: bytes) -> None:
        """Take the next bytes.

        Raises:
            OSError: the disk does not take them.
        """
        if self._file is not None:
            await aside(self._file.write, piece)

    async def finish(self) -> None:
        """Let the file be read by others: all is written.

        Raises:
            OSError: the disk does not take it.
        """
        await aside(self._close, keep=True)

    def _open(self) -> None:
        self._file = self._path.open("wb")

    def _close(self, *, keep: bool) -> None:
        try:
            if self._file is not None:
                self._file.close()
        finally:
            if not keep:
                with contextlib.suppress(OSError):
                    self._path.unlink()
