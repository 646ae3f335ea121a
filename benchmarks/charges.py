"""Two years of a busy server, written straight into the tables: what reports are measured on.

`python -m benchmarks.charges FILE [CHARGES]` makes it to be looked at. Always the same rows, with
the same roll-ups that the ledger would have written.
"""

import asyncio
import random
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import accumulate, islice
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from benchmarks.invented import model_ids
from bot.clock import SystemClock
from bot.storage import open_database
from bot.storage._charges import OUTCOMES, SUMS

GUILD: Final = 1_042
CHARGES: Final = 5_000_000
MEMBERS: Final = 2_000
MODELS: Final = 300
START_MS: Final = int(datetime(2024, 11, 1, tzinfo=UTC).timestamp()) * 1000
END_MS: Final = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()) * 1000
_FAVOURITES: Final = 5
_FAITHFUL: Final = 0.9
"""How often a member takes one of their favourites."""
_CHANNELS: Final = 20
_FAILS: Final = 0.04
_BATCH: Final = 50_000
_FIRST_ID: Final = 1 << 50

_JOB: Final = (
    *("id", "idem", "process", "guild_id", "channel_id", "user_id", "command", "model", "size"),
    *("quality", "output_format", "pictures", "is_private", "ceiling", "open_charges"),
    *("day_label", "month_label", "created_at", "delivery", "undeliverable_reason"),
)
_CHARGE: Final = (
    *("id", "job_id", "idem", "place", "process", "guild_id", "channel_id", "user_id", "command"),
    *("model", "limit_role", "state", "prior_state", "held", "actual", "overrun", "pictures"),
    *("reason", "created_at", "changed_at", "closed_at"),
)
Record = tuple[tuple[object, ...], tuple[object, ...]]


Key = TypeVar("Key")
Sums: TypeAlias = defaultdict[Key, list[int]]


class Year:
    """Makes up jobs of one charge each, oldest first, and adds up what the roll-ups hold."""

    def __init__(self, charges: int) -> None:
        self._charges = charges
        self._chance = random.Random(20_261_101)
        self._models = model_ids(MODELS)
        self._popular = list(accumulate(1 / rank for rank in range(1, MODELS + 1)))
        self._busy = list(accumulate(1 / (rank + 20) for rank in range(MEMBERS)))
        self._favourites = [
            self._chance.choices(self._models, cum_weights=self._popular, k=_FAVOURITES)
            for _ in range(MEMBERS)
        ]
        self.months: Sums[tuple[str, int]] = defaultdict(lambda: [0, 0, 0])
        self.days: Sums[tuple[str, str, str]] = defaultdict(lambda: [0, 0, 0, 0, 0, 0])

    def records(self) -> Iterator[Record]:
        """Yield a job and its charge, again and again."""
        chance, step = self._chance, (END_MS - START_MS) / self._charges
        members = range(MEMBERS)
        for number in range(self._charges):
            at = START_MS + int(number * step)
            member = chance.choices(members, cum_weights=self._busy)[0]
            if chance.random() < _FAITHFUL:
                model = self._favourites[member][int(chance.random() * _FAVOURITES)]
            else:
                model = chance.choices(self._models, cum_weights=self._popular)[0]
            yield self._record(number, at, 10_000 + member, model)

    def _record(self, number: int, at: int, user: int, model: str) -> Record:
        chance = self._chance
        day = datetime.fromtimestamp(at / 1000, UTC).date().isoformat()
        failed = chance.random() < _FAILS
        held = 1_000 + int(chance.random() * 40) * 1_000
        actual = None if failed else held - int(chance.random() * 1_000)
        ident, channel = _FIRST_ID + number, 500 + int(chance.random() * _CHANNELS)
        command = "edit" if chance.random() < 0.2 else "imagine"
        role = 7 if user % 10 == 0 else None
        made = 0 if failed else 1
        sums = (made, made, actual or 0)
        if made:
            _add(self.months[day[:7], user], sums)
        kinds = {"channel": channel, "command": command, "model": model, "role": role or 0}
        for kind, name in kinds.items():
            _add(self.days[kind, day, str(name)], (*sums, 1, 1, made))
        idem = f"bench:{number:09d}"
        job = (
            *(ident, idem, 1, GUILD, channel, user, command, model, "auto", "auto", "webp", 1, 0),
            *(held, 0, day, day[:7], at, "delivered", ""),
        )
        state = "released" if failed else "settled"
        charge = (
            *(ident, ident, f"{idem}:0", 0, 1, GUILD, channel, user, command, model, role, state),
            *("dispatched", held, actual, 0, made, "", at, at + 9_000, at + 9_000),
        )
        return job, charge


def _add(sums: list[int], amounts: tuple[int, ...]) -> None:
    for place, amount in enumerate(amounts):
        sums[place] += amount


async def _make_empty(file: Path) -> None:
    async with open_database(f"sqlite:///{file}", clock=SystemClock()):
        pass


def make(file: Path, charges: int = CHARGES) -> None:
    """Make a database with so many charges, as large as half a GB for each million."""
    asyncio.run(_make_empty(file))
    year = Year(charges)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -262144")
        records = year.records()
        while batch := list(islice(records, _BATCH)):
            connection.execute("BEGIN")
            _insert(connection, "job", _JOB, [job for job, _ in batch])
            _insert(connection, "charge", _CHARGE, [charge for _, charge in batch])
            connection.execute("COMMIT")
        connection.execute("BEGIN")
        months = [(GUILD, *key, *added) for key, added in year.months.items()]
        _insert(connection, "usage_month", ("guild_id", "month", "user_id", *SUMS), months)
        days = [(GUILD, *key, *added) for key, added in year.days.items()]
        columns = ("guild_id", "kind", "day", "name", *SUMS, *OUTCOMES)
        _insert(connection, "usage_day", columns, days)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _insert(
    connection: sqlite3.Connection,
    table: str,
    columns: tuple[str, ...],
    rows: list[tuple[object, ...]],
) -> None:
    marks = ", ".join("?" * len(columns))
    connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)


if __name__ == "__main__":
    make(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else CHARGES)
