"""What guilds keep no longer is deleted in small steps, and which guilds were left is known."""

import asyncio

from msgspec.structs import replace

from bot.requests import ImageRequest, Source
from bot.storage import Kept, Option, Removal, Removals, Retention
from bot.storage.retention import _CHARGES_AT_ONCE
from bot.storage.rows import Row, Tx
from tests.storage.books import DAY, HOUR, Books, ended

GUILD = 77
WORDS = "a lighthouse that nobody else has ever thought of"


def retention_of(books: Books) -> Retention:
    return Retention(books.db, clock=books.clock)


async def rows_of(books: Books, sql: str) -> list[Row]:
    return await books.db.read(lambda tx: tx.fetch(sql))


async def prompts(books: Books) -> list[str]:
    rows = await rows_of(books, "SELECT prompt FROM prompt ORDER BY prompt")
    return [row.text("prompt") for row in rows]


async def test_what_is_older_loses_words_pictures_and_links_and_keeps_its_money(
    books: Books,
) -> None:
    given = Source("https://cdn.test/a.png", "a.png")
    edit = replace(books.job(prompt=WORDS), request=ImageRequest("edit", WORDS, images=(given,)))
    old = await ended(books, edit)
    books.clock.now += 6 * DAY
    await ended(books, books.job(prompt="elsewhere", guild=78))
    await ended(books, books.job(prompt="newer"))
    books.clock.now += 2 * DAY

    changed = await retention_of(books).sweep(GUILD, days=7)

    assert changed == {"job": 1, "charge": 1, "prompt": 1, "job_input": 1, "job_output": 1}
    assert await prompts(books) == ["elsewhere", "newer"]
    job = await books.jobs.get(old.job_id)
    assert job is not None
    assert (job.prompt, job.message_id, job.outputs, job.spent) == (None, None, (), 700)
    assert job.actor.user_id == 11
    assert await books.ledger.spend(11) == 2100
    assert await retention_of(books).sweep(GUILD, days=7) == {}


async def test_a_shorter_time_reaches_further_and_a_longer_one_brings_nothing_back(
    books: Books,
) -> None:
    for day in range(10):
        await ended(books, books.job(prompt=f"day {day}"))
        books.clock.now += DAY
    retention = retention_of(books)
    await retention.sweep(GUILD, days=8)
    assert len(await prompts(books)) == 8
    await retention.sweep(GUILD, days=3)
    await retention.sweep(GUILD, days=365)
    assert await prompts(books) == ["day 7", "day 8", "day 9"]


async def test_many_of_one_moment_and_more_than_a_step_takes(books: Books) -> None:
    for _ in range(_CHARGES_AT_ONCE + 5):
        await ended(books, books.job(pictures=2), actual=1)
    for _ in range(_CHARGES_AT_ONCE):
        books.clock.now += 1
        await ended(books, books.job(), actual=1)
    books.clock.now += 2 * DAY
    changed = await retention_of(books).sweep(GUILD, days=1)
    assert changed["job"] == 2 * _CHARGES_AT_ONCE + 5
    assert await prompts(books) == []


async def test_what_has_not_ended_is_kept_until_it_has(books: Books) -> None:
    await ended(books, books.job(prompt="first"))
    books.clock.now += HOUR
    waiting = await books.sent(books.job(prompt="second"))
    await ended(books, books.job(prompt="third"))
    books.clock.now += 10 * DAY
    retention = retention_of(books)
    await retention.sweep(GUILD, days=7)
    assert "second" in await prompts(books)
    assert "first" not in await prompts(books)

    await books.ledger.settle(waiting.charge_ids[0], actual=1)
    await books.jobs.mark_delivered({waiting.job_id: (1, 1)})
    await retention.sweep(GUILD, days=7)
    assert await prompts(books) == []


async def test_holds_go_on_while_much_is_deleted(books: Books) -> None:
    for _ in range(5 * _CHARGES_AT_ONCE):
        await ended(books, books.job(prompt=WORDS), actual=1)
        books.clock.now += 1
    books.clock.now += 10 * DAY
    # Connections that have to be made first would come last.
    await asyncio.gather(*(prompts(books) for _ in range(4)))
    finished = list[str]()

    async def sweep() -> None:
        await retention_of(books).sweep(GUILD, days=7)
        finished.append("sweep")

    async def spend() -> None:
        await books.ledger.hold(books.job(prompt="new"))
        finished.append("hold")

    await asyncio.gather(sweep(), spend())
    assert finished == ["hold", "sweep"]  # nobody waits for all of it
    assert await prompts(books) == ["new"]


async def test_every_place_where_something_was_asked_for_is_listed(books: Books) -> None:
    await ended(books, books.job(guild=0, channel=5))
    await ended(books, books.job(guild=78))
    await books.policies.configure(GUILD, Option.RETENTION, 30, by=1)
    await books.policies.configure(79, Option.RETENTION, 0, by=1)
    assert await retention_of(books).kept() == [
        Kept(0, None),
        Kept(GUILD, 30),
        Kept(78, None),
        Kept(79, 0),
    ]


async def test_a_guild_is_left_once_until_it_is_back(books: Books) -> None:
    retention = retention_of(books)
    assert not await retention.come_back(GUILD)
    left_ms = books.clock.now
    assert await retention.leave(GUILD)
    books.clock.now += DAY
    assert not await retention.leave(GUILD)
    assert await retention.left() == {GUILD: left_ms}
    assert await retention.leave(GUILD, again=True)
    assert await retention.left() == {GUILD: left_ms + DAY}
    assert await retention.come_back(GUILD)
    assert await retention.left() == {}


async def test_it_is_known_when_something_was_asked_for_last(books: Books) -> None:
    retention = retention_of(books)
    assert await retention.last_asked(GUILD) == 0
    await ended(books, books.job())
    books.clock.now += DAY
    await ended(books, books.job())
    assert await retention.last_asked(GUILD) == books.clock.now


# Messages that are to be deleted


async def a_removal(books: Books, *messages: int) -> Removals:
    removals = Removals(books.db, clock=books.clock)
    job = books.job()
    assert job.reply is not None
    await removals.begin(5, job.reply)

    async def add(tx: Tx) -> None:
        for message in messages:
            await tx.fetch("INSERT INTO removal_message VALUES (5, $1, 770)", message)

    await books.db.write(add)
    return removals


async def test_each_message_is_counted_once_whoever_deletes_it(books: Books) -> None:
    removals = await a_removal(books, 1, 2, 3)
    assert await removals.due() == [5]
    assert await removals.claim(5)
    assert await removals.due() == []  # somebody works on it
    assert not await removals.claim(5)
    assert await removals.messages(5, before=3, limit=9) == [(770, 2), (770, 1)]
    for deleted in (True, False):  # two processes
        await removals.done(5, 1, deleted=deleted)
    await removals.done(5, 2, deleted=False)
    state = await removals.let_go(5)
    assert isinstance(state, Removal)
    assert (state.deleted, state.refused, state.left) == (1, 1, 1)
    assert await removals.due() == [5]
    await removals.done(5, 3, deleted=True)
    assert await removals.due() == []


async def test_who_dies_with_it_is_followed_and_after_a_day_it_is_forgotten(books: Books) -> None:
    removals = await a_removal(books, 1)
    assert await removals.claim(5)
    books.clock.now += HOUR
    assert await removals.due() == [5]
    tokens = await rows_of(books, "SELECT reply_token FROM removal")
    assert [row.text("reply_token") for row in tokens] == [""]  # it was over
    books.clock.now += DAY
    assert await removals.due() == []
    assert await rows_of(books, "SELECT * FROM removal") == []
    assert await rows_of(books, "SELECT * FROM removal_message") == []
    assert await removals.keep(5) is None
