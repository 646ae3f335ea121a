"""The bot that is measured, in a process of its own: `python -m benchmarks.bots KIND ADDRESSES`.

`easel` is the real one, built by `bot.graph`. `least` and `least_edit` do the same calls to
Discord and ImageRouter in the fewest lines, with no ledger and no checks: the floor for a command.
`bare` logs in and does nothing: the floor for starting and for memory. Each prints `READY` once it
is, and ends at SIGTERM. With `probe` as a third argument it then prints how long the event loop's
callbacks took, with `ticks` how late a task came that asked for a turn all the time.
"""

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Final

import discord
from discord.asset import Asset
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from benchmarks import Addresses

READY: Final = "READY"


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


async def run_easel(addresses: Addresses, stop: asyncio.Event) -> None:
    """Run the real bot, with the caps on concurrent jobs lifted."""
    from bot import garbage

    garbage.look_rarely()  # as its command line does, before the large imports
    from bot.app import run
    from bot.ground import Parts
    from bot.settings import Settings

    settings = Settings.from_env(
        {
            "DISCORD_TOKEN": addresses.token,
            "IMAGEROUTER_API_KEY": addresses.api_key,
            "IMAGEROUTER_BASE_URL": addresses.imagerouter_url,
            "IMAGEROUTER_POPULAR_URL": addresses.popular_url,
            "IMAGEROUTER_REQUESTS_PER_SECOND": "0",
            "MEMBER_JOBS": "100000",
            "PROCESS_JOBS": "100000",
            "MAX_WAITING_JOBS": "100000",
            "MEMBER_OPEN_JOBS": "100000",
        }
    )

    def say(line: str) -> None:
        print(READY if line.startswith("Connected") else line, flush=True)

    await run(settings, stop=stop, say=say, parts=Parts(guild_ready_timeout=0))


async def _until(stop: asyncio.Event, running: Awaitable[None]) -> None:
    task = asyncio.ensure_future(running)
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for each in (task, stopping):
        each.cancel()
    await asyncio.gather(task, stopping, return_exceptions=True)


BOTS: Final[dict[str, Callable[[Addresses, asyncio.Event], Awaitable[None]]]] = {
    "easel": run_easel,
    "least": run_least,
    "least_edit": run_least_edit,
    "least_suggest": run_least_suggest,
    "bare": run_bare,
}


async def _main(kind: str, addresses: Addresses, watch: str) -> None:
    Route.BASE = addresses.rest_url
    DiscordWebSocket.DEFAULT_GATEWAY = URL(addresses.gateway_url)
    Asset.BASE = addresses.cdn_url
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    if not watch:
        await BOTS[kind](addresses, stop)
        return
    from benchmarks.probe import Probe, Ticks

    probe = Ticks() if watch == "ticks" else Probe()
    # What happens before the first command may take its time: nobody waits for a heartbeat yet.
    loop.add_signal_handler(signal.SIGUSR1, probe.start)
    await BOTS[kind](addresses, stop)
    await probe.stop()
    print(json.dumps(probe.report()), flush=True)


def main(arguments: list[str]) -> None:
    """Run the bot named first at the addresses named second."""
    kind, addresses, watch = (*arguments, "")[:3]
    given: dict[str, Any] = json.loads(addresses)
    asyncio.run(_main(kind, Addresses(**given), watch))


if __name__ == "__main__":
    main(sys.argv[1:])
