"""Alarms that stand until it is well again, and turns of which one process gets each."""

import asyncio

import pytest

from bot.storage import Alarm, Alarms
from bot.storage._alert_claims import CLAIM_MS
from tests.storage.books import DAY, HOUR, MINUTE, Books


@pytest.fixture
def alarms(books: Books) -> Alarms:
    return Alarms(books.db, clock=books.clock)


async def test_of_many_that_notice_one_raises_the_alarm(books: Books, alarms: Alarms) -> None:
    both = [alarms, Alarms(books.db, clock=books.clock)]
    assert sum(await asyncio.gather(*(each.start("balance") for each in both * 3))) == 1
    assert await alarms.all() == {"balance": Alarm(books.clock.now, 0)}
    assert await alarms.start("model:a/b")


async def test_it_is_told_anew_once_it_was_well(books: Books, alarms: Alarms) -> None:
    assert await alarms.start("balance")
    books.clock.now += HOUR
    await alarms.end("balance")
    assert await alarms.all() == {"balance": Alarm(None, books.clock.now)}
    await alarms.end("balance")
    assert await alarms.start("balance")
    assert not await alarms.start("balance")


async def test_what_was_well_all_along_stays_so(books: Books, alarms: Alarms) -> None:
    assert await alarms.take_turn("balance", every_ms=HOUR)
    await alarms.end("balance")
    assert await alarms.all() == {"balance": Alarm(None, 0)}


async def test_what_nobody_could_be_told_was_never_well(books: Books, alarms: Alarms) -> None:
    await alarms.start("balance")
    await alarms.give_back("balance")
    assert await alarms.all() == {"balance": Alarm(None, 0)}
    assert await alarms.start("balance")


async def test_what_a_process_raised_and_did_not_live_to_tell_is_raised_by_another(
    books: Books, alarms: Alarms
) -> None:
    other = Alarms(books.db, clock=books.clock)
    assert await alarms.start("balance")
    [alarm] = (await other.all()).values()
    assert alarm.stands(books.clock.now)
    assert not await other.start("balance")

    books.clock.now += CLAIM_MS
    [alarm] = (await other.all()).values()
    assert not alarm.stands(books.clock.now)
    assert await other.start("balance")
    assert not await alarms.start("balance")

    await other.told("balance")
    books.clock.now += DAY
    [alarm] = (await alarms.all()).values()
    assert alarm.stands(books.clock.now)
    assert not await alarms.start("balance")

    await alarms.end("balance")
    await alarms.told("balance")  # late: it is well already, and the next time is told anew
    assert await alarms.start("balance")
    books.clock.now += CLAIM_MS
    assert await other.start("balance")


async def test_a_turn_is_one_process_and_comes_again_in_time(books: Books, alarms: Alarms) -> None:
    both = [alarms, Alarms(books.db, clock=books.clock)]

    async def turns() -> int:
        return sum(await asyncio.gather(*(x.take_turn("balance", every_ms=HOUR) for x in both * 2)))

    assert await turns() == 1
    books.clock.now += HOUR - MINUTE
    assert await turns() == 0
    books.clock.now += MINUTE
    assert await turns() == 1


async def test_a_clock_that_was_set_back_keeps_nobody_from_looking(
    books: Books, alarms: Alarms
) -> None:
    assert await alarms.take_turn("balance", every_ms=HOUR)
    books.clock.now -= 3 * DAY
    assert await alarms.take_turn("balance", every_ms=HOUR)
    assert not await alarms.take_turn("balance", every_ms=HOUR)


async def test_the_pace_is_what_was_spent_on_the_last_whole_days(books: Books) -> None:
    async def spend(amount: int) -> None:
        held = await books.sent(books.job(ceiling=amount))
        await books.ledger.settle(held.charge_ids[0], actual=amount)

    assert await books.ledger.pace() is None
    await spend(9000)
    assert await books.ledger.pace() is None  # today is no whole day
    books.clock.now += DAY
    assert await books.ledger.pace() == 9000
    books.clock.now += 2 * DAY
    await spend(10**6)
    assert await books.ledger.pace() == 3000
    books.clock.now += DAY
    assert await books.ledger.pace() == (9000 + 10**6 + 3) // 4
    books.clock.now += 8 * DAY
    assert await books.ledger.pace() is None
