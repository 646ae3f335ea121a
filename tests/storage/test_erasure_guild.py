"""A guild that is erased: nothing says who did what in it, and the operator's books add up."""

from functools import partial
from typing import TypeVar

import pytest
from msgspec.structs import replace

from bot.policy import Effect, ModelRule, Reach
from bot.quotas import QuotaExceeded, Window
from bot.storage import Erasable, Erased, Erasure, ModelPolicies, Option, Removals, Who
from bot.storage._erased_jobs import finish
from bot.storage._erasing import Order, mark
from bot.storage.policy_models import GuildConfig
from bot.storage.preferences import PreferenceStore
from bot.storage.rows import LIMIT_S, Row, Store, Transaction, Tx
from bot.wishes import Wish
from tests.storage.books import Books, ended

T = TypeVar("T")

GUILD, ELSEWHERE = 77, 78
WORDS = "a lighthouse that nobody else has ever thought of"
MIRA, THEO, ADA = 424_242_424_242, 11, 13


async def rows_of(books: Books, sql: str) -> list[Row]:
    return await books.db.read(lambda tx: tx.fetch(sql))


async def a_life(books: Books) -> None:
    """People make pictures in two guilds, and an admin sets all there is to be set."""
    for user in (MIRA, THEO):
        await ended(books, books.job(user=user, prompt=WORDS, roles=(5,)))
    await ended(books, books.job(user=MIRA, model="another/model", prompt=WORDS), actual=50)
    await ended(books, books.job(user=MIRA, guild=ELSEWHERE, prompt="elsewhere"))
    policies = books.policies
    await policies.set_limit(Who.member(GUILD, MIRA), Window.DAY, 5000, by=ADA)
    await policies.set_limit(Who.ceiling(GUILD), Window.MONTH, 5000, by=1)
    await policies.set_limit(Who.member(ELSEWHERE, MIRA), Window.DAY, 5000, by=ADA)
    await policies.grant(GUILD, MIRA, 900, reason="a birthday", by=ADA)
    await policies.block(GUILD, THEO, reason="noise", by=ADA)
    await policies.set_timezone(GUILD, "Europe/Berlin", by=ADA)
    await policies.configure(GUILD, Option.ALERT_CHANNEL, 5, by=ADA)
    await policies.configure(GUILD, Option.RETENTION, 30, by=ADA)
    await policies.pause(GUILD, by=ADA)
    store = ModelPolicies(books.db, clock=books.clock)
    await store.add_rule(GUILD, ModelRule(Reach.GUILD, 0, Effect.DENY, "acme/*"), by=ADA)
    await store.add_channel(GUILD, 770, by=ADA)
    await store.add_phrase(GUILD, "casino", by=ADA)
    await PreferenceStore(books.db, clock=books.clock).set(MIRA, GUILD, Wish.MODEL, "some/model")


async def test_what_was_asked_for_and_set_there_is_gone_and_what_is_elsewhere_stays(
    books: Books,
) -> None:
    await a_life(books)
    done = await Erasure(books.db, clock=books.clock).erase_guild(GUILD)

    assert done.waiting == 0
    assert done.rows == {
        "job": 3,
        "charge": 3,
        "prompt": 3,
        "job_output": 3,
        "usage_month": 2,
        "guild": 1,
        "guild_zone": 1,
        "spending_rule": 1,
        "spending_grant": 1,
        "blocked_member": 1,
        "model_rule": 1,
        "picture_channel": 1,
        "blocked_phrase": 1,
        "preference": 1,
        "rule_change": done.rows["rule_change"],
    }
    for sql in (
        f"SELECT 1 AS x FROM job WHERE guild_id = {GUILD} AND user_id > 0",
        f"SELECT 1 AS x FROM job WHERE guild_id = {GUILD} AND message_id IS NOT NULL",
        f"SELECT 1 AS x FROM charge WHERE guild_id = {GUILD} AND user_id > 0",
        f"SELECT 1 AS x FROM usage_month WHERE guild_id = {GUILD} AND user_id > 0",
        f"SELECT 1 AS x FROM rule_change WHERE guild_id = {GUILD} AND by_operator = 0",
        f"SELECT 1 AS x FROM rule_change WHERE guild_id = {GUILD} AND user_id IS NOT NULL",
        f"SELECT 1 AS x FROM guild_zone WHERE guild_id = {GUILD} AND changed_by > 0",
    ):
        assert await rows_of(books, sql) == []
    assert await books.policies.config(GUILD) == GuildConfig(zone="Europe/Berlin")
    assert [rule.who for rule in await books.policies.limits(GUILD)] == [Who.ceiling(GUILD)]
    assert [rule.who for rule in await books.policies.limits(ELSEWHERE)] == [
        Who.member(ELSEWHERE, MIRA)
    ]
    (job,) = await books.jobs.recent(MIRA)
    assert (job.guild_id, job.prompt) == (ELSEWHERE, "elsewhere")
    sums = await rows_of(
        books, f"SELECT SUM(spent) AS spent, COUNT(*) AS n FROM usage_month WHERE guild_id={GUILD}"
    )
    assert [(int(str(row._raw["spent"])), row.integer("n")) for row in sums] == [(1450, 1)]


async def test_the_operators_budget_for_it_binds_when_it_comes_back(books: Books) -> None:
    await books.policies.set_limit(Who.ceiling(GUILD), Window.MONTH, 1000, by=1)
    await ended(books, books.job(user=MIRA), actual=900)
    await Erasure(books.db, clock=books.clock).erase_guild(GUILD)
    with pytest.raises(QuotaExceeded):
        await books.ledger.hold(books.job(user=THEO, ceiling=200))


async def test_a_job_that_runs_is_erased_once_it_has_ended(books: Books) -> None:
    running = await books.sent(books.job(user=MIRA, prompt=WORDS))
    await ended(books, books.job(user=THEO, prompt=WORDS))
    erasure = Erasure(books.db, clock=books.clock)
    assert (await erasure.erase_guild(GUILD)).waiting == 1
    assert await erasure.unfinished() == 1
    await books.ledger.settle(running.charge_ids[0], actual=10)
    assert await erasure.resume() == 1  # settled, and not delivered yet
    await books.jobs.mark_delivered({running.job_id: (1, 1)})
    assert await erasure.resume() == 0
    assert await rows_of(books, "SELECT 1 AS x FROM prompt") == []
    assert await rows_of(books, "SELECT 1 AS x FROM setting") == []


class Counting:
    """A database that counts the transactions for which others wait."""

    def __init__(self, db: Store) -> None:
        self._db = db
        self.writes = 0

    async def write(
        self,
        run: Transaction[T],
        *,
        undo: Transaction[object] | None = None,
        limit_s: float = LIMIT_S,
    ) -> T:
        self.writes += 1
        return await self._db.write(run, undo=undo, limit_s=limit_s)

    async def read(self, run: Transaction[T], *, limit_s: float = LIMIT_S) -> T:
        return await self._db.read(run, limit_s=limit_s)


async def test_nobody_who_spends_waits_while_it_is_looked_what_has_ended(books: Books) -> None:
    running = await books.sent(books.job(user=MIRA))
    db = Counting(books.db)
    erasure = Erasure(db, clock=books.clock)
    assert (await erasure.erase_guild(GUILD)).waiting == 1
    assert db.writes == 1  # the order
    assert await erasure.resume() == 1
    assert db.writes == 1

    await books.ledger.settle(running.charge_ids[0], actual=10)
    await books.jobs.mark_delivered({running.job_id: (1, 1)})
    assert await erasure.resume() == 0
    assert db.writes == 3  # the job, and the end


async def test_an_order_that_was_widened_meanwhile_is_not_finished(books: Books) -> None:
    await ended(books, books.job(user=MIRA, prompt=WORDS))
    seen = Order(Erasable.GUILD, GUILD, -5, books.clock.now)
    await books.db.write(lambda tx: mark(tx, seen))
    books.clock.now += 1
    await books.db.write(lambda tx: mark(tx, replace(seen, asked_ms=books.clock.now)))
    await books.db.write(partial(finish, seen))
    erasure = Erasure(books.db, clock=books.clock)
    assert await erasure.unfinished() == 1
    assert await erasure.resume() == 0
    assert await rows_of(books, "SELECT 1 AS x FROM prompt") == []


async def test_hundreds_of_jobs_of_one_moment_are_all_erased(books: Books) -> None:
    open_one = await books.sent(books.job(user=MIRA))
    for number in range(70):
        await ended(books, books.job(user=11 + number % 3, pictures=2), actual=1)
    done = await Erasure(books.db, clock=books.clock).erase_guild(GUILD)
    assert (done.rows["job"], done.waiting) == (70, 1)
    await books.ledger.release(open_one.charge_ids[0], reason="")


async def test_who_was_erased_before_is_left_alone_and_the_sums_stay(books: Books) -> None:
    await ended(books, books.job(user=MIRA))
    erasure = Erasure(books.db, clock=books.clock)
    await erasure.erase_person(MIRA)
    before = await rows_of(books, "SELECT user_id FROM usage_month")
    assert await erasure.erase_guild(GUILD) == Erased({}, 0)
    after = await rows_of(books, "SELECT user_id FROM usage_month")
    assert [row.integer("user_id") for row in after] == [row.integer("user_id") for row in before]


async def test_no_guild_is_not_erased(books: Books) -> None:
    with pytest.raises(ValueError, match="not a guild"):
        await Erasure(books.db, clock=books.clock).erase_guild(0)


async def test_the_links_of_a_person_go_to_whoever_deletes_their_messages(books: Books) -> None:
    removals = Removals(books.db, clock=books.clock)
    job = books.job()
    assert job.reply is not None
    await removals.begin(5, job.reply)
    running = await books.sent(books.job(user=MIRA))
    await ended(books, books.job(user=MIRA), message=101)
    await ended(books, books.job(user=THEO), message=103)
    erasure = Erasure(books.db, clock=books.clock)
    await erasure.erase_person(MIRA)  # and then they think of the messages
    assert (await erasure.erase_person(MIRA, removal_id=5)).waiting == 1
    assert await removals.messages(5, before=10**9, limit=9) == []

    await ended(books, books.job(user=MIRA), message=104)
    await ended(books, books.job(user=MIRA, private=True), message=102)  # only she sees it
    by_mail = await books.sent(books.job(user=MIRA, private=True))
    await books.ledger.settle(by_mail.charge_ids[0], actual=1)
    await books.jobs.mark_delivered({by_mail.job_id: (8, 106)})
    await erasure.erase_person(MIRA, removal_id=5)
    await books.ledger.settle(running.charge_ids[0], actual=1)
    await books.jobs.mark_delivered({running.job_id: (7, 105)})
    assert await erasure.resume() == 0
    assert await removals.messages(5, before=10**9, limit=9) == [(8, 106), (7, 105), (770, 104)]


async def test_a_removal_that_is_over_gets_no_links(books: Books) -> None:
    await ended(books, books.job(user=MIRA), message=101)
    await Erasure(books.db, clock=books.clock).erase_person(MIRA, removal_id=5)

    async def left(tx: Tx) -> list[Row]:
        return await tx.fetch("SELECT * FROM removal_message")

    assert await books.db.read(left) == []
