"""A person who is erased: nothing of theirs is left, every sum and every limit is."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import pytest

from bot.errors import LedgerUnavailable
from bot.policy import Effect, ModelRule, Reach
from bot.quotas import Blocked, QuotaExceeded, Scope, Window
from bot.requests import Actor
from bot.storage import (
    Erased,
    Erasure,
    ModelPolicies,
    OfferStore,
    Option,
    Who,
    sqlite_path,
)
from bot.storage.rows import LIMIT_S, Row, Store, Transaction, Tx
from tests.storage.books import MINUTE, NOON, Books, ended, open_books, sqlite_url

T = TypeVar("T")

THEM = 424_242_424_242_424_242
"""The person who is erased: a number that nothing else is part of."""
DM_CHANNEL = 515_151_515_151_515_151
WORDS = "a lighthouse that nobody else has ever thought of"
OTHER, ADMIN, GUILD = 12, 13, 77

COLUMNS = {
    "sqlite": "SELECT m.name, p.name FROM sqlite_master m, pragma_table_info(m.name) p "
    "WHERE m.type = 'table' ORDER BY 1, 2",
    "postgresql": "SELECT table_name, column_name FROM information_schema.columns "
    "WHERE table_schema = 'public' ORDER BY 1, 2",
}


@pytest.fixture
def erasure(books: Books) -> Erasure:
    return Erasure(books.db, clock=books.clock)


@pytest.fixture
def holding(
    books: Books, engine: str, database_url: str, outside: Callable[[str, str], list[str]]
) -> Callable[[object], set[str]]:
    """Finds the columns of the whole database in which something stands."""
    _ = books

    def find(what: object) -> set[str]:
        columns = [line.split("|") for line in outside(database_url, COLUMNS[engine])]
        found = " UNION ALL ".join(
            f"SELECT '{table}.{column}' FROM {table} WHERE CAST({column} AS TEXT) LIKE '%{what}%'"
            for table, column in columns
        )
        return set(outside(database_url, found))

    return find


async def some_pictures(tx: Tx) -> None:
    """Put aside a picture, paint on one, and have the job of another edited one."""
    await tx.fetch(
        "INSERT INTO job_input (job_id, content) SELECT job_id, $1 FROM prompt LIMIT 1", WORDS
    )
    await tx.fetch("INSERT INTO tray_picture VALUES (1, $1, $2, 1)", THEM, WORDS)
    await tx.fetch(
        "INSERT INTO promise VALUES (1, 1, $1, 0, 1, $2, $3, 1, 1)", THEM, WORDS, DM_CHANNEL
    )
    await tx.fetch("INSERT INTO mask VALUES (1, $1, $2, 1)", THEM, WORDS.encode())
    await tx.fetch("INSERT INTO preference VALUES ($1, 0, $2, $2, 'low', 'png', 1, 1)", THEM, WORDS)
    await tx.fetch(
        "INSERT INTO paint_link (id, user_id, guild_id, channel_id, is_private, draft, "
        "application_id, reply_channel, upload_limit, created_at, expires_at) "
        "VALUES (1, $1, 0, $2, 0, $3, 1, $2, 1, 1, 1)",
        THEM,
        DM_CHANNEL,
        WORDS,
    )


async def a_life(books: Books) -> None:
    """Let the person do all that leaves a trace: as a member, and as one who sets rules."""
    await ended(books, books.job(user=THEM, pictures=3, prompt=WORDS))
    await ended(books, books.job(user=THEM, model="another/model", prompt=WORDS))
    await ended(books, books.job(user=THEM, guild=0, channel=DM_CHANNEL, prompt=WORDS))
    refused = await books.sent(books.job(user=THEM, prompt=WORDS))
    await books.ledger.release(refused.charge_ids[0], reason=f"the provider refused {WORDS!r}")
    await books.jobs.mark_undeliverable(refused.job_id, reason="no route")
    await OfferStore(books.db, clock=books.clock).add(
        3, user_id=THEM, content=WORDS, expires_ms=NOON + MINUTE
    )
    await books.db.write(some_pictures)
    policies = books.policies
    await policies.set_limit(Who.member(GUILD, THEM), Window.DAY, 5000, by=ADMIN)
    await policies.set_limit(Who.member(GUILD, OTHER), Window.DAY, 5000, by=THEM)
    await policies.grant(GUILD, THEM, 900, reason="a birthday", by=ADMIN)
    await policies.grant(GUILD, OTHER, 900, reason="a birthday", by=THEM)
    await policies.block(GUILD, THEM, reason="noise", by=ADMIN)
    await policies.block(GUILD, OTHER, reason="noise", by=THEM)
    await policies.set_timezone(GUILD, "Europe/Berlin", by=THEM)
    await policies.configure(GUILD, Option.ALERT_CHANNEL, 5, by=THEM)
    await policies.pause(GUILD, by=THEM)
    store = ModelPolicies(books.db, clock=books.clock)
    await store.add_rule(GUILD, ModelRule(Reach.GUILD, 0, Effect.DENY, "acme/*"), by=THEM)
    await store.add_channel(GUILD, 770, by=THEM)
    await store.add_phrase(GUILD, "casino", by=THEM)


async def rows_of(books: Books, sql: str) -> list[Row]:
    return await books.db.read(lambda tx: tx.fetch(sql))


async def test_nothing_in_the_database_names_them_or_says_what_they_asked_for(
    books: Books, erasure: Erasure, holding: Callable[[object], set[str]]
) -> None:
    await a_life(books)
    told = {"setting.name", *holding(THEM)}
    # Whoever adds a table that names people lets `a_life` write to it, and erases it.
    assert {column for column in holding("") if column.endswith((".user_id", "_by"))} <= told
    assert {"prompt.prompt", "job_input.content", "offer.content", "charge.reason"} <= holding(
        WORDS
    )
    assert "job.channel_id" in holding(DM_CHANNEL)

    done = await erasure.erase_person(THEM)

    assert holding(THEM) == holding(WORDS) == holding(DM_CHANNEL) == set()
    assert done == Erased(
        {"job": 4, "charge": 6, "prompt": 4, "job_input": 1, "job_output": 5, "usage_month": 2}
        | {"offer": 1, "tray_picture": 1, "paint_link": 1, "mask": 1, "preference": 1, "promise": 1}
        | {"guild": 1, "guild_zone": 1, "spending_rule": 2, "spending_grant": 2}
        | {"model_rule": 1, "picture_channel": 1, "blocked_phrase": 1}
        | {"blocked_member": 2, "rule_change": 12},
        waiting=0,
    )


async def test_one_tombstone_stands_wherever_they_did_and_the_sums_are_its_own(
    books: Books, erasure: Erasure
) -> None:
    await ended(books, books.job(user=OTHER, prompt="mine"), actual=50)
    await a_life(books)
    await erasure.erase_person(THEM)
    (tombstone,) = {row.integer("user_id") for row in await rows_of(books, "SELECT * FROM job")} - {
        OTHER
    }
    assert tombstone < 0
    for table, column in (
        ("charge", "user_id"),
        ("usage_month", "user_id"),
        ("spending_rule", "set_by"),
        ("spending_grant", "granted_by"),
        ("blocked_member", "blocked_by"),
        ("model_rule", "set_by"),
        ("picture_channel", "set_by"),
        ("blocked_phrase", "set_by"),
        ("rule_change", "changed_by"),
        ("guild_zone", "changed_by"),
        ("guild", "paused_by"),
    ):
        found = await rows_of(books, f"SELECT {column} AS who FROM {table}")
        assert {row.integer("who") for row in found} - {OTHER, ADMIN} == {tombstone}
    assert await books.ledger.spend(THEM) == await books.ledger.spend(THEM, since_ms=0) == 0
    assert await books.ledger.spend(tombstone) == 5 * 700
    assert await books.ledger.spend(OTHER) == 50
    (job,) = await books.jobs.recent(OTHER)
    assert job.prompt == "mine"


async def test_being_erased_refills_no_quota_and_lifts_no_block(
    books: Books, erasure: Erasure
) -> None:
    await books.policies.set_limit(Who.member(GUILD, THEM), Window.DAY, 1000, by=ADMIN)
    await books.policies.set_limit(Who.person(THEM), Window.MONTH, 1400, by=ADMIN)
    await books.policies.grant(GUILD, THEM, 300, reason="", by=ADMIN)
    await ended(books, books.job(user=THEM), actual=900)
    actor, counters = Actor(THEM, GUILD, 770), await books.counters("member")
    before = await books.policies.standing(actor, price=500)

    await erasure.erase_person(THEM)

    assert await books.policies.standing(actor, price=500) == before
    assert await books.counters("member") == counters
    with pytest.raises(QuotaExceeded) as refusal:
        await books.ledger.hold(books.job(user=THEM, ceiling=500))
    assert (refusal.value.limit, refusal.value.left) == (
        before.binding and before.binding.limit,
        400,
    )
    with pytest.raises(QuotaExceeded):
        await books.ledger.hold(books.job(user=THEM, guild=78, ceiling=501))

    await books.policies.block(GUILD, THEM, reason="", by=ADMIN)
    await erasure.erase_person(THEM)
    with pytest.raises(Blocked):
        await books.ledger.hold(books.job(user=THEM, ceiling=0))
    assert [who.user_id for who in await books.policies.blocked(GUILD)] == [None]
    assert await books.policies.unblock(GUILD, THEM, by=ADMIN)


async def test_what_runs_is_finished_first_and_what_is_asked_for_later_is_not_concerned(
    books: Books, erasure: Erasure
) -> None:
    running = books.job(user=THEM, pictures=2, prompt=WORDS)
    held = await books.sent(running)
    await books.ledger.settle(held.charge_ids[0], actual=10)
    undelivered = books.job(user=THEM, prompt=WORDS)
    await books.ledger.settle((await books.sent(undelivered)).charge_ids[0], actual=10)
    await ended(books, books.job(user=THEM, prompt=WORDS))
    done = await erasure.erase_person(THEM)
    assert (done.rows["job"], done.waiting) == (1, 2)

    books.clock.now += 1
    later = books.job(user=THEM, prompt="a new wish")
    await ended(books, later)
    await books.ledger.settle(held.charge_ids[1], actual=10)
    assert await erasure.resume() == 1
    for job in (running, undelivered):
        found = await books.jobs.get(job.id)
        assert found is not None
        assert (found.actor.user_id, found.prompt) == (THEM, WORDS)
        await books.jobs.mark_delivered({job.id: (1, 1)})
    assert await erasure.resume() == 0
    assert [job.id for job in await books.jobs.recent(THEM)] == [later.id]
    assert await books.ledger.spend(THEM) == 700
    assert len({row.integer("user_id") for row in await rows_of(books, "SELECT * FROM job")}) == 2
    assert await rows_of(books, "SELECT * FROM setting") == []


@pytest.mark.parametrize("state", ["presumed", "unknown", "released"])
async def test_a_truth_that_comes_after_the_erasure_is_added_to_the_tombstone(
    books: Books, erasure: Erasure, state: str
) -> None:
    held = await books.sent(books.job(user=THEM, ceiling=1000))
    (charge_id,) = held.charge_ids
    if state == "released":
        await books.ledger.release(charge_id, reason="")
    else:
        await books.ledger.mark_unknown(charge_id, reason="")
    if state == "presumed":
        books.clock.now += 16 * MINUTE
        await books.ledger.sweep()
    await books.jobs.mark_delivered({held.job_id: (1, 1)})
    assert (await erasure.erase_person(THEM)).waiting == 0
    assert (await books.ledger.settle(charge_id, actual=1700)).changed
    (month,) = await rows_of(books, "SELECT * FROM usage_month")
    assert month.integer("user_id") < 0
    assert (month.integer("charges"), month.integer("spent")) == (1, 1700)


async def test_what_a_truth_says_that_comes_after_the_erasure_is_not_kept(
    books: Books, erasure: Erasure
) -> None:
    for user in (THEM, OTHER):
        held = await books.sent(books.job(user=user, prompt=WORDS))
        await books.ledger.mark_unknown(held.charge_ids[0], reason="")
        await books.jobs.mark_delivered({held.job_id: (1, 1)})
        await erasure.erase_person(THEM)
        reason = f"the provider refused {WORDS!r}"
        assert await books.ledger.release(held.charge_ids[0], reason=reason)
    rows = await rows_of(books, "SELECT user_id, reason FROM charge ORDER BY user_id")
    assert [row.text("reason") for row in rows] == ["", f"the provider refused {WORDS!r}"]


class Breaking:
    """The database of a process that is killed before its `after`th write."""

    def __init__(self, db: Store, after: int) -> None:
        self._db = db
        self._left = after

    async def write(
        self,
        run: Transaction[T],
        *,
        undo: Transaction[object] | None = None,
        limit_s: float = LIMIT_S,
    ) -> T:
        if not self._left:
            raise LedgerUnavailable("killed")
        self._left -= 1
        return await self._db.write(run, undo=undo, limit_s=limit_s)

    async def read(self, run: Transaction[T], *, limit_s: float = LIMIT_S) -> T:
        return await self._db.read(run, limit_s=limit_s)


async def test_an_erasure_that_is_killed_anywhere_is_finished_by_the_next_start(
    books: Books, holding: Callable[[object], set[str]]
) -> None:
    killed = 0
    for writes in range(1, 100):
        jobs = [
            books.job(user=THEM, prompt=WORDS, model=f"some/model-{number % 3}")
            for number in range(45)
        ]
        await asyncio.gather(*(ended(books, job, actual=1) for job in jobs))
        try:
            await Erasure(Breaking(books.db, writes), clock=books.clock).erase_person(THEM)
        except LedgerUnavailable:
            killed += 1
        else:
            break
        again = Erasure(books.db, clock=books.clock)
        if writes % 2:
            assert await again.resume() == 0
        else:  # the person has seen no answer, and asks once more
            assert (await again.erase_person(THEM)).waiting == 0
        assert holding(THEM) == set()
        tombs = await rows_of(books, "SELECT COUNT(*) AS jobs FROM job GROUP BY user_id")
        assert [row.integer("jobs") for row in tombs] == [45] * writes
    assert killed == 4  # before each of three batches, and before the end


async def test_nobody_waits_in_a_circle_while_two_erase_somebody_and_others_spend(
    books: Books,
    erasure: Erasure,
    engine: str,
    database_url: str,
    outside: Callable[[str, str], list[str]],
) -> None:
    """Two processes erase the same person, whose charges are settled late all the while."""
    held = [await books.sent(books.job(user=THEM, pictures=2)) for _ in range(60)]
    for job in held:
        await books.ledger.release(job.charge_ids[0], reason="")
        await books.ledger.mark_unknown(job.charge_ids[1], reason="")
        await books.jobs.mark_delivered({job.job_id: (1, 1)})
    late = [c for job in held for c in job.charge_ids]
    outcomes = await asyncio.gather(
        erasure.erase_person(THEM),
        *(books.ledger.settle(charge_id, actual=5) for charge_id in late),
        Erasure(books.db, clock=books.clock).erase_person(THEM),
        *(ended(books, books.job(user=OTHER), actual=1) for _ in range(20)),
    )
    assert len(outcomes) == 142
    months = await rows_of(books, "SELECT * FROM usage_month ORDER BY user_id")
    assert [(row.integer("user_id") < 0, row.integer("spent")) for row in months] == [
        (True, 600),
        (False, 20),
    ]
    if engine == "postgresql":
        deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert outside(database_url, deadlocks) == ["0"]


async def test_months_whose_jobs_are_gone_are_erased_too(books: Books, erasure: Erasure) -> None:
    async def run(tx: Tx) -> None:
        for user, month in ((THEM, "2025-11"), (THEM, "2025-12"), (OTHER, "2025-12")):
            await tx.fetch(
                "INSERT INTO usage_month (guild_id, month, user_id, charges, pictures, spent) "
                "VALUES (77, $1, $2, 3, 4, 500)",
                month,
                user,
            )

    await books.db.write(run)
    try:
        assert await erasure.erase_person(THEM) == Erased({"usage_month": 2}, 0)
        months = await rows_of(books, "SELECT * FROM usage_month ORDER BY month, user_id")
        sums = [(row.text("month"), row.integer("spent"), row.integer("charges")) for row in months]
        assert sums == [("2025-11", 500, 3), ("2025-12", 500, 3), ("2025-12", 500, 3)]
        assert [row.integer("user_id") > 0 for row in months] == [False, False, True]
    finally:  # Raw rows that are gone are nothing that the auditor of these tests knows of.
        await books.db.write(lambda tx: tx.fetch("DELETE FROM usage_month"))


async def test_whoever_left_no_trace_leaves_none_by_being_erased(
    books: Books, erasure: Erasure
) -> None:
    await ended(books, books.job(user=OTHER))
    assert await erasure.erase_person(THEM) == Erased({}, waiting=0)
    assert await rows_of(books, "SELECT * FROM setting") == []
    assert await books.ledger.spend(OTHER) == 700


@pytest.mark.parametrize("user_id", [0, -5, 1 << 63])
async def test_tombstones_are_not_erased_again(erasure: Erasure, user_id: int) -> None:
    with pytest.raises(ValueError, match="not a user"):
        await erasure.erase_person(user_id)


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[tuple[Books, Path]]:
    url = sqlite_url(tmp_path)
    path = sqlite_path(url)
    assert path is not None
    async with open_books(url) as books:
        yield books, path


async def test_erased_words_leave_the_file_and_not_only_the_table(
    file: tuple[Books, Path],
) -> None:
    books, path = file

    def on_disk() -> bytes:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return b"".join(found.read_bytes() for found in sorted(path.parent.glob("bot.db*")))

    for number in range(60):
        await ended(books, books.job(user=THEM, prompt=f"{WORDS} {number} " + "x" * 3000))
        await ended(books, books.job(user=OTHER, prompt=f"hers {number}"))
    assert WORDS.encode() in on_disk()
    await Erasure(books.db, clock=books.clock).erase_person(THEM)
    left = on_disk()
    assert WORDS.encode() not in left
    assert b"hers 59" in left


async def test_a_budget_that_an_erased_admin_set_binds_and_is_told_of_to_somebody_else(
    books: Books, erasure: Erasure
) -> None:
    await books.policies.set_limit(Who.guild(GUILD), Window.DAY, 1000, by=THEM)
    await erasure.erase_person(THEM)
    with pytest.raises(QuotaExceeded) as refusal:
        await books.ledger.hold(books.job(ceiling=1001))
    assert (refusal.value.limit.scope, refusal.value.limit.amount) == (Scope.GUILD, 1000)
    held = await ended(books, books.job(user=OTHER), actual=500)
    (crossing,) = await books.policies.crossed(held.job_id)
    assert (crossing.percent, crossing.set_by) == (50, None)
