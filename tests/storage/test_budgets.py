"""Thresholds of pooled budgets: told when they are reached, once in each window."""

import asyncio

import pytest
from msgspec.structs import replace

from bot.quotas import Scope, Window
from bot.storage import Crossing, Option, Who
from bot.storage._alert_claims import CLAIM_MS
from bot.storage._budgets import reached
from tests.storage.books import DAY, NOON, Books

ADMIN = 1


async def spend(books: Books, amount: int, *, ceiling: int | None = None, **where: int) -> int:
    """Run a job that costs `amount`; return its id."""
    job = books.job(ceiling=amount if ceiling is None else ceiling, **where)  # type: ignore[arg-type]  # ids
    held = await books.sent(job)
    await books.ledger.settle(held.charge_ids[0], actual=amount)
    return job.id


async def told(books: Books, job_id: int) -> list[tuple[Scope, Window, int]]:
    return [(c.scope, c.window, c.percent) for c in await books.policies.crossed(job_id)]


@pytest.mark.parametrize(
    ("spent", "price", "percent"),
    [
        (0, 9, 0),
        (499, 9, 0),
        (500, 9, 50),
        (799, 300, 50),
        (800, 9, 80),
        (991, 9, 80),
        (992, 9, 100),
        (1000, 0, 100),
        (5000, 9, 100),
        (999, 0, 80),
    ],
)
def test_a_budget_is_used_up_when_it_pays_for_no_other_such_picture(
    spent: int, price: int, percent: int
) -> None:
    assert reached(spent, 1000, price=price) == percent


async def test_each_threshold_is_told_once_in_its_window(books: Books) -> None:
    await books.policies.set_limit(Who.guild(77), Window.DAY, 1000, by=ADMIN)
    assert await told(books, await spend(books, 490)) == []
    assert await told(books, await spend(books, 10)) == [(Scope.GUILD, Window.DAY, 50)]
    assert await told(books, await spend(books, 10)) == []
    assert await told(books, await spend(books, 300, ceiling=100)) == [
        (Scope.GUILD, Window.DAY, 80)
    ]
    last = await spend(books, 190)
    assert await told(books, last) == [(Scope.GUILD, Window.DAY, 100)]
    assert await told(books, last) == []

    books.clock.now += DAY
    assert await told(books, await spend(books, 600)) == [(Scope.GUILD, Window.DAY, 50)]


async def test_thresholds_that_are_jumped_over_are_told_as_one(books: Books) -> None:
    await books.policies.set_limit(Who.guild(77), Window.DAY, 1000, by=ADMIN)
    assert await told(books, await spend(books, 850, ceiling=100)) == [
        (Scope.GUILD, Window.DAY, 80)
    ]
    await books.policies.set_limit(Who.guild(77), Window.DAY, 1400, by=ADMIN)
    assert await told(books, await spend(books, 1)) == []


async def test_what_is_only_set_aside_is_not_spent(books: Books) -> None:
    await books.policies.set_limit(Who.guild(77), Window.DAY, 1000, by=ADMIN)
    held = await books.sent(books.job(ceiling=1000))
    assert await told(books, held.job_id) == []
    await books.ledger.settle(held.charge_ids[0], actual=400)
    assert await told(books, held.job_id) == []


async def test_every_pooled_budget_is_watched_and_no_personal_one(books: Books) -> None:
    for who in (
        *(Who.member(77, 11), Who.each_member(77), Who.person(11)),
        *(Who.channel(77, 770), Who.guild(77), Who.ceiling(77), Who.everybody()),
    ):
        await books.policies.set_limit(who, Window.WEEK, 1000, by=ADMIN)
        await books.policies.set_limit(who, Window.IMAGE, 500, by=ADMIN)
    found = await told(books, await spend(books, 500))
    assert set(found) == {
        (scope, Window.WEEK, 50) for scope in (Scope.CHANNEL, Scope.GUILD, Scope.CEILING, Scope.BOT)
    }


async def test_an_alert_knows_where_it_goes(books: Books) -> None:
    await books.policies.set_limit(Who.channel(77, 770), Window.DAY, 1000, by=ADMIN)
    await books.policies.configure(77, Option.ALERT_CHANNEL, 771, by=ADMIN)
    [crossing] = await books.policies.crossed(await spend(books, 500))
    assert crossing == Crossing(
        bucket_id=crossing.bucket_id,
        scope=Scope.CHANNEL,
        window=Window.DAY,
        percent=50,
        amount=1000,
        spent=500,
        resets_at_ms=NOON + DAY // 2,
        guild_id=77,
        channel_id=770,
        alert_channel=771,
        set_by=ADMIN,
        claimed_ms=NOON,
    )


@pytest.mark.parametrize(
    ("who", "set_by"),
    [(Who.ceiling(77), 5), (Who.any_guild(), 5), (Who.everybody(), 5), (Who.guild(77), 5)],
)
async def test_an_alert_knows_who_set_the_budget(books: Books, who: Who, set_by: int) -> None:
    await books.policies.set_limit(who, Window.TOTAL, 1000, by=set_by)
    [crossing] = await books.policies.crossed(await spend(books, 500))
    assert (crossing.set_by, crossing.resets_at_ms) == (set_by, None)


async def test_a_budget_that_nobody_set_has_nobody_behind_it(books: Books) -> None:
    crossings = await books.policies.crossed(await spend(books, books.defaults.guild_month))
    assert {c.scope for c in crossings} == {Scope.CEILING, Scope.BOT}
    assert all(c.set_by is None for c in crossings)


async def test_a_job_in_a_direct_message_touches_the_bots_budget_alone(books: Books) -> None:
    await books.policies.set_limit(Who.everybody(), Window.DAY, 1000, by=ADMIN)
    assert await told(books, await spend(books, 500, guild=0)) == [(Scope.BOT, Window.DAY, 50)]


async def test_of_many_that_see_a_threshold_one_tells_it(books: Books) -> None:
    await books.policies.set_limit(Who.guild(77), Window.DAY, 1000, by=ADMIN)
    others = [books, books.other_process()]
    jobs = [await spend(books, 125) for _ in range(4)]
    found = await asyncio.gather(
        *(other.policies.crossed(job_id) for other in others for job_id in jobs)
    )
    assert sum(len(crossings) for crossings in found) == 1


async def test_what_could_not_be_told_is_told_later(books: Books) -> None:
    await books.policies.set_limit(Who.guild(77), Window.DAY, 1000, by=ADMIN)
    [crossing] = await books.policies.crossed(await spend(books, 500))
    await books.policies.give_back(crossing)
    assert await told(books, await spend(books, 1)) == [(Scope.GUILD, Window.DAY, 50)]


async def test_what_a_process_claimed_and_did_not_live_to_tell_is_told_by_another(
    books: Books,
) -> None:
    await books.policies.set_limit(Who.guild(77), Window.DAY, 1000, by=ADMIN)
    job_id = await spend(books, 500)
    [crossing] = await books.policies.crossed(job_id)
    other = books.other_process()
    assert await other.policies.untold() == []
    assert await told(other, job_id) == []

    books.clock.now += CLAIM_MS
    assert await other.policies.untold() == [job_id]
    assert await told(other, job_id) == [(Scope.GUILD, Window.DAY, 50)]
    assert await other.policies.untold() == []

    await other.policies.told(crossing)
    books.clock.now += CLAIM_MS
    assert await books.policies.untold() == []
    assert await told(books, job_id) == []


async def test_who_tells_late_has_lost_it_if_another_one_has_it(books: Books) -> None:
    await books.policies.set_limit(Who.guild(77), Window.DAY, 1000, by=ADMIN)
    job_id, other = await spend(books, 500), books.other_process()
    [crossing] = await books.policies.crossed(job_id)
    books.clock.now += CLAIM_MS - 1
    assert await books.policies.renew(crossing)
    books.clock.now += CLAIM_MS - 1
    assert await other.policies.untold() == []  # it has begun anew

    books.clock.now += 1
    [theirs] = await other.policies.crossed(job_id)
    late = replace(crossing, claimed_ms=books.clock.now - CLAIM_MS)
    assert not await books.policies.renew(late)
    await other.policies.told(theirs)
    assert not await books.policies.renew(late)
    assert not await books.policies.renew(theirs)


async def test_what_is_not_news_any_more_is_left_alone(books: Books) -> None:
    await books.policies.set_limit(Who.guild(77), Window.DAY, 1000, by=ADMIN)
    await books.policies.crossed(await spend(books, 500))
    last = await spend(books, 400)
    await books.policies.crossed(last)
    books.clock.now += CLAIM_MS
    assert await books.policies.untold() == [last]
    books.clock.now += DAY
    assert await books.policies.untold() == []


async def test_a_window_that_is_over_is_not_told_any_more(books: Books) -> None:
    await books.policies.set_limit(Who.guild(77), Window.DAY, 1000, by=ADMIN)
    job_id = await spend(books, 900)
    books.clock.now += DAY
    assert await told(books, job_id) == []
    assert await books.policies.crossed(123) == []


async def test_a_budget_of_nothing_is_no_news(books: Books) -> None:
    await books.policies.set_limit(Who.guild(77), Window.DAY, 0, by=ADMIN)
    assert await told(books, await spend(books, 0)) == []
