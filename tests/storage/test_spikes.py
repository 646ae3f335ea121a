"""A member who spends far more than usually: found once a day, by what is usual for them."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.quotas import Window
from bot.storage import Erasure, Option, Spike, Who
from bot.storage._alert_claims import CLAIM_MS
from bot.storage._spikes import FEWEST_DAYS, usual
from tests.storage.books import DAY, Books
from tests.storage.test_budgets import spend

ADMIN = 1
CENT = 10_000


async def live(books: Books, days: Sequence[int], **where: int) -> None:
    """Spend so many micro-dollars on each of the days, and go on to the next day."""
    for amount in days:
        if amount:
            await spend(books, amount, **where)
        books.clock.now += DAY


async def spike(books: Books, amount: int, **where: int) -> Spike | None:
    return await books.policies.spiked(await spend(books, amount, **where))


@given(st.lists(st.integers(0, 10**9), max_size=31))
def test_half_of_the_days_with_spending_are_no_dearer_than_the_usual(days: list[int]) -> None:
    spent = [day for day in days if day]
    norm = usual(days)
    if len(spent) < FEWEST_DAYS:
        assert norm is None
        return
    assert norm in spent
    assert 2 * sum(day <= norm for day in spent) >= len(spent)
    assert 2 * sum(day >= norm for day in spent) >= len(spent)


async def test_more_than_five_times_the_usual_is_found_once_a_day(books: Books) -> None:
    await live(books, [6 * CENT, 4 * CENT, 0, 5 * CENT, 90 * CENT, 3 * CENT])
    assert await spike(books, 25 * CENT) is None  # five times is not more than five times
    found = await spike(books, CENT)
    assert found is not None
    assert (found.user_id, found.guild_id) == (11, 77)
    assert (found.spent, found.usual, found.days) == (26 * CENT, 5 * CENT, 5)
    assert await spike(books, 50 * CENT) is None

    books.clock.now += DAY
    found = await spike(books, 80 * CENT)
    assert found is not None
    assert (found.usual, found.days) == (6 * CENT, 6)


async def test_what_a_process_claimed_and_did_not_live_to_tell_is_told_by_another(
    books: Books,
) -> None:
    await live(books, [CENT] * 6)
    job_id = await spend(books, 100 * CENT)
    claimed = await books.policies.spiked(job_id)
    assert claimed is not None
    other = books.other_process()
    assert await other.policies.untold() == []
    assert await other.policies.spiked(job_id) is None

    books.clock.now += CLAIM_MS
    assert await other.policies.untold() == [job_id]
    again = await other.policies.spiked(job_id)
    assert again == replace(claimed, claimed_ms=books.clock.now)
    assert await other.policies.untold() == []

    await other.policies.told(again)
    books.clock.now += CLAIM_MS
    assert await books.policies.untold() == []
    assert await books.policies.spiked(job_id) is None


async def test_a_few_days_tell_nothing_and_cents_alarm_nobody(books: Books) -> None:
    await live(books, [CENT] * (FEWEST_DAYS - 1))
    assert await spike(books, 300 * CENT) is None
    books.clock.now += DAY
    assert await spike(books, 24 * CENT) is None
    assert await spike(books, CENT) is not None


async def test_what_was_usual_long_ago_is_not_any_more(books: Books) -> None:
    await live(books, [CENT] * 6)
    books.clock.now += 27 * DAY
    assert await spike(books, 300 * CENT) is None


async def test_each_member_has_their_own_usual_in_each_guild(books: Books) -> None:
    await live(books, [5 * CENT] * 6)
    await live(books, [50 * CENT] * 6, user=12)
    assert await spike(books, 100 * CENT, user=12) is None
    assert await spike(books, 100 * CENT, guild=78) is None
    assert await spike(books, 100 * CENT) is not None


async def test_outside_guilds_nobody_is_told_of_anybody(books: Books) -> None:
    await live(books, [CENT] * 6, guild=0)
    assert await spike(books, 100 * CENT, guild=0) is None


async def test_it_knows_where_it_is_told(books: Books) -> None:
    await live(books, [CENT] * 6)
    await books.policies.set_limit(Who.guild(77), Window.MONTH, 10**9, by=ADMIN)
    await books.policies.set_limit(Who.ceiling(77), Window.MONTH, 10**9, by=5)
    books.clock.now += 1
    await books.policies.set_limit(Who.member(77, 11), Window.DAY, 10**9, by=2)
    await books.policies.configure(77, Option.ALERT_CHANNEL, 771, by=ADMIN)
    found = await spike(books, 100 * CENT)
    assert found is not None
    assert (found.alert_channel, found.set_by) == (771, 2)


async def test_of_many_that_see_it_one_tells_it(books: Books) -> None:
    await live(books, [CENT] * 6)
    jobs = [await spend(books, 100 * CENT) for _ in range(4)]
    others = [books, books.other_process()]
    found = await asyncio.gather(*(o.policies.spiked(job) for o in others for job in jobs))
    assert sum(each is not None for each in found) == 1


async def test_what_could_not_be_told_is_told_later_that_day(books: Books) -> None:
    await live(books, [CENT] * 6)
    found = await spike(books, 100 * CENT)
    assert found is not None
    await books.policies.give_back(found)
    assert await spike(books, CENT) is not None
    job_id = await spend(books, 100 * CENT)
    books.clock.now += DAY
    assert await books.policies.spiked(job_id) is None


@pytest.mark.parametrize(("amount", "presses"), [(25 * CENT, True), (25 * CENT - 1, False)])
async def test_a_settlement_says_when_a_day_is_worth_a_look(
    books: Books, amount: int, presses: bool
) -> None:
    held = await books.sent(books.job(ceiling=amount))
    settled = await books.ledger.settle(held.charge_ids[0], actual=amount)
    assert settled.presses_budget is presses


async def test_being_erased_leaves_what_is_usual_and_nobody_to_tell_of(books: Books) -> None:
    await live(books, [CENT] * 6)
    job_id = await spend(books, 100 * CENT)
    await books.jobs.mark_delivered({job_id: (1, 2)})
    await Erasure(books.db, clock=books.clock).erase_person(11)
    assert await books.policies.spiked(job_id) is None
    found = await spike(books, CENT)
    assert found is not None
    assert found.usual == CENT
