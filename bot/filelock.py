"""A lock on a file that the operating system drops when its process dies, however it dies."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_LOCKED_HERE: Final[set[Path]] = set()
"""POSIX record locks do not exclude a second opener in the same process, so we count those. They
are used because a forked child does not inherit them: one that outlives us holds up nobody."""
_GUARD: Final = threading.Lock()


class FileLocked(Exception):
    """Somebody else holds the lock."""


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`; it stays behind, empty.

    Who deletes such files does so while holding them, and who takes one looks afterwards whether
    it is still there.

    Raises:
        FileLocked: somebody else holds it.
    """
    path = path.resolve()
    with _GUARD:
        if path in _LOCKED_HERE:
            raise FileLocked(path.name)
        _LOCKED_HERE.add(path)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                _lock(handle)
            except OSError as error:
                raise FileLocked(path.name) from error
            yield
        finally:
            os.close(handle)
    finally:
        _LOCKED_HERE.discard(path)


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
