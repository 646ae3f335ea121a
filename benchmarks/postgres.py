"""The ledger on PostgreSQL, with several processes that spend one budget at the same time.

The budget is too small for what they ask for, so that each pair is also a race for what is left;
what was spent beyond it is measured, too, and must be nothing. Each process is
`python -m benchmarks.postgres URL PAIRS BUDGET`, begins when it is told to, and prints how many of
its pairs fitted. Without PostgreSQL, or without its driver, there is nothing to measure.
"""

import asyncio
import importlib.util
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Final

from msgspec.structs import replace

from benchmarks.figures import Figure, Scale
from benchmarks.ledger import PLENTIFUL, spender_of
from bot.clock import SystemClock
from bot.storage import open_database
from sandbox.postgres import PostgresServer, programs

PROCESSES: Final = (1, 2, 4)
CALLERS: Final = 25
"""In each process."""
PRICE: Final = 1_500
_READY: Final = "READY"
_LONGEST_S: Final = 300


def postgres(scale: Scale) -> list[Figure]:
    """Pairs of hold and settle a second with 1, 2 and 4 processes, and what was overspent."""
    if programs() is None or importlib.util.find_spec("asyncpg") is None:
        print("  PostgreSQL or its driver asyncpg is not installed here, so it is not measured.")
        return []
    figures, overspent = [], 0
    with PostgresServer(durable=True) as server:
        for processes in PROCESSES:
            speed, beyond = _race(server.url(server.create()), processes, scale.pairs)
            overspent += beyond
            figures.append(Figure(f"  pairs a second, processes: {processes}", speed, "/s"))
    return [Figure("PostgreSQL, overspent in micro-USD", overspent, "", 0), *figures]


def _race(url: str, processes: int, pairs: int) -> tuple[float, int]:
    """Let processes spend one budget; return pairs a second and what was spent beyond it."""
    asyncio.run(_migrate(url))
    budget = pairs * PRICE * 3 // 4
    share = pairs // processes
    with ExitStack() as stack:
        racers = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "benchmarks.postgres", url, str(share), str(budget)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(processes)
        ]
        for racer in racers:
            if racer.stdout is None or racer.stdout.readline().strip() != _READY:
                sys.exit("a process did not begin, so nothing was measured")
        began = time.monotonic()
        for racer in racers:
            if racer.stdin is not None:
                racer.stdin.write("go\n")
                racer.stdin.flush()
        fitting = sum(int(racer.communicate(timeout=_LONGEST_S)[0]) for racer in racers)
        took = time.monotonic() - began
    spent = asyncio.run(_spent(url))
    return fitting / took, max(0, spent - budget)


async def _migrate(url: str) -> None:
    async with open_database(url, clock=SystemClock()):
        pass


async def _spent(url: str) -> int:
    """What the books say that everybody spent, in micro-USD."""
    async with open_database(url, clock=SystemClock()) as db:
        rows = await db.read(
            lambda tx: tx.fetch(
                "SELECT settled + held AS spent FROM bucket "
                "WHERE scope = 'bot' AND period = 'month'"
            )
        )
    return sum(row.integer("spent") for row in rows)


async def _racer(url: str, pairs: int, budget: int) -> None:
    async with open_database(url, clock=SystemClock()) as db:
        spender = spender_of(db, replace(PLENTIFUL, bot_month=budget))
        await spender.ledger.heartbeat()
        print(_READY, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        print(await spender.many_pairs(pairs, callers=CALLERS), flush=True)


if __name__ == "__main__":
    asyncio.run(_racer(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
