"""Files that stay in memory, as they came, while there is room: never written, never read again."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

from bot.aside import aside

_TURN_BYTES: Final = 1024 * 1024
"""What is given before others have their turn on the event loop."""
_SMALL_BYTES: Final = 4 * 1024
"""Pieces that are smaller on the whole are joined: a piece may be a byte, its object is not."""


class Room:
    """How much of all jobs' files is in memory, and may be."""

    def __init__(self, max_bytes: int) -> None:
        self._left = max_bytes

    def take(self, size: int) -> bool:
        """Count `size` bytes more, if there is room for them."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def give(self, size: int) -> None:
        """Count `size` bytes less."""
        self._left += size


class Memory:
    """A file in memory, or the place for one."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._taken = 0
        self._pieces: list[bytes] = []
        self.has_file = False

    def takes(self, size: int) -> bool:
        """Make room for a file of `size` bytes, if there is any."""
        if not self._room.take(size):
            return False
        self._taken = size
        self.has_file = True
        return True

    def keep(self, pieces: Sequence[bytes]) -> None:
        """Take the next bytes. May run in a thread."""
        if sum(map(len, pieces)) < _SMALL_BYTES * len(pieces):
            pieces = (b"".join(pieces),)
        self._pieces += pieces

    def drop(self) -> None:
        """Forget the file; calling it again is fine."""
        self.has_file = False
        self.free()
        self._room.give(self._taken)
        self._taken = 0

    def free(self) -> None:
        """Let go of the bytes, which takes a millisecond for each ten MiB; still to be dropped."""
        self._pieces = []

    async def stream(self) -> AsyncIterator[bytes]:
        """Give its bytes in pieces, again for each try."""
        given = 0
        for piece in self._pieces:
            yield piece
            given += len(piece)
            if given >= _TURN_BYTES:
                given = 0
                await asyncio.sleep(0)

    async def put_down(self, path: Path) -> None:
        """Move the file to the disk, if one is here. Raises OSError."""
        if self.has_file:
            await aside(self._write, path)
            self.drop()

    def _write(self, path: Path) -> None:
        with path.open("xb") as file:
            file.writelines(self._pieces)
