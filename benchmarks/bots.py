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
from typing import Any

from benchmarks import Addresses

Run = Callable[[Addresses, asyncio.Event], Awaitable[None]]


def _bot(kind: str) -> Run:
    """Import one of the bots and nothing of the others; the imports are most of a start."""
    if kind == "easel":
        from bot import garbage

        garbage.put_off()  # as its command line does, before all else
        from benchmarks.easel import run_easel

        return run_easel
    from benchmarks import bare

    bots: dict[str, Run] = {
        "least": bare.run_least,
        "least_edit": bare.run_least_edit,
        "least_suggest": bare.run_least_suggest,
        "bare": bare.run_bare,
    }
    return bots[kind]


def _point_discord_at(addresses: Addresses) -> None:
    from discord.asset import Asset
    from discord.gateway import DiscordWebSocket
    from discord.http import Route
    from yarl import URL

    Route.BASE = addresses.rest_url
    DiscordWebSocket.DEFAULT_GATEWAY = URL(addresses.gateway_url)
    Asset.BASE = addresses.cdn_url


async def _main(run: Run, addresses: Addresses, watch: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    if not watch:
        await run(addresses, stop)
        return
    from benchmarks.probe import Probe, Ticks

    probe = Ticks() if watch == "ticks" else Probe()
    # What happens before the first command may take its time: nobody waits for a heartbeat yet.
    loop.add_signal_handler(signal.SIGUSR1, probe.start)
    await run(addresses, stop)
    await probe.stop()
    print(json.dumps(probe.report()), flush=True)


def main(arguments: list[str]) -> None:
    """Run the bot named first at the addresses named second."""
    kind, addresses, watch = (*arguments, "")[:3]
    given: dict[str, Any] = json.loads(addresses)
    run, at = _bot(kind), Addresses(**given)
    _point_discord_at(at)
    asyncio.run(_main(run, at, watch))


if __name__ == "__main__":
    main(sys.argv[1:])
