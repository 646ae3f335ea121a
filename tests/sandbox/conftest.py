"""A local Discord and a tiny, real discord.py bot for each test."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import discord
import pytest
from discord import app_commands
from discord.ext import commands

from sandbox.clock import SandboxClock
from sandbox.discord import Channel, DiscordServer, Guild, Person, connect_discord_py


class Tree(app_commands.CommandTree["TinyBot"]):
    """A command tree that keeps what its commands raised."""

    async def on_error(
        self, interaction: discord.Interaction["TinyBot"], error: app_commands.AppCommandError, /
    ) -> None:
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        interaction.client.caught.put_nowait(cause)


class TinyBot(commands.AutoShardedBot):
    """The least bot; each test adds its commands, then calls `begin`."""

    def __init__(self, intents: discord.Intents | None = None) -> None:
        super().__init__(
            commands.when_mentioned,
            intents=intents or discord.Intents.default(),
            tree_cls=Tree,
            guild_ready_timeout=0,
        )
        self.caught: asyncio.Queue[BaseException] = asyncio.Queue()
        self._running: asyncio.Task[None] | None = None

    async def begin(self, server: DiscordServer) -> None:
        """Log in, sync the commands, wait until everything is ready."""
        self._running = asyncio.create_task(self.start(server.token))
        async with asyncio.timeout(10):
            await server.wait_for_bot()
            await self.wait_until_ready()
            await self.tree.sync()

    async def refused(self) -> discord.HTTPException:
        """Return Discord's refusal that a command ran into."""
        async with asyncio.timeout(5):
            caught = await self.caught.get()
        assert isinstance(caught, discord.HTTPException), caught
        return caught

    async def end(self) -> None:
        """Log out."""
        await self.close()
        if self._running is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._running


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
