"""What somebody has spent today, where the day began at another hour than in UTC."""

from bot.quotas import Window, window_at
from bot.requests import NO_GUILD, Actor
from bot.storage import NewJob
from tests.storage.books import HOUR, Books

GUILD, OTHER_GUILD, ADMIN = 77, 78, 1
HERE, ELSEWHERE = Actor(11, GUILD, 770), Actor(11, OTHER_GUILD, 780)
PRIVATELY = Actor(11, NO_GUILD, 5)


async def spend(books: Books, job: NewJob, actual: int) -> None:
    held = await books.sent(job)
    await books.ledger.settle(held.charge_ids[0], actual=actual)


async def test_a_day_begins_at_midnight_where_the_guild_is(books: Books) -> None:
    """It is noon in UTC, so in Kiritimati the 31st is two hours old."""
    await books.policies.set_timezone(GUILD, "Pacific/Kiritimati", by=ADMIN)
    books.clock.now -= 3 * HOUR
    await spend(books, books.job(), 100)
    books.clock.now += 3 * HOUR
    assert await books.ledger.spent_today(HERE) == 0
    await spend(books, books.job(), 20)
    assert await books.ledger.spent_today(HERE) == 20
    assert await books.ledger.spent_today(ELSEWHERE) == 120
    assert await books.ledger.spent_today(PRIVATELY) == 120


async def test_today_is_everywhere_and_one_persons_own(books: Books) -> None:
    await spend(books, books.job(), 1)
    await spend(books, books.job(guild=OTHER_GUILD, channel=780), 10)
    await spend(books, books.job(guild=NO_GUILD, channel=5), 100)
    await spend(books, books.job(user=12), 1000)
    for place in (HERE, ELSEWHERE, PRIVATELY):
        assert await books.ledger.spent_today(place) == 111


async def test_a_zone_that_is_changed_begins_no_new_day(books: Books) -> None:
    await spend(books, books.job(), 100)
    await books.policies.set_timezone(GUILD, "Pacific/Kiritimati", by=ADMIN)
    assert await books.ledger.spent_today(HERE) == 100
    zones = await books.policies.zones(GUILD)
    books.clock.now = window_at(Window.DAY, books.clock.now, zones).end_ms
    assert await books.ledger.spent_today(HERE) == 0
