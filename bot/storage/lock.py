"""A lock on a file that the operating system drops when its process dies, however it dies."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bot.storage.errors import DatabaseInUse

_LOCKED_HERE: Final[set[Path]] = set()
"""POSIX record locks do not exclude a second opener in the same process, so we count those. They
are used because a forked child does not inherit them: one that outlives us holds up nobody."""


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`; it stays behind, empty, since deleting it would race.

    Raises:
        DatabaseInUse: somebody else holds it.
    """
    path = path.resolve()
    refusal = DatabaseInUse(
        f"{path.name.removesuffix('.lock')} is in use by another process of the bot. "
        "Stop that one first; to run several, use PostgreSQL (DATABASE_URL=postgresql://...)."
    )
    if path in _LOCKED_HERE:
        raise refusal
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            _lock(handle)
        except OSError as error:
            raise refusal from error
        _LOCKED_HERE.add(path)
        try:
            yield
        finally:
            _LOCKED_HERE.discard(path)
    finally:
        os.close(handle)


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
