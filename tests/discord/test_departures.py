"""Servers that the bot has left are erased after a while; those that are down are not."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from bot.keeping import LEFT_DAYS
from sandbox.books import Books
from sandbox.discord import Channel, Guild, NotPossibleError, Person
from sandbox.house import House
from sandbox.talk import make

DAY_MS = 86_400_000
OWLS = "Night Owls"


def left_at(books: Books, guild: Guild) -> object:
    rows = books.rows("SELECT left_at FROM guild WHERE id = ?", guild.id)
    return rows[0]["left_at"] if rows else None


def prompts(books: Books, guild: Guild) -> int:
    return len(
        books.rows("SELECT 1 FROM prompt JOIN job ON job.id = job_id WHERE guild_id = ?", guild.id)
    )


@pytest.fixture
def owls(house: House) -> Guild:
    return house.guild(OWLS)


@pytest.fixture
def lobby(house: House) -> Channel:
    return house.channel("lobby", guild=OWLS)


async def heard(house: House, event: str) -> "asyncio.Future[object]":
    """Listen for what the bot hears of."""
    found = asyncio.ensure_future(house.bot.wait_for(event, timeout=10))
    await asyncio.sleep(0)  # now it listens
    return found


async def until(books: Books, guild: Guild, *, gone: bool) -> None:
    await books.until(lambda _: (left_at(books, guild) is not None) is gone)


async def test_a_server_that_removes_the_bot_is_erased_a_month_later(
    house: House, mira: Person, general: Channel, owls: Guild, lobby: Channel, books: Books
) -> None:
    await make(mira, lobby, "test/test")
    await make(mira, general, "test/test")
    house.discord.world.bot_leaves(owls)
    await until(books, owls, gone=True)

    keeper = house.bot.services.keeper
    house.clock.advance((LEFT_DAYS - 1) * DAY_MS)
    await keeper.tidy()
    assert prompts(books, owls) == 1
    house.clock.advance(DAY_MS)
    await keeper.tidy()
    assert prompts(books, owls) == 0
    assert prompts(books, house.guild()) == 1
    assert books.rows("SELECT 1 FROM charge WHERE guild_id = ? AND user_id > 0", owls.id) == []


async def test_a_server_that_adds_the_bot_again_keeps_everything(
    house: House, mira: Person, owls: Guild, lobby: Channel, books: Books
) -> None:
    await make(mira, lobby, "test/test")
    house.discord.world.bot_leaves(owls)
    await until(books, owls, gone=True)
    house.clock.advance((LEFT_DAYS - 1) * DAY_MS)
    house.discord.world.bot_joins(owls)
    await until(books, owls, gone=False)
    house.clock.advance(2 * LEFT_DAYS * DAY_MS)
    await house.bot.services.keeper.tidy()
    assert prompts(books, owls) == 1


async def test_an_outage_of_discord_is_no_goodbye(
    house: House, mira: Person, owls: Guild, lobby: Channel, books: Books
) -> None:
    await make(mira, lobby, "test/test")
    down = await heard(house, "guild_unavailable")
    house.discord.world.guild_outage(owls)
    await down
    with pytest.raises(NotPossibleError):
        await mira.slash(lobby, "usage")
    await house.bot.services.keeper.notice()
    assert left_at(books, owls) is None

    await house.restart_bot()  # it begins in the middle of it
    await house.bot.services.keeper.notice()
    house.clock.advance(2 * LEFT_DAYS * DAY_MS)
    await house.bot.services.keeper.tidy()
    assert left_at(books, owls) is None
    assert prompts(books, owls) == 1
    up = await heard(house, "guild_available")
    house.discord.world.guild_recovers(owls)
    await up
    await make(mira, lobby, "test/test")


async def test_a_server_that_left_while_the_bot_was_off_is_noticed_at_the_start(
    house: House, mira: Person, owls: Guild, lobby: Channel, books: Books
) -> None:
    await make(mira, lobby, "test/test")
    await house.stop_bot()
    house.discord.world.bot_leaves(owls)
    await house.start_bot()
    await until(books, owls, gone=True)
    assert left_at(books, house.guild()) is None

    await house.stop_bot()
    house.discord.world.bot_joins(owls)
    await house.start_bot()
    await until(books, owls, gone=False)


async def test_while_discord_does_not_say_so_nobody_has_left(
    house: House, mira: Person, owls: Guild, lobby: Channel, books: Books
) -> None:
    await make(mira, lobby, "test/test")
    await house.stop_bot()
    house.discord.world.bot_leaves(owls)
    house.discord.faults.status("GET /guilds/*", 400, times=None)
    await house.start_bot()
    await house.bot.services.keeper.notice()
    assert left_at(books, owls) is None
    house.discord.faults.clear()
    await house.bot.services.keeper.notice()
    assert left_at(books, owls) is not None


async def test_a_server_whose_commands_are_still_used_is_not_erased(
    house: House, mira: Person, owls: Guild, lobby: Channel, books: Books
) -> None:
    await make(mira, lobby, "test/test")
    house.discord.world.bot_leaves(owls)
    await until(books, owls, gone=True)
    house.clock.advance(LEFT_DAYS * DAY_MS)
    now = house.clock.now_ms()
    books.write("UPDATE charge SET created_at = ? WHERE guild_id = ?", now - DAY_MS, owls.id)
    await house.bot.services.keeper.tidy()
    assert prompts(books, owls) == 1
    house.clock.advance(LEFT_DAYS * DAY_MS)
    await house.bot.services.keeper.tidy()
    assert prompts(books, owls) == 0


async def test_a_server_of_another_process_is_none_of_ours(
    open_house: Callable[..., Awaitable[House]], books: Books
) -> None:
    house = await open_house(SHARD_COUNT="2", SHARD_IDS="0")
    ours, others = (
        next(number << 22 for number in range(10**9, 10**9 + 10) if number % 2 == shard)
        for shard in (0, 1)
    )
    for guild_id in (ours, others):
        books.write("INSERT INTO guild (id) VALUES (?)", guild_id)
    await house.bot.services.keeper.notice()
    left = {row["id"] for row in books.rows("SELECT id FROM guild WHERE left_at IS NOT NULL")}
    assert left == {ours}
