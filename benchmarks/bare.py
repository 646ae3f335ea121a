"""The bot that logs in and does nothing, and the least commands on it: the floors.

The least ones do the same calls to Discord and ImageRouter in the fewest lines, with no ledger and
no checks.
"""

import asyncio
from collections.abc import Awaitable

import discord
from discord.ext import commands

from benchmarks import READY, Addresses


class Bare(commands.AutoShardedBot):
    """Logs in as the real bot does: the same intents, and nothing kept in memory."""

    def __init__(self) -> None:
        super().__init__(
            command_prefix=(),
            help_command=None,
            intents=discord.Intents(guilds=True),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            guild_ready_timeout=0,
        )

    async def on_ready(self) -> None:
        """Tell the driver."""
        print(READY, flush=True)


async def run_bare(addresses: Addresses, stop: asyncio.Event) -> None:
    """Log in, and wait."""
    async with Bare() as bot:
        await _until(stop, bot.start(addresses.token))


async def run_least(addresses: Addresses, stop: asyncio.Event) -> None:
    """Answer `/imagine` in the fewest lines."""
    from benchmarks.least import add_imagine

    async with Bare() as bot, add_imagine(bot, addresses) as sync:
        bot.setup_hook = sync  # type: ignore[method-assign] # the hook is there to be replaced
        await _until(stop, bot.start(addresses.token))


async def run_least_edit(addresses: Addresses, stop: asyncio.Event) -> None:
    """Answer `/edit` in the fewest lines."""
    from benchmarks.least_edit import add_edit

    async with Bare() as bot, add_edit(bot, addresses) as sync:
        bot.setup_hook = sync  # type: ignore[method-assign] # the hook is there to be replaced
        await _until(stop, bot.start(addresses.token))


async def run_least_suggest(addresses: Addresses, stop: asyncio.Event) -> None:
    """Suggest models in the fewest lines."""
    from benchmarks.least_suggest import add_suggestions

    async with Bare() as bot:
        bot.setup_hook = add_suggestions(bot)  # type: ignore[method-assign] # as above
        await _until(stop, bot.start(addresses.token))


async def _until(stop: asyncio.Event, running: Awaitable[None]) -> None:
    task = asyncio.ensure_future(running)
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for each in (task, stopping):
        each.cancel()
    await asyncio.gather(task, stopping, return_exceptions=True)
