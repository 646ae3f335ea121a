"""A running bot in a sandbox, and what people do in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Person
from sandbox.house import House


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A house with the bot connected. Whatever the test did, Discord's rules were kept."""
    async with House(tmp_path) as opened:
        yield opened
        assert opened.discord.openapi_problems == []


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
