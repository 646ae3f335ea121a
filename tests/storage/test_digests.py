"""Digests on disk: one process of many posts each, and what was claimed comes to an end."""

import asyncio

import pytest

from bot.quotas import Window, ZoneChange
from bot.storage import Claim, DigestStore, Erasure, SetDigest, Trail
from tests.storage.books import DAY, HOUR, NOON, Books

GUILD, CHANNEL, ADMIN = 77, 770, 1
END = NOON + DAY // 2


@pytest.fixture
def store(books: Books) -> DigestStore:
    return DigestStore(books.db, clock=books.clock)


async def only(store: DigestStore) -> SetDigest:
    [digest] = await store.all()
    assert digest == await store.get(digest.guild_id)
    return digest


async def claimed(store: DigestStore, end_ms: int = END) -> Claim:
    claim = await store.claim(await only(store), end_ms)
    assert claim is not None
    return claim


@pytest.fixture
async def daily(store: DigestStore) -> SetDigest:
    await store.set(GUILD, Window.DAY, CHANNEL, by=ADMIN)
    return await only(store)


async def test_what_is_set_is_wanted_from_now_on(
    books: Books, store: DigestStore, daily: SetDigest
) -> None:
    assert daily == SetDigest(
        guild_id=GUILD,
        window=Window.DAY,
        channel_id=CHANNEL,
        set_by=ADMIN,
        covered_ms=NOON,
        reported_ms=None,
        claim=None,
        lost_label=None,
        is_troubled=False,
        try_ms=0,
        zones=(),
    )
    await books.policies.set_timezone(GUILD, "Asia/Tokyo", by=ADMIN)
    assert (await only(store)).zones == (ZoneChange(0, "Asia/Tokyo"),)
    assert await store.get(78) is None


async def test_of_many_that_see_it_one_posts_it(
    books: Books, store: DigestStore, daily: SetDigest
) -> None:
    stores = [store, DigestStore(books.db, clock=books.clock)]
    claims = await asyncio.gather(*(each.claim(daily, END) for each in stores * 3))
    [claim] = [each for each in claims if each is not None]
    digest = await only(store)
    assert (digest.claim, digest.covered_ms, digest.reported_ms) == (claim, END, END)
    assert claim.covered_before_ms == NOON

    await store.posted(GUILD, claim)
    digest = await only(store)
    assert (digest.claim, digest.covered_ms, digest.reported_ms) == (None, END, END)
    assert await store.claim(daily, END) is None  # who has looked before


async def test_what_was_refused_is_due_again_and_told_of_once(
    store: DigestStore, daily: SetDigest
) -> None:
    claim = await claimed(store)
    assert await store.refused(GUILD, claim, try_ms=NOON + HOUR)
    digest = await only(store)
    assert (digest.claim, digest.covered_ms, digest.try_ms) == (None, NOON, NOON + HOUR)
    await store.told(GUILD, CHANNEL)
    assert (await only(store)).is_troubled

    assert not await store.refused(GUILD, await claimed(store), try_ms=NOON + 2 * HOUR)
    await store.posted(GUILD, await claimed(store))
    digest = await only(store)
    assert (digest.is_troubled, digest.try_ms) == (False, 0)
    assert await store.refused(GUILD, await claimed(store, END + DAY), try_ms=NOON)


async def test_what_nobody_was_told_is_told_the_next_time(
    store: DigestStore, daily: SetDigest
) -> None:
    assert await store.refused(GUILD, await claimed(store), try_ms=NOON)
    assert not (await only(store)).is_troubled  # nobody could be told, or its process was killed
    assert await store.refused(GUILD, await claimed(store), try_ms=NOON)
    await store.told(GUILD, CHANNEL + 1)  # of the channel before this one
    assert await store.refused(GUILD, await claimed(store), try_ms=NOON)


async def test_what_is_lost_is_never_due_again_and_told_by_the_next_one(
    store: DigestStore, daily: SetDigest
) -> None:
    claim = await claimed(store)
    await store.lost(GUILD, claim, "2026-07-30")
    digest = await only(store)
    assert (digest.claim, digest.covered_ms, digest.lost_label) == (None, END, "2026-07-30")
    await store.posted(GUILD, claim)  # too late to be known
    assert (await only(store)).lost_label == "2026-07-30"
    await store.posted(GUILD, await claimed(store, END + DAY))
    assert (await only(store)).lost_label is None


async def test_what_there_is_nothing_to_say_about_is_covered_without_a_post(
    store: DigestStore, daily: SetDigest
) -> None:
    await store.cover(daily, END)
    digest = await only(store)
    assert (digest.covered_ms, digest.reported_ms) == (END, None)
    await store.cover(daily, END + DAY)  # who has looked before
    assert (await only(store)).covered_ms == END


async def test_another_channel_goes_on_and_another_kind_begins_anew(
    books: Books, store: DigestStore, daily: SetDigest
) -> None:
    books.clock.now += 3 * DAY
    await store.refused(GUILD, await claimed(store), try_ms=NOON + 9 * DAY)
    await store.told(GUILD, CHANNEL)
    await store.set(GUILD, Window.DAY, 771, by=2)
    digest = await only(store)
    assert (digest.channel_id, digest.set_by, digest.covered_ms) == (771, 2, NOON)
    assert (digest.is_troubled, digest.try_ms) == (False, 0)
    assert await store.claim(daily, END) is None  # it was for the other channel

    await claimed(store)
    await store.set(GUILD, Window.WEEK, 771, by=2)
    digest = await only(store)
    assert (digest.window, digest.covered_ms, digest.claim) == (
        Window.WEEK,
        NOON + 3 * DAY,
        None,
    )


async def test_every_change_is_in_the_trail_and_none_that_is_none(
    books: Books, store: DigestStore, daily: SetDigest
) -> None:
    await store.set(GUILD, Window.DAY, CHANNEL, by=ADMIN)
    books.clock.now += 1
    await store.set(GUILD, Window.MONTH, CHANNEL, by=2)
    books.clock.now += 1
    assert await store.remove(GUILD, by=3)
    assert not await store.remove(GUILD, by=3)
    assert await store.all() == []
    lines = (await books.policies.trail(Trail(GUILD))).changes
    assert [(line.what, line.changed_by, line.before, line.after) for line in lines] == [
        ("digest", 3, "month 770", None),
        ("digest", 2, "day 770", "month 770"),
        ("digest", ADMIN, None, "day 770"),
    ]


async def test_whoever_set_it_is_forgotten_and_it_goes_on(
    books: Books, store: DigestStore, daily: SetDigest
) -> None:
    await Erasure(books.db, clock=books.clock).erase_person(ADMIN)
    digest = await only(store)
    assert (digest.set_by, digest.channel_id) == (None, CHANNEL)
