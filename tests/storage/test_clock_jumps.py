"""A clock that jumps back and forward: holds, leases, heartbeats and windows."""

import random
from collections import Counter

import pytest

from bot.quotas import Limit, QuotaExceeded, Scope, Window
from bot.storage import ChargeState, Swept
from tests.storage.books import DAY, HOUR, MINUTE, NOON, Books

MEMBER_DAY = Limit(Scope.MEMBER, Window.DAY, 2500)
GUILD_TOTAL = Limit(Scope.GUILD, Window.TOTAL, 14_000)


async def state_of(books: Books, job_id: int) -> ChargeState:
    job = await books.jobs.get(job_id)
    assert job is not None
    return job.charges[0].state


@pytest.mark.parametrize("jump", [-40 * DAY, -DAY, -HOUR, HOUR, DAY, 40 * DAY])
async def test_a_cost_counts_where_it_was_held_however_the_clock_jumps(
    books: Books, jump: int
) -> None:
    held = await books.sent(books.job(ceiling=2500), [MEMBER_DAY])
    books.clock.now += jump
    assert (await books.ledger.settle(held.charge_ids[0], actual=2400)).changed
    books.clock.now = NOON
    with pytest.raises(QuotaExceeded) as refusal:
        await books.ledger.hold(books.job(ceiling=200), [MEMBER_DAY])
    assert refusal.value.left == 100


async def test_jumping_never_refills_a_window(books: Books) -> None:
    """Against a plain count of what every day and all days together may take."""
    chance = random.Random(21)
    days: Counter[int] = Counter()
    refused: set[Limit] = set()
    for _ in range(150):
        books.clock.now = NOON + chance.randrange(-4, 5) * DAY + chance.randrange(-10, 11) * HOUR
        day = books.clock.now // DAY
        price = chance.choice((300, 700, 1100))
        fits = days[day] + price <= MEMBER_DAY.amount and days.total() + price <= GUILD_TOTAL.amount
        try:
            held = await books.sent(books.job(ceiling=price), [MEMBER_DAY, GUILD_TOTAL])
        except QuotaExceeded as refusal:
            refused.add(refusal.limit)
            if fits:
                raise
            continue
        assert fits
        days[day] += price
        books.clock.now += chance.randrange(-3, 4) * DAY
        if chance.random() < 0.5:
            await books.ledger.settle(held.charge_ids[0], actual=price)
    assert refused == {MEMBER_DAY, GUILD_TOTAL}
    assert sum(await books.counters("guild", "total")) == days.total()


async def test_a_jump_forward_takes_nothing_from_a_living_process(books: Books) -> None:
    waiting = await books.ledger.hold(books.job())
    sent = await books.sent(books.job())
    books.clock.now += 30 * DAY
    assert await books.ledger.sweep() == Swept((), sent.charge_ids, ())
    assert await books.ledger.dispatch(waiting.charge_ids[0], lease_ms=MINUTE)
    assert (await books.ledger.settle(sent.charge_ids[0], actual=700)).changed
    assert (await books.ledger.settle(waiting.charge_ids[0], actual=300)).changed
    assert await books.counters("bot", "total") == (0, 1000, 0)


async def test_who_is_taken_for_dead_after_a_jump_sends_nothing_that_was_released(
    books: Books,
) -> None:
    other = books.other_process()
    await other.ledger.heartbeat()
    waiting = await other.ledger.hold(other.job())
    sent = await other.sent(other.job())
    books.clock.now += HOUR  # and the other one's heartbeat comes too late
    swept = await books.ledger.sweep()
    assert swept == Swept((waiting.job_id,), sent.charge_ids, ())
    assert not await other.ledger.dispatch(waiting.charge_ids[0], lease_ms=MINUTE)
    assert (await other.ledger.settle(sent.charge_ids[0], actual=700)).changed
    assert await books.counters("bot", "total") == (0, 700, 0)


async def test_a_clock_set_back_makes_a_lease_longer_and_not_endless(books: Books) -> None:
    held = await books.sent(books.job())
    books.clock.now -= HOUR
    await books.ledger.heartbeat()
    assert await books.ledger.sweep() == Swept()
    assert await books.counters("bot", "total") == (1000, 0, 0)
    books.clock.now += HOUR + MINUTE
    assert (await books.ledger.sweep()).unknown_charges == held.charge_ids


async def test_what_is_unknown_stays_reserved_until_the_clock_has_caught_up(books: Books) -> None:
    held = await books.sent(books.job(), [MEMBER_DAY])
    await books.ledger.mark_unknown(held.charge_ids[0], reason="no answer")
    books.clock.now -= 6 * HOUR
    assert await books.ledger.sweep() == Swept()
    with pytest.raises(QuotaExceeded) as refusal:
        await books.ledger.hold(books.job(ceiling=2000), [MEMBER_DAY])
    assert refusal.value.left == 1500
    books.clock.now += 6 * HOUR + 15 * MINUTE
    assert (await books.ledger.sweep()).presumed_charges == held.charge_ids


async def test_what_was_presumed_too_early_is_corrected_by_the_truth(books: Books) -> None:
    held = await books.sent(books.job())
    await books.ledger.mark_unknown(held.charge_ids[0], reason="no answer")
    books.clock.now += DAY
    assert (await books.ledger.sweep()).presumed_charges == held.charge_ids
    books.clock.now -= DAY
    assert (await books.ledger.settle(held.charge_ids[0], actual=600)).changed
    assert await books.counters("bot", "total") == (0, 600, 0)


async def test_a_clock_set_back_keeps_no_dead_process_alive_over_a_start(books: Books) -> None:
    dead = books.other_process()
    await dead.ledger.heartbeat()
    waiting = await dead.ledger.hold(dead.job())
    sent = await dead.sent(dead.job())
    books.clock.now -= DAY
    assert await books.ledger.sweep(adopt_all=True) == Swept((waiting.job_id,), sent.charge_ids, ())
    assert await state_of(books, waiting.job_id) is ChargeState.RELEASED
    assert await state_of(books, sent.job_id) is ChargeState.UNKNOWN
