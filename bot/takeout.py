"""A copy of everything that is kept about a person, as files that fit into messages to them."""

import asyncio
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from bot.aside import aside
from bot.exports import Export, Format
from bot.storage import PersonalData

NAME: Final = "my-data"
_AT_ONCE: Final = 2
_OURS_ALONE: Final = 0o700
_PREFIX: Final = "copy-"
LEFT_BEHIND_S: Final = 3600
"""How old files are that nobody works on any more: their process was killed."""


class Underway(Exception):
    """The person's copy is being made already."""


class Takeout(Struct, frozen=True):
    """The files, which live as long as the block that asked for them."""

    files: tuple[Path, ...]
    records: Mapping[str, int]
    """How many of each kind are in them."""


class Takeouts:
    """Makes copies, a few at a time and one for each person, in the folder `home`."""

    def __init__(self, data: PersonalData, *, home: Path) -> None:
        self._data = data
        self._home = home
        self._underway: set[int] = set()
        self._turns = asyncio.Semaphore(_AT_ONCE)

    @asynccontextmanager
    async def of(self, user_id: int, *, most_bytes: int) -> AsyncIterator[Takeout]:
        """Write what there is about a person: one JSON file if it fits, else archives that do.

        A page of it is in memory at a time.

        Raises:
            Underway: they have asked for it a moment ago.
            LedgerUnavailable: it can't be read just now.
            OSError: the disk is full.
        """
        if user_id in self._underway:
            raise Underway
        self._underway.add(user_id)
        try:
            async with self._turns:
                folder = await aside(_folder_in, self._home)
                try:
                    yield await self._write(user_id, Path(folder.name), most_bytes)
                finally:
                    await aside(folder.cleanup)
        finally:
            self._underway.discard(user_id)

    async def tidy(self) -> None:
        """Delete what processes that were killed have left behind."""
        await aside(_tidy, self._home)

    async def _write(self, user_id: int, folder: Path, most_bytes: int) -> Takeout:
        records = Counter[str]()
        export = await aside(
            Export, folder, NAME, form=Format.JSON, columns=(), most_bytes=most_bytes
        )
        with export:
            async for page in self._data.of(user_id):
                await aside(export.add_objects, page)
                records.update(str(record["kind"]) for record in page)
            files = await aside(export.finish)
        return Takeout(tuple(files), records)


def _folder_in(home: Path) -> "tempfile.TemporaryDirectory[str]":
    home.mkdir(mode=_OURS_ALONE, parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix=_PREFIX, dir=home)


def _tidy(home: Path) -> None:
    for folder in home.glob(f"{_PREFIX}*"):
        if _changed_s(folder) < time.time() - LEFT_BEHIND_S:
            shutil.rmtree(folder, ignore_errors=True)


def _changed_s(folder: Path) -> float:
    """When a folder was changed last; one that is gone by now is not looked at any more."""
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        return time.time()
