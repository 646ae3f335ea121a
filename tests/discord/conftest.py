"""A running bot in a sandbox, and what people do in it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Person
from sandbox.house import House, waiting
from tests.houses import strict_house

DAY_MS = 86_400_000


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A house with the bot connected."""
    async with strict_house(tmp_path) as opened:
        yield opened


@pytest.fixture
async def servers(tmp_path: Path) -> AsyncIterator[House]:
    """A house whose bot does not run (yet): for bots that are processes of their own."""
    async with strict_house(tmp_path, start=False) as opened:
        yield opened


@pytest.fixture
async def open_house(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[House]]]:
    """Open a house whose bot has settings of its own: `await open_house(MEMBER_JOBS="1")`."""
    async with AsyncExitStack() as stack:
        opened: list[House] = []

        async def open_one(**environ: str) -> House:
            opened.append(await stack.enter_async_context(strict_house(tmp_path, environ=environ)))
            return opened[-1]

        yield open_one
        for house in opened:
            await house.stop_bot()
            assert waiting(house) == []


@pytest.fixture
async def nobody_waits(house: House) -> AsyncIterator[None]:
    """After the test every job has ended, and no message says that it still runs."""
    yield
    await house.stop_bot()
    assert [message.text for message in waiting(house)] == []


@pytest.fixture
def midday(house: House) -> None:
    """It is noon, UTC, so that "today" does not end within the test."""
    since_noon = (house.clock.now_ms() - DAY_MS // 2) % DAY_MS
    house.clock.advance(DAY_MS - since_noon)


@pytest.fixture
def mira(house: House) -> Person:
    """A member without anything special."""
    return house.person("mira")


@pytest.fixture
def theo(house: House) -> Person:
    """A member with the booster role."""
    return house.person("theo")


@pytest.fixture
def general(house: House) -> Channel:
    """A channel in which everybody may talk."""
    return house.channel("general")


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """The bot's database."""
    return Books(tmp_path / "bot.db")


@pytest.fixture
def ada(house: House) -> Person:
    """The admin of both servers."""
    return house.person("ada")


@pytest.fixture
def oskar(house: House) -> Person:
    """The operator, an ordinary member of both servers."""
    return house.person("oskar")
