"""Painted masks and links to the painter, on both engines."""

import asyncio

from msgspec.structs import replace

from bot.requests import Actor, ReplyRoute
from bot.storage import Delivery, MaskStore, PaintLink, PaintLinks
from tests.storage.books import Books

MINUTE_MS = 60_000


def link(books: Books, link_id: int = 5, *, minutes: int = 30) -> PaintLink:
    now = books.clock.now_ms()
    return PaintLink(
        id=link_id,
        actor=Actor(11, 22, 33),
        private=True,
        draft='{"prompt": "ünïcödé"}',
        reply=ReplyRoute(44, "", 0, 55, 0, 66),
        parent_id=None,
        created_ms=now,
        expires_ms=now + minutes * MINUTE_MS,
    )


async def test_a_mask_is_kept_byte_for_byte_until_it_expires(books: Books) -> None:
    masks = MaskStore(books.db, clock=books.clock)
    data = bytes(range(256)) * 100
    until = books.clock.now_ms() + MINUTE_MS
    mask_id = await masks.add(user_id=11, data=data, expires_ms=until)
    assert await masks.get(mask_id) == data
    assert await masks.get(mask_id + 1) is None
    books.clock.now += MINUTE_MS
    assert await masks.get(mask_id) is None


async def test_a_mask_can_be_kept_longer_or_dropped(books: Books) -> None:
    masks = MaskStore(books.db, clock=books.clock)
    until = books.clock.now_ms() + MINUTE_MS
    mask_id = await masks.add(user_id=11, data=b"mask", expires_ms=until)
    await masks.keep(mask_id, until_ms=until + MINUTE_MS)
    books.clock.now += MINUTE_MS
    await masks.sweep()
    assert await masks.get(mask_id) == b"mask"
    await masks.drop(mask_id)
    await masks.drop(mask_id)
    assert await masks.get(mask_id) is None


async def test_a_link_comes_back_as_it_was_kept(books: Books) -> None:
    links = PaintLinks(books.db, clock=books.clock)
    mine = link(books)
    await links.add(mine)
    await links.add(replace(link(books, 6), parent_id=9, private=False))
    assert await links.get(5) == mine
    other = await links.get(6)
    assert other is not None
    assert (other.parent_id, other.private) == (9, False)
    assert await links.get(7) is None


async def test_of_many_jobs_one_uses_a_link_up(books: Books) -> None:
    links = PaintLinks(books.db, clock=books.clock)
    await links.add(link(books))
    used = await asyncio.gather(*(links.use(5, job_id) for job_id in range(100, 110)))
    assert sorted(used) == [False] * 9 + [True]
    found = await links.get(5)
    assert found is not None
    assert found.job_id == 100 + used.index(True)
    assert found.draft == ""


async def test_a_newer_mask_replaces_the_older_until_the_link_is_used(books: Books) -> None:
    links = PaintLinks(books.db, clock=books.clock)
    await links.add(link(books))
    assert await links.paint(5, 71) is None
    assert await links.paint(5, 72) == 71
    await links.use(5, 100)
    assert await links.paint(5, 73) is None
    found = await links.get(5)
    assert found is not None
    assert found.mask_id == 72


async def test_expired_links_are_swept(books: Books) -> None:
    links = PaintLinks(books.db, clock=books.clock)
    await links.add(link(books, 5, minutes=1))
    await links.add(link(books, 6, minutes=2))
    books.clock.now += MINUTE_MS
    await links.sweep()
    assert await links.get(5) is None
    assert await links.get(6) is not None


async def test_how_far_a_job_is(books: Books) -> None:
    links = PaintLinks(books.db, clock=books.clock)
    job = books.job()
    await books.ledger.hold(job)
    state = await links.job_state(job.id)
    assert state is not None
    assert (state.delivery, state.message_id) == (Delivery.OPEN, None)
    assert state.waiting == job.request.count
    assert await links.job_state(job.id + 1) is None
