"""A file of SQLite with every migration behind it: tests that are not about those begin with one.

To migrate anew takes a quarter of a bot's start, and most of what small tests of the storage take.
"""

import asyncio
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from bot.clock import SystemClock
from bot.storage import open_database


def write_migrated(path: Path) -> None:
    """Write such a file; the folder must be there."""
    path.write_bytes(_migrated())


@cache
def _migrated() -> bytes:
    with ThreadPoolExecutor(1) as thread:  # in this one, a loop may be running
        return thread.submit(asyncio.run, _migrate()).result()


async def _migrate() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bot.db"
        async with open_database(f"sqlite:///{file}", clock=SystemClock()):
            pass
        return file.read_bytes()
