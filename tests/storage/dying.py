"""A process that upgrades a database and is killed at one of its statements.

Imported by the process that `tests.lives` forks, so it imports only what it needs.
"""

import asyncio
import os
import signal
from pathlib import Path
from typing import TypeVar

from bot.clock import SystemClock
from bot.storage import open_database
from bot.storage.migrate import load, migrate
from bot.storage.rows import LIMIT_S, Row, Store, Transaction, Tx, Value
from tests.lives import new_life

_T = TypeVar("_T")
_FAR_TOO_LONG_S = 60


def upgrade_killed_at(statement: int, url: str, first: Path, every: Path) -> int | None:
    """Open a database with the migrations in `first`, and upgrade it with those in `every`.

    Returned is how the process ended: -9 when it got as far as that statement (from 1), 0 when it
    has done it all.
    """
    process = new_life(_upgrade, statement, url, first, every)
    process.start()
    process.join(_FAR_TOO_LONG_S)
    ended = process.exitcode
    process.kill()
    process.join()
    process.close()
    return ended


def _upgrade(statement: int, url: str, first: Path, every: Path) -> None:
    asyncio.run(_open_and_upgrade(statement, url, first, every))


async def _open_and_upgrade(statement: int, url: str, first: Path, every: Path) -> None:
    clock = SystemClock()
    async with open_database(url, clock=clock, migrations=first) as db:
        await migrate(_Dying(db, statement), load(every), clock=clock)


class _Dying:
    """A database whose process is killed at its nth statement."""

    def __init__(self, store: Store, left: int) -> None:
        self._store, self.left = store, left

    async def read(self, run: Transaction[_T], *, limit_s: float = LIMIT_S) -> _T:
        return await self._store.read(run, limit_s=limit_s)

    async def write(
        self,
        run: Transaction[_T],
        *,
        undo: Transaction[object] | None = None,
        limit_s: float = LIMIT_S,
    ) -> _T:
        async def counted(tx: Tx) -> _T:
            return await run(_Counting(tx, self))

        return await self._store.write(counted, undo=undo, limit_s=limit_s)


class _Counting:
    """A transaction of such a database."""

    def __init__(self, tx: Tx, dying: _Dying) -> None:
        self._tx, self._dying = tx, dying

    async def fetch(self, sql: str, *values: Value) -> list[Row]:
        rows = await self._tx.fetch(sql, *values)
        self._count()
        return rows

    async def fetch_tuples(self, sql: str, *values: Value) -> list[tuple[object, ...]]:
        rows = await self._tx.fetch_tuples(sql, *values)
        self._count()
        return rows

    def _count(self) -> None:
        self._dying.left -= 1
        if not self._dying.left:
            os.kill(os.getpid(), signal.SIGKILL)
