"""The edit tray: at most sixteen pictures a person, for a week, on both engines."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bot.requests import Source
from bot.storage import MOST_IN_TRAY, Tray, open_database
from bot.storage.tray import TRAY_MS
from tests.storage.books import DAY, StillClock

MIRA, THEO = 11, 22


def picture(number: int, *, signed: str = "ex=1") -> Source:
    url = f"https://cdn.discordapp.com/attachments/5/{number}/cat.png?{signed}"
    return Source(url, f"cat-{number}.png", size=2_000, channel_id=5, message_id=70 + number)


@dataclass
class Shelf:
    tray: Tray
    clock: StillClock

    async def urls(self, user_id: int = MIRA) -> list[str]:
        return [each.source.url for each in await self.tray.list(user_id)]


@pytest.fixture
async def shelf(database_url: str) -> AsyncIterator[Shelf]:
    clock = StillClock()
    async with open_database(database_url, clock=clock) as database:
        yield Shelf(Tray(database, clock=clock), clock)


async def test_a_tray_is_kept_in_order_with_all_that_is_known_of_a_picture(
    database_url: str,
) -> None:
    clock = StillClock()
    pictures = [picture(number) for number in range(9)]
    async with open_database(database_url, clock=clock) as database:
        added = await Tray(database, clock=clock).add(MIRA, pictures)
    async with open_database(database_url, clock=clock) as database:
        kept = await Tray(database, clock=clock).list(MIRA)
    assert [each.source for each in kept] == pictures
    assert (added.tray, added.new, added.known, added.left_out) == (kept, 9, 0, 0)


async def test_nobody_sees_or_touches_anothers_tray(shelf: Shelf) -> None:
    (mine,) = (await shelf.tray.add(MIRA, [picture(1)])).tray
    await shelf.tray.add(THEO, [picture(2)])

    assert await shelf.tray.drop(THEO, [mine.id]) == await shelf.tray.list(THEO)
    await shelf.tray.clear(THEO)

    assert await shelf.urls(THEO) == []
    assert await shelf.urls(MIRA) == [picture(1).url]


async def test_the_same_picture_is_there_once_however_its_link_is_signed(shelf: Shelf) -> None:
    await shelf.tray.add(MIRA, [picture(1)])
    again = await shelf.tray.add(MIRA, [picture(1, signed="ex=2"), picture(2), picture(2)])
    assert (len(again.tray), again.new, again.known, again.left_out) == (2, 1, 2, 0)


async def test_it_takes_sixteen_and_says_how_many_found_no_room(shelf: Shelf) -> None:
    await shelf.tray.add(MIRA, [picture(number) for number in range(10)])
    added = await shelf.tray.add(MIRA, [picture(number) for number in range(8, 20)])
    assert len(added.tray) == MOST_IN_TRAY == 16
    assert (added.new, added.known, added.left_out) == (6, 2, 4)
    full = await shelf.tray.add(MIRA, [picture(30)])
    assert (len(full.tray), full.new, full.left_out) == (16, 0, 1)


async def test_what_is_dropped_makes_room(shelf: Shelf) -> None:
    tray = (await shelf.tray.add(MIRA, [picture(number) for number in range(16)])).tray
    left = await shelf.tray.drop(MIRA, [tray[0].id, tray[3].id])
    assert left == (*tray[1:3], *tray[4:])
    assert await shelf.tray.drop(MIRA, []) == left
    assert (await shelf.tray.add(MIRA, [picture(40)])).new == 1


async def test_a_picture_stays_a_week(shelf: Shelf) -> None:
    await shelf.tray.add(MIRA, [picture(1)])
    shelf.clock.now += DAY
    await shelf.tray.add(MIRA, [picture(2)])
    shelf.clock.now += TRAY_MS - DAY - 1
    assert len(await shelf.urls()) == 2
    shelf.clock.now += 1
    assert await shelf.urls() == [picture(2).url]
    assert (await shelf.tray.add(MIRA, [picture(1)])).new == 1


async def test_a_cleared_tray_is_empty(shelf: Shelf) -> None:
    await shelf.tray.add(MIRA, [picture(1), picture(2)])
    await shelf.tray.clear(MIRA)
    assert await shelf.urls() == []
