"""The least discord.py bot: it tries out the local Discord, and benchmarks measure against it."""

import asyncio
import contextlib

import discord
from discord import app_commands
from discord.ext import commands

from sandbox.discord import DiscordServer

_START_S = 10
_REFUSAL_S = 5


class Tree(app_commands.CommandTree["TinyBot"]):
    """A command tree that keeps what its commands raised."""

    async def on_error(
        self, interaction: discord.Interaction["TinyBot"], error: app_commands.AppCommandError, /
    ) -> None:
        """Put the error where `TinyBot.refused` finds it."""
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        interaction.client.caught.put_nowait(cause)


class TinyBot(commands.AutoShardedBot):
    """A bot without commands: add some to `tree`, then call `begin`, and `end` when done."""

    def __init__(self, intents: discord.Intents | None = None) -> None:
        super().__init__(
            commands.when_mentioned,
            intents=intents or discord.Intents.default(),
            tree_cls=Tree,
            guild_ready_timeout=0,
        )
        self.caught: asyncio.Queue[BaseException] = asyncio.Queue()
        """What commands raised."""
        self._running: asyncio.Task[None] | None = None

    async def begin(self, server: DiscordServer) -> None:
        """Log in, wait until everything is ready, sync the commands (TimeoutError)."""
        self._running = asyncio.create_task(self.start(server.token))
        async with asyncio.timeout(_START_S):
            await server.wait_for_bot()
            await self.wait_until_ready()
            await self.tree.sync()

    async def refused(self) -> discord.HTTPException:
        """Return Discord's refusal that a command ran into (TimeoutError).

        Raises whatever else a command raised.
        """
        async with asyncio.timeout(_REFUSAL_S):
            caught = await self.caught.get()
        if isinstance(caught, discord.HTTPException):
            return caught
        raise caught

    async def end(self) -> None:
        """Log out."""
        await self.close()
        if self._running is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._running
