"""Where pictures lie while they are on their way: a folder of each process, and of each job in it.

A lock file beside a process's folder tells whether that process lives; what the dead left behind is
removed by whoever comes next. Owns the count of bytes, and their upper bounds.
"""

import contextlib
import logging
import os
import re
import secrets
import shutil
import sys
import time
from pathlib import Path
from typing import Final

from bot.aside import aside
from bot.errors import InputsFull
from bot.filelock import FileLocked, exclusive
from bot.inputs._memory import Memory, Room

_log = logging.getLogger(__name__)

_OURS_ALONE: Final = 0o700
_LOCK: Final = ".lock"
_NAME_BYTES: Final = 8
_NAME: Final = re.compile(r"[0-9a-f]{16}")


def no_room(error: Exception) -> InputsFull:
    """Put a fault of the disk into the operator's log; returns what the person is told."""
    _log.error("Pictures to be edited can't be written to disk: %s", error)
    return InputsFull()


class JobTooLarge(Exception):
    """The files of one job have more bytes than one job may have."""


class Spool:
    """This process's folder below `folder`, with at most `max_bytes` in it and in memory together.

    `memory_bytes`: of them in memory.
    """

    def __init__(self, folder: Path, *, max_bytes: int, memory_bytes: int = 0) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._used = 0
        self._room = Room(memory_bytes)
        self._home: Path | None = None
        self._held = contextlib.ExitStack()
        self._shelves = 0

    async def open(self) -> None:
        """Make the folder, and remove those of dead processes. Raises OSError."""
        try:
            await aside(self._open)
        except BaseException:
            await aside(self._close)
            raise

    async def close(self) -> None:
        """Delete every file; calling it again is fine."""
        await aside(self._close)

    def shelf(self, *, max_bytes: int) -> "Shelf":
        """Give one job a folder of its own, not yet made, for at most `max_bytes`."""
        if self._home is None:
            raise RuntimeError("not open: use `async with`")
        self._shelves += 1
        return Shelf(self, self._home / f"{self._shelves}", max_bytes=max_bytes)

    def memory(self) -> Memory:
        """Give a place in memory, where there is room for some files."""
        return Memory(self._room)

    @property
    def used(self) -> int:
        """Bytes that lie here, those just being written included."""
        return self._used

    def take(self, size: int) -> None:
        """Count `size` bytes more. Raises InputsFull."""
        if self._used + size > self._max_bytes:
            raise InputsFull
        self._used += size

    def give(self, size: int) -> None:
        """Count `size` bytes less."""
        self._used -= size

    def _open(self) -> None:
        self._folder.mkdir(mode=_OURS_ALONE, parents=True, exist_ok=True)
        for name in {path.name.removesuffix(_LOCK) for path in self._folder.iterdir()}:
            if _NAME.fullmatch(name):
                _bury(self._folder / name)
        while self._home is None:
            home = self._folder / secrets.token_hex(_NAME_BYTES)
            # Another process that opens just now may take our lock for one that nobody holds.
            with contextlib.suppress(FileLocked):
                self._held.enter_context(exclusive(_lock_of(home)))
                if _lock_of(home).exists():
                    home.mkdir(mode=_OURS_ALONE)
                    self._home = home

    def _close(self) -> None:
        home, self._home = self._home, None
        if home is not None:
            shutil.rmtree(home, ignore_errors=True)
            if not home.exists():
                _forget_held(_lock_of(home))
        self._held.close()
        if home is not None and not home.exists():
            _forget_released(_lock_of(home))


class Shelf:
    """The files of one job."""

    def __init__(self, spool: Spool, path: Path, *, max_bytes: int) -> None:
        self.path = path
        self._spool = spool
        self._max_bytes = max_bytes
        self._used = 0
        self._memories: list[Memory] = []

    async def make(self) -> None:
        """Make the folder. Raises OSError."""
        await aside(self.path.mkdir, mode=_OURS_ALONE)

    def take(self, size: int) -> None:
        """Count `size` bytes more. Raises JobTooLarge or InputsFull."""
        if self._used + size > self._max_bytes:
            raise JobTooLarge
        self._spool.take(size)
        self._used += size

    def give(self, size: int) -> None:
        """Count `size` bytes less."""
        self._spool.give(size)
        self._used -= size

    def memory(self) -> Memory:
        """Give a place for a file that may stay in memory until this is closed."""
        self._memories.append(self._spool.memory())
        return self._memories[-1]

    async def close(self) -> None:
        """Delete the files; calling it again is fine."""
        try:
            await aside(self._empty)
        finally:
            self.give(self._used)
            for memory in self._memories:
                memory.drop()

    def _empty(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        for memory in self._memories:
            memory.free()
            time.sleep(0)  # the event loop goes first


def _lock_of(home: Path) -> Path:
    return home.with_name(home.name + _LOCK)


def _bury(home: Path) -> None:
    """Remove what a process left behind, if it is dead."""
    lock = _lock_of(home)
    try:
        with exclusive(lock):
            if home.is_dir():
                shutil.rmtree(home)
                _log.info("Removed pictures that a process which ended left behind.")
            _forget_held(lock)
        _forget_released(lock)
    except FileLocked:
        return
    except OSError as error:
        _log.warning("Pictures left behind could not be removed: %s", os.strerror(error.errno or 0))


if sys.platform == "win32":

    def _forget_held(lock: Path) -> None:
        """Do nothing: an open file can't be deleted."""

    def _forget_released(lock: Path) -> None:
        """Delete a lock file, unless somebody has opened it meanwhile."""
        with contextlib.suppress(OSError):
            lock.unlink()

else:

    def _forget_held(lock: Path) -> None:
        """Delete a lock file while it is held, so that nobody holds a file that is gone."""
        lock.unlink(missing_ok=True)

    def _forget_released(lock: Path) -> None:
        """Do nothing: it is gone."""
