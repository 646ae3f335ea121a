"""The ledger on SQLite: its throughput against a raw loop, and how long a hold takes.

The raw loop is what the same statements cost at least: what the ledger ran is written down,
statement by statement, and run again on a new file by nothing but `sqlite3`, as durable, with a
commit for each transaction. No event loop, no thread to ask, no rules to be worked out.
"""

import asyncio
import re
import sqlite3
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from benchmarks.figures import Figure, Scale, percentile
from bot.clock import SystemClock
from bot.ids import make_id
from bot.quotas import Defaults, QuotaExceeded
from bot.requests import Actor, ImageRequest, ReplyRoute
from bot.storage import Ledger, NewCharge, NewJob, open_database
from bot.storage.rows import Row, Store, Transaction, Tx, Value

T = TypeVar("T")
Statements: TypeAlias = list[tuple[str, tuple[Value, ...]]]

CALLERS: Final = 200
PEOPLE: Final = 100
GUILDS: Final = 5
GROUP: Final = 64
"""Transactions in a commit of the second raw loop: as many as the ledger's at most."""
FAST_PER_SECOND: Final = 20
_LEASE_MS: Final = 60_000
PLENTY: Final = 10**15
PLENTIFUL: Final = Defaults(
    member_day=PLENTY,
    guild_month=PLENTY,
    bot_month=PLENTY,
    dm_day=PLENTY,
    open_jobs=10**9,
)
_AS_DURABLE: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
)


def ledger(scale: Scale) -> list[Figure]:
    """Pairs of hold and settle a second, and a hold's latency at a low and a higher rate."""
    with tempfile.TemporaryDirectory() as home:
        return [*_throughput(scale, Path(home)), *asyncio.run(_latency(scale, Path(home)))]


def _throughput(scale: Scale, home: Path) -> list[Figure]:
    transactions = asyncio.run(_written_down(scale.pairs, home / "recorded.db"))
    ours, raw, grouped = list[float](), list[float](), list[float]()
    for number in range(scale.rounds):
        place = home / f"round-{number}"
        ours.append(asyncio.run(_pairs_per_second(scale.pairs, place / "ledger.db")))
        for speeds, size in ((raw, 1), (grouped, GROUP)):
            file = place / f"raw-{size}.db"
            asyncio.run(_make(file))
            speeds.append(scale.pairs / _replay(file, transactions, size))
    speed, floor = statistics.median(ours), statistics.median(raw)
    return [
        Figure("hold and settle, against a raw sqlite3 loop", speed / floor, "x", least=0.35),
        Figure(f"  pairs a second, {CALLERS} callers", speed, "/s"),
        Figure("  of the raw loop", floor, "/s"),
        Figure(f"  of a raw loop with {GROUP} in a commit", statistics.median(grouped), "/s"),
    ]


async def _latency(scale: Scale, home: Path) -> list[Figure]:
    async with _opened(home / "latency.db") as spender:
        await spender.hold_ms(scale.calm_holds, per_second=50)  # what is first, is slow
        calm = await spender.hold_ms(scale.calm_holds, per_second=1)
        busy = await spender.hold_ms(scale.calm_holds * FAST_PER_SECOND, per_second=FAST_PER_SECOND)
    median, p99 = statistics.median(calm), percentile(busy, 0.99)
    return [
        Figure(
            f"hold, p99 at {FAST_PER_SECOND} against median at 1 a second", p99 / median, "x", 5
        ),
        Figure(f"  p99 at {FAST_PER_SECOND} a second", p99, "ms"),
        Figure(f"  median at {FAST_PER_SECOND} a second", statistics.median(busy), "ms"),
        Figure("  median at 1 a second", median, "ms"),
    ]


@dataclass
class Spender:
    """Callers of one ledger."""

    ledger: Ledger
    clock: SystemClock
    _numbers: "count[int]" = field(default_factory=count)

    async def many_pairs(self, pairs: int, *, callers: int = CALLERS) -> int:
        """Let all callers hold and settle, one pair after the other each; return how many fit."""
        left, fitting = iter(range(pairs)), count()

        async def caller() -> None:
            for _ in left:
                try:
                    charge_id = await self._hold()
                except QuotaExceeded:
                    continue
                await self._settle(charge_id)
                next(fitting)

        await asyncio.gather(*(caller() for _ in range(callers)))
        return next(fitting)

    async def hold_ms(self, holds: int, *, per_second: float) -> list[float]:
        """Hold at a steady rate, settling each; return how long each hold took, from its time."""
        begin = time.monotonic()

        async def one(number: int) -> float:
            due = begin + number / per_second
            await asyncio.sleep(due - time.monotonic())
            charge_id = await self._hold()
            took = (time.monotonic() - due) * 1000
            await self._settle(charge_id)
            return took

        return await asyncio.gather(*(one(number) for number in range(holds)))

    async def _hold(self) -> int:
        """Hold the price of one picture, as for a job whose turn has come; return the charge."""
        number, job_id = next(self._numbers), make_id(self.clock)
        now_ms = self.clock.now_ms()
        guild, person = 1 + number % GUILDS, 1 + number % PEOPLE
        reply = ReplyRoute(
            application_id=5,
            token="a" * 200,
            expires_at_ms=now_ms + 14 * 60_000,
            channel_id=guild * 10,
            message_id=1 + number,
            upload_limit=10 << 20,
        )
        job = NewJob(
            id=job_id,
            idem=f"interaction:{job_id}",
            actor=Actor(user_id=person, guild_id=guild, channel_id=guild * 10),
            request=ImageRequest("imagine", "a paper boat on a still lake at dawn"),
            charges=(NewCharge("papercut/fold-mini", 1500),),
            reply=reply,
            created_ms=now_ms,
        )
        (charge_id,) = (await self.ledger.hold(job, dispatch_lease_ms=_LEASE_MS)).charge_ids
        return charge_id

    async def _settle(self, charge_id: int) -> None:
        if not (await self.ledger.settle(charge_id, actual=1300)).changed:
            raise AssertionError("a charge was settled before its time")


def spender_of(store: Store, defaults: Defaults = PLENTIFUL) -> Spender:
    """Return callers of a ledger of their own, in one process."""
    clock = SystemClock()
    return Spender(
        Ledger(store, clock=clock, secret=b"bench", process_id=make_id(clock), defaults=defaults),
        clock,
    )


@asynccontextmanager
async def _opened(file: Path) -> AsyncIterator[Spender]:
    async with open_database(f"sqlite:///{file}", clock=SystemClock()) as db:
        yield spender_of(db)


async def _make(file: Path) -> None:
    async with _opened(file):
        pass


async def _pairs_per_second(pairs: int, file: Path) -> float:
    async with _opened(file) as spender:
        began = time.monotonic()
        await spender.many_pairs(pairs)
        return pairs / (time.monotonic() - began)


# The raw loop


@dataclass
class _Recorder:
    """A database that writes down what each transaction runs; a repeated one counts once."""

    store: Store
    transactions: dict[int, Statements] = field(default_factory=dict)
    """In the order of running, which is that of committing."""
    _numbers: "count[int]" = field(default_factory=count)

    async def write(
        self, run: Transaction[T], *, undo: Transaction[object] | None = None, limit_s: float = 10
    ) -> T:
        """Run a transaction function, as `Store.write` does."""
        recorded = partial(self._recorded, next(self._numbers), run)
        return await self.store.write(recorded, undo=undo, limit_s=limit_s)

    async def read(self, run: Transaction[T], *, limit_s: float = 10) -> T:
        """Run a transaction function, as `Store.read` does."""
        return await self.store.read(run, limit_s=limit_s)

    async def _recorded(self, number: int, run: Transaction[T], tx: Tx) -> T:
        self.transactions.pop(number, None)
        statements = self.transactions[number] = []
        return await run(_RecordingTx(tx, statements))


@dataclass
class _RecordingTx:
    tx: Tx
    statements: Statements

    async def fetch(self, sql: str, *values: Value) -> list[Row]:
        self._write_down(sql, values)
        return await self.tx.fetch(sql, *values)

    async def fetch_tuples(self, sql: str, *values: Value) -> list[tuple[object, ...]]:
        self._write_down(sql, values)
        return await self.tx.fetch_tuples(sql, *values)

    def _write_down(self, sql: str, values: tuple[Value, ...]) -> None:
        self.statements.append((re.sub(r"\$(\d+)", r"?\1", sql), values))


async def _written_down(pairs: int, file: Path) -> list[Statements]:
    async with open_database(f"sqlite:///{file}", clock=SystemClock()) as db:
        recorder = _Recorder(db)
        await spender_of(recorder).many_pairs(pairs)
    return list(recorder.transactions.values())


def _replay(file: Path, transactions: list[Statements], size: int) -> float:
    """Run all statements again, with `size` transactions in a commit; return the seconds."""
    connection = sqlite3.connect(file, isolation_level=None, cached_statements=256)
    with closing(connection):
        for pragma in _AS_DURABLE:
            connection.execute(pragma)
        execute = connection.execute
        began = time.monotonic()
        for first in range(0, len(transactions), size):
            execute("BEGIN IMMEDIATE")
            for statements in transactions[first : first + size]:
                for sql, values in statements:
                    execute(sql, values).fetchall()
            execute("COMMIT")
        return time.monotonic() - began
