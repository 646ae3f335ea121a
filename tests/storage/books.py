"""What the storage tests share: a clock that stands still, a world to spend in, and an auditor."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from bot.ids import make_id
from bot.money import Micros
from bot.quotas import Defaults, Limit, QuotaExceeded
from bot.requests import Actor, ImageRequest, ReplyRoute
from bot.storage import (
    Database,
    HeldJob,
    Jobs,
    Ledger,
    NewCharge,
    NewJob,
    Output,
    Policies,
    open_database,
)
from bot.storage._buckets import Pins
from bot.storage.rows import Row, Tx

NOON = 1_785_412_800_000  # 2026-07-30T12:00:00Z, a Thursday
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
SECRET = b"the secret of these tests"
GENEROUS = Defaults(
    member_day=10**12, guild_month=10**12, bot_month=10**12, dm_day=10**12, open_jobs=10**6
)
"""Defaults that never bind: for tests of what is set, and of the counters."""

AUDITS = {
    "a job knows how many of its charges are open": """
        SELECT j.id FROM job j WHERE j.open_charges <> (
            SELECT COUNT(*) FROM charge c
            WHERE c.job_id = j.id AND c.state IN ('held', 'dispatched'))""",
    "a job has a charge for each picture": """
        SELECT j.id FROM job j WHERE j.pictures <> (
            SELECT COUNT(*) FROM charge c WHERE c.job_id = j.id)""",
    "the audit trail adds up to what counts": """
        SELECT c.id FROM charge c WHERE COALESCE(c.actual, 0) <> (
            SELECT COALESCE(SUM(e.delta), 0) FROM entry e WHERE e.charge_id = c.id)""",
    "a charge is settled once": """
        SELECT charge_id FROM entry WHERE kind = 'settled' GROUP BY charge_id
        HAVING COUNT(*) > 1""",
    "the months add up to the raw rows": """
        SELECT 1 FROM (SELECT COALESCE(SUM(spent), 0) AS spent, COALESCE(SUM(charges), 0) AS charges
                       FROM usage_month) u,
                      (SELECT COALESCE(SUM(actual), 0) AS spent, COUNT(actual) AS charges
                       FROM charge) c
        WHERE u.spent <> c.spent OR u.charges <> c.charges""",
    "a month's row is that of its charges": """
        SELECT u.user_id FROM usage_month u WHERE u.spent <> (
            SELECT COALESCE(SUM(c.actual), 0) FROM charge c JOIN job j ON j.id = c.job_id
            WHERE c.guild_id = u.guild_id AND c.user_id = u.user_id AND j.month_label = u.month)
        OR u.pictures <> (
            SELECT COALESCE(SUM(c.pictures), 0) FROM charge c JOIN job j ON j.id = c.job_id
            WHERE c.guild_id = u.guild_id AND c.user_id = u.user_id
            AND j.month_label = u.month AND c.actual IS NOT NULL)""",
    "a day's jobs are those that have ended": """
        SELECT u.day FROM usage_day u WHERE u.kind = 'command' AND u.jobs <> (
            SELECT COUNT(*) FROM job j WHERE j.guild_id = u.guild_id AND j.day_label = u.day
            AND j.command = u.name AND j.open_charges = 0)""",
    **{
        f"a day's {kind}s are those of its charges, and all of them": f"""
        SELECT guild_id, day, name FROM (
            SELECT c.guild_id, j.day_label AS day, {column} AS name,
                CASE WHEN c.actual IS NULL THEN 0 ELSE 1 END AS charges,
                CASE WHEN c.actual IS NULL THEN 0 ELSE c.pictures END AS pictures,
                COALESCE(c.actual, 0) AS spent,
                CASE WHEN c.closed_at IS NULL
                    OR (c.state = 'released' AND c.prior_state = 'held') THEN 0 ELSE 1 END AS ended,
                CASE WHEN c.state = 'settled' AND c.pictures > 0 THEN 1 ELSE 0 END AS made
            FROM charge c JOIN job j ON j.id = c.job_id
            UNION ALL SELECT guild_id, day, name, -charges, -pictures, -spent, -finished, -succeeded
            FROM usage_day WHERE kind = '{kind}') told
        GROUP BY guild_id, day, name HAVING SUM(charges) <> 0 OR SUM(pictures) <> 0
            OR SUM(spent) <> 0 OR SUM(ended) <> 0 OR SUM(made) <> 0"""
        for kind, column in {
            "channel": "CASE WHEN c.guild_id = 0 THEN '0' ELSE CAST(c.channel_id AS TEXT) END",
            "command": "c.command",
            "model": "c.model",
            "role": "CAST(COALESCE(c.limit_role, 0) AS TEXT)",
        }.items()
    },
    "nothing private has a prompt": """
        SELECT j.id FROM job j JOIN prompt p ON p.job_id = j.id WHERE j.is_private = 1""",
    "nothing private has an output": """
        SELECT c.id FROM charge c JOIN job j ON j.id = c.job_id
        JOIN job_output o ON o.charge_id = c.id WHERE j.is_private = 1""",
    "a closed job keeps no bytes and no token": """
        SELECT j.id FROM job j WHERE j.delivery <> 'open' AND (j.reply_token IS NOT NULL
            OR EXISTS (SELECT 1 FROM charge c JOIN job_output o ON o.charge_id = c.id
                       WHERE c.job_id = j.id AND o.data IS NOT NULL))""",
}
"""Every query finds rows that break an invariant of the books; all must find none."""

_AUDIT = " UNION ALL ".join(
    "SELECT '{}' AS name WHERE EXISTS ({})".format(name.replace("'", "''"), sql)
    for name, sql in AUDITS.items()
)
"""All at once: to ask one after the other takes several times as long, after each of many steps."""

Counts = dict[int, tuple[int, int, int]]
"""Of each counter: held, settled and overrun."""


async def audit(db: Database) -> list[str]:
    """Return the invariants that the database breaks."""

    async def run(tx: Tx) -> list[str]:
        broken = [row.text("name") for row in await tx.fetch(_AUDIT)]
        if await counted(tx) != await pinned(tx):
            broken.append("a counter has what the charges and jobs that are pinned to it say")
        return broken

    return await db.read(run)


async def counted(tx: Tx) -> Counts:
    """Read what the counters say."""
    rows = await tx.fetch("SELECT id, held, settled, overrun FROM bucket")
    return {row.integer("id"): _amounts(row) for row in rows}


async def pinned(tx: Tx) -> Counts:
    """Add up what they should say: their charges' money, and jobs with something open."""
    charges = await tx.fetch(
        "SELECT job_id, overrun, "
        "CASE WHEN state IN ('held', 'dispatched', 'unknown') THEN held ELSE 0 END AS held, "
        "COALESCE(actual, 0) AS settled FROM charge"
    )
    money: dict[int, list[tuple[int, int, int]]] = {}
    for row in charges:
        money.setdefault(row.integer("job_id"), []).append(_amounts(row))
    amounts = {row.integer("id"): [(0, 0, 0)] for row in await tx.fetch("SELECT id FROM bucket")}
    for job in await tx.fetch("SELECT id, pins, open_charges FROM job"):
        pins = Pins.read(job.text("pins"))
        for bucket_id in pins.money:
            amounts[bucket_id] += money.get(job.integer("id"), [])
        amounts[pins.slot].append((int(job.integer("open_charges") > 0), 0, 0))
    return {bucket_id: _sum(each) for bucket_id, each in amounts.items()}


def _amounts(row: Row) -> tuple[int, int, int]:
    return row.integer("held"), row.integer("settled"), row.integer("overrun")


def _sum(amounts: list[tuple[int, int, int]]) -> tuple[int, int, int]:
    held, settled, overrun = map(sum, zip(*amounts, strict=True))
    return held, settled, overrun


@dataclass
class StillClock:
    """A clock that moves only when told."""

    now: int = NOON

    def now_ms(self) -> int:
        return self.now

    async def sleep_until(self, when_ms: int) -> None:
        self.now = max(self.now, when_ms)


@dataclass
class Books:
    """One process's view of a database: its ledger, its jobs, and jobs made up for it."""

    db: Database
    clock: StillClock
    process_id: int
    defaults: Defaults = GENEROUS
    ledger: Ledger = field(init=False)
    policies: Policies = field(init=False)
    jobs: Jobs = field(init=False)
    _numbers: "count[int]" = field(default_factory=count, init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(
            self.db,
            clock=self.clock,
            secret=SECRET,
            process_id=self.process_id,
            defaults=self.defaults,
        )
        self.policies = Policies(self.db, clock=self.clock, secret=SECRET, defaults=self.defaults)
        self.jobs = Jobs(self.db, clock=self.clock, process_id=self.process_id)

    def other_process(self) -> "Books":
        """Return the view of another process on the same database."""
        return Books(self.db, self.clock, make_id(self.clock), self.defaults)

    def job(
        self,
        *,
        ceiling: Micros = 1000,
        pictures: int = 1,
        user: int = 11,
        guild: int = 77,
        channel: int = 770,
        private: bool = False,
        prompt: str = "a paper boat",
        idem: str | None = None,
        model: str = "some/model",
        roles: tuple[int, ...] = (),
        agreed: int = 0,
        compared: Sequence[tuple[str, Micros]] = (),
    ) -> NewJob:
        """Make up a job that nobody has asked for before; `compared`: models and ceilings."""
        charges = [NewCharge(*each) for each in compared or [(model, ceiling)] * pictures]
        job_id = make_id(self.clock)
        reply = ReplyRoute(
            application_id=5,
            token="interaction-token",
            expires_at_ms=self.clock.now + 14 * MINUTE,
            channel_id=channel,
            message_id=next(self._numbers) + 1,
            upload_limit=10 << 20,
        )
        return NewJob(
            id=job_id,
            idem=idem or f"interaction-{job_id}",
            actor=Actor(user_id=user, guild_id=guild, channel_id=channel, role_ids=roles),
            request=ImageRequest("imagine", prompt, count=len(charges), private=private),
            charges=tuple(charges),
            reply=reply,
            created_ms=self.clock.now,
            agreed=agreed,
        )

    async def sent(self, job: NewJob, limits: Sequence[Limit] | None = None) -> HeldJob:
        """Hold a job and dispatch all its charges, with a lease of a minute."""
        held = await self.ledger.hold(job, limits)
        for charge_id in held.charge_ids:
            assert await self.ledger.dispatch(charge_id, lease_ms=MINUTE)
        return held

    async def counters(self, scope: str, period: str = "day") -> tuple[int, int, int]:
        """Add up (held, settled, overrun) of the counters of a kind."""

        async def run(tx: Tx) -> tuple[int, int, int]:
            (row,) = await tx.fetch(
                "SELECT CAST(COALESCE(SUM(held), 0) AS BIGINT) AS h, "
                "CAST(COALESCE(SUM(settled), 0) AS BIGINT) AS s, "
                "CAST(COALESCE(SUM(overrun), 0) AS BIGINT) AS o "
                "FROM bucket WHERE scope = $1 AND period = $2",
                scope,
                period,
            )
            return row.integer("h"), row.integer("s"), row.integer("o")

        return await self.db.read(run)


async def refused(books: Books, **wanted: object) -> QuotaExceeded:
    """Hold a job that must be refused, and return why."""
    with pytest.raises(QuotaExceeded) as refusal:
        await books.ledger.hold(books.job(**wanted))  # type: ignore[arg-type]  # passed through
    return refusal.value


async def held(books: Books, **wanted: object) -> HeldJob:
    """Hold a job that fits."""
    return await books.ledger.hold(books.job(**wanted))  # type: ignore[arg-type]  # passed through


async def ended(books: Books, job: NewJob, *, actual: int = 700, message: int = 99) -> HeldJob:
    """Run a job to its end: each picture costs the same."""
    held = await books.sent(job)
    for number, charge_id in enumerate(held.charge_ids):
        picture = Output(url=f"https://pictures.test/{job.actor.user_id}/{number}")
        await books.ledger.settle(charge_id, actual=actual, outputs=(picture,))
    await books.jobs.mark_delivered({job.id: (job.actor.channel_id, message)})
    return held


@asynccontextmanager
async def open_books(
    url: str, clock: StillClock | None = None, defaults: Defaults = GENEROUS
) -> AsyncIterator[Books]:
    """Open a database as one process would, and check its books at the end."""
    clock = clock or StillClock()
    async with open_database(url, clock=clock) as db:
        books = Books(db, clock, make_id(clock), defaults)
        await books.ledger.heartbeat()
        yield books
        assert await audit(db) == []


def sqlite_url(folder: Path) -> str:
    """Return the URL of a database in a folder."""
    return f"sqlite:///{folder / 'bot.db'}"
