"""Who was erased, remembered beside the database, so that a restored backup can be erased again.

A file that only grows: for each erasure a line with a keyed hash of the id, and when it was asked
for. Never an id: whoever has the secret can tell whether one that they know was erased, and nobody
can list them. Blocking work is done aside.
"""

import asyncio
import contextlib
import hmac
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from bot.aside import aside
from bot.errors import LedgerUnavailable
from bot.storage import Erasable

_DIGITS: Final = 64


class ErasedList:
    """The file at `path`. Without one, nobody was erased yet."""

    def __init__(self, path: Path, *, secret: bytes) -> None:
        """`secret`: the ledger's; with another one, nobody in the file is known any more."""
        self._path = path
        self._secret = secret
        self._writing = asyncio.Lock()

    async def add(self, kind: Erasable, subject_id: int, *, when_ms: int) -> None:
        """Remember an erasure; it is on the disk when this returns.

        Raises:
            LedgerUnavailable: it can't be written, so nothing may be erased: a backup would bring
                it back, and nobody would know.
        """
        line = f"{self._hashed(kind, subject_id)} {when_ms}\n"
        async with self._writing:
            try:
                await aside(self._append, line)
            except OSError as error:
                raise LedgerUnavailable(f"{self._path} can't be written: {error}") from error

    async def times(self, kind: Erasable, ids: Iterable[int]) -> dict[int, int]:
        """Return which of `ids` were erased, and until when that goes (epoch ms).

        Raises:
            LedgerUnavailable: the file can't be read.
        """
        try:
            return await aside(self._times, kind, list(ids))
        except OSError as error:
            raise LedgerUnavailable(f"{self._path} can't be read: {error}") from error

    @property
    def is_empty(self) -> bool:
        """Whether nobody was erased yet."""
        return not self._path.is_file()

    def _times(self, kind: Erasable, ids: list[int]) -> dict[int, int]:
        known = self._read()
        found = {each: known.get(self._hashed(kind, each)) for each in ids} if known else {}
        return {each: when for each, when in found.items() if when is not None}

    def _read(self) -> dict[str, int]:
        """Read the file; a line that a crash has cut off is nobody's."""
        known = dict[str, int]()
        with contextlib.suppress(FileNotFoundError), self._path.open(encoding="ascii") as file:
            for line in file:
                name, _, when = line.strip().partition(" ")
                if len(name) == _DIGITS and when.isdigit() and line.endswith("\n"):
                    known[name] = max(int(when), known.get(name, 0))
        return known

    def _append(self, line: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(handle).st_size
            whole = size == 0 or _last_byte(handle, size) == b"\n"
            os.write(handle, (line if whole else f"\n{line}").encode())
            os.fsync(handle)
        finally:
            os.close(handle)

    def _hashed(self, kind: Erasable, subject_id: int) -> str:
        whose = f"erased:{kind.value}:{subject_id}"
        return hmac.digest(self._secret, whose.encode(), "sha256").hex()


def _last_byte(handle: int, size: int) -> bytes:
    os.lseek(handle, size - 1, os.SEEK_SET)
    return os.read(handle, 1)
