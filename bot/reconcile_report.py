"""`python -m bot report --reconcile`: the books and ImageRouter compared in a terminal.

Reads the database beside the bot and keeps nothing: what later checks are compared with is noted by
`/operator reconcile`, since on SQLite only the running bot may write. For the same reason no charge
is settled from a terminal.
"""

import asyncio
import sys
from datetime import UTC, datetime
from typing import Final, TextIO

from bot.clock import Clock, SystemClock
from bot.errors import LedgerUnavailable
from bot.exports import plain
from bot.imagerouter import ImageRouter
from bot.reconciling import CannotReconcile, Finding, Reconciler, Verdict
from bot.reconciling_words import Voice, tell, tell_obstacle
from bot.settings import EXIT_CONFIG, Settings
from bot.storage import ReadReconciliations, StorageError, read_database

EXIT_DIFFERENT: Final = 1
"""There is a difference that rounding does not explain."""


def reconcile(settings: Settings, key: str | None) -> int:
    """Print a comparison; returns the exit code."""
    return asyncio.run(print_comparison(settings, key, out=sys.stdout, faults=sys.stderr))


async def print_comparison(
    settings: Settings,
    key: str | None,
    *,
    out: TextIO,
    faults: TextIO,
    clock: Clock | None = None,
) -> int:
    """Write a comparison to `out`, and what stands in its way to `faults`; returns the exit code.

    `key`: the name of the bot's key, where the account has several.
    """
    if not settings.imagerouter_api_key:
        print("IMAGEROUTER_API_KEY is not set: ImageRouter can't be asked.", file=faults)
        return EXIT_CONFIG
    try:
        async with (
            read_database(settings.database_url) as database,
            ImageRouter(
                api_key=settings.imagerouter_api_key,
                base_url=settings.imagerouter_base_url,
                popular_url=settings.imagerouter_popular_url,
            ) as router,
        ):
            reconciler = Reconciler(
                router=router,
                store=ReadReconciliations(database),
                clock=clock or SystemClock(),
            )
            found = await reconciler.compare(named=key)
    except CannotReconcile as error:
        print(tell_obstacle(error, _VOICE), file=faults)
        return EXIT_CONFIG
    except (StorageError, LedgerUnavailable) as error:
        print(error, file=faults)
        return EXIT_CONFIG
    return _print(found, out=out, faults=faults)


def _print(found: Finding, *, out: TextIO, faults: TextIO) -> int:
    if found.beginning is not None:
        print(
            "There is no earlier reading to compare with. /operator reconcile in Discord notes "
            "one; from a terminal nothing is written beside the bot.",
            file=faults,
        )
        return EXIT_CONFIG
    told = tell(found, _VOICE)
    for heading, lines in (
        (told.title, told.facts),
        ("What could explain it", [f"- {reason}" for reason in told.reasons]),
        ("Charges to look at", told.charges),
        ("What to do", told.advice),
    ):
        if lines:
            out.writelines(f"{line}\n" for line in (heading, "", *lines, ""))
    agree = found.verdict in {Verdict.AGREES, Verdict.ROUNDED}
    return 0 if agree else EXIT_DIFFERENT


def _when(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def _place(guild_id: int) -> str:
    return f"server {guild_id}" if guild_id else "outside servers"


_VOICE: Final = Voice(when=_when, place=_place, safe=plain, command=str)
