"""A local Discord and a tiny, real discord.py bot for each test."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.clock import SandboxClock
from sandbox.discord import Channel, DiscordServer, Guild, Person, connect_discord_py
from sandbox.tinybot import TinyBot


@pytest.fixture
def clock() -> SandboxClock:
    return SandboxClock()


@pytest.fixture
async def server(clock: SandboxClock) -> AsyncIterator[DiscordServer]:
    named = os.environ.get("DISCORD_OPENAPI")
    openapi_path = Path(named) if named else None
    async with DiscordServer(clock, openapi_path=openapi_path) as running:
        with connect_discord_py(running):
            yield running


@pytest.fixture
async def bot(server: DiscordServer) -> AsyncIterator[TinyBot]:
    tiny = TinyBot()
    yield tiny
    await tiny.end()


@pytest.fixture
def guild(server: DiscordServer) -> Guild:
    return server.world.guild("Paper Boat Society")


@pytest.fixture
def channel(server: DiscordServer, guild: Guild) -> Channel:
    return server.world.channel(guild, "pictures")


@pytest.fixture
def mira(server: DiscordServer) -> Person:
    return server.person("mira")


@pytest.fixture
def theo(server: DiscordServer) -> Person:
    return server.person("theo")


@pytest.fixture
def ada(server: DiscordServer) -> Person:
    return server.person("ada")
