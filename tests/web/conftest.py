"""A running bot whose mask painter is served."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from sandbox.books import Books
from sandbox.house import House
from tests.houses import strict_house


@pytest.fixture
async def open_house(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[House]]]:
    """Open a house whose bot has settings of its own: `await open_house(HTTP_PORT="0")`."""
    async with AsyncExitStack() as stack:

        async def open_one(**environ: str) -> House:
            return await stack.enter_async_context(strict_house(tmp_path, environ=environ))

        yield open_one


@pytest.fixture
async def house(open_house: Callable[..., Awaitable[House]]) -> House:
    """A house with the bot connected."""
    return await open_house()


@pytest.fixture
def books(tmp_path: Path) -> Books:
    """The bot's database."""
    return Books(tmp_path / "bot.db")
