"""The real bot, as it is measured: built by `bot.graph`, the caps on concurrent jobs lifted."""

import asyncio

from benchmarks import READY, Addresses
from bot.app import run
from bot.ground import Parts
from bot.settings import Settings


async def run_easel(addresses: Addresses, stop: asyncio.Event) -> None:
    """Run it until `stop` is set."""
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
