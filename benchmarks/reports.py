"""Reports on two years of a busy server: roll-ups against raw rows, a first page, an export.

The raw figures are the same questions about a stretch that begins a millisecond later, which no
roll-up can answer.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.charges import GUILD
from benchmarks.figures import Figure, Scale
from benchmarks.processes import ROOT
from bot.clock import SystemClock
from bot.quotas import Defaults
from bot.reports import make_report, period_of_days
from bot.storage import Group, Part, Reports, Stretch, read_database
from bot.storage._report_sums import Adder
from bot.storage.rows import Reader, Tx

_ROUNDS: Final = 7
_RAW_ROUNDS: Final = 3
_LIMIT_S: Final = 120.0
_MONTH: Final = (date(2026, 5, 1), date(2026, 5, 31))
_YEAR: Final = (date(2025, 11, 1), date(2026, 10, 31))
_TWO_MONTHS: Final = (date(2026, 5, 1), date(2026, 6, 30))
_MEASURED: Final = """
import re, sys
from pathlib import Path
from bot.__main__ import main
code = main(sys.argv[1:])
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1], file=sys.stderr)
sys.exit(code)
"""
"""The command line, and the most memory that it had (KiB) as the last word on standard error."""
_DEFAULTS: Final = Defaults(
    member_day=10**9, guild_month=10**9, bot_month=10**9, dm_day=0, open_jobs=3
)


def reports(scale: Scale) -> list[Figure]:
    """Sums from roll-ups and from raw rows, the first page, and the memory of an export."""
    with tempfile.TemporaryDirectory() as home:
        file = Path(home) / "bot.db"
        # In a process of its own, which takes its memory with it.
        program = [sys.executable, "-m", "benchmarks.charges", str(file), str(scale.charges)]
        subprocess.run(program, cwd=ROOT, check=True)
        return [*asyncio.run(_sums(f"sqlite:///{file}")), *_export(f"sqlite:///{file}")]


async def _sums(url: str) -> list[Figure]:
    figures = []
    async with read_database(url) as database:
        for name, days, group in (
            ("month by member", _MONTH, Group.MEMBER),
            ("month by day", _MONTH, Group.DAY),
            ("year by member", _YEAR, Group.MEMBER),
        ):
            figures += await _against_raw(database, name, days, group)
        figures.append(await _first_page(database))
    return figures


async def _against_raw(
    database: Reader, name: str, days: tuple[date, date], group: Group
) -> list[Figure]:
    stretch = period_of_days(*days, now_ms=SystemClock().now_ms(), zones=()).stretch
    later = Stretch(stretch.start_ms + 1, stretch.end_ms)
    rolled = [await _took_ms(database, stretch, group) for _ in range(_ROUNDS)]
    raw = [await _took_ms(database, later, group) for _ in range(_RAW_ROUNDS)]
    median, floor = statistics.median(rolled), statistics.median(raw)
    return [
        Figure(f"{name}, raw rows against roll-ups", floor / median, "x", least=30),
        Figure(f"  {name}, median", median, "ms", 50),
        Figure(f"  {name} from raw rows", floor, "ms"),
    ]


async def _took_ms(database: Reader, stretch: Stretch, group: Group) -> float:
    began = time.perf_counter()
    parts = await database.read(partial(_parts, stretch, group), limit_s=_LIMIT_S)
    took = (time.perf_counter() - began) * 1000
    if not parts:
        raise AssertionError("the database has nothing to report")
    return took


async def _parts(stretch: Stretch, group: Group, tx: Tx) -> tuple[Part, ...]:
    return await Adder(tx, GUILD, ()).parts(stretch, group)


async def _first_page(database: Reader) -> Figure:
    answers, now_ms = Reports(database, defaults=_DEFAULTS), SystemClock().now_ms()
    period, took = period_of_days(*_MONTH, now_ms=now_ms, zones=()), []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        await make_report(answers, GUILD, period, Group.MEMBER, now_ms=now_ms)
        took.append((time.perf_counter() - began) * 1000)
    return Figure("all of a month's report, median", statistics.median(took), "ms", 300)


def _export(url: str) -> list[Figure]:
    """Compare the memory of an export of two months with that of a report without one."""
    idle, _, _ = _memory_mib(url, "day", "table")
    most, seconds, rows = _memory_mib(url, "charge", "csv")
    return [
        Figure("CSV of two months, memory above idle", most - idle, "MiB", 60),
        Figure("  rows", rows, ""),
        Figure("  rows a second", rows / seconds, "/s"),
    ]


def _memory_mib(url: str, by: str, form: str) -> tuple[float, float, int]:
    """Run a report; return the most memory it had, how long it took, and how many lines it is."""
    first, last = map(str, _TWO_MONTHS)
    command = [sys.executable, "-c", _MEASURED, "report", "--guild", str(GUILD), "--from", first]
    command += ["--to", last, "--by", by, "--format", form]
    began = time.perf_counter()
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": url},
            stdout=subprocess.PIPE,
            stderr=said,
        ) as process,
    ):
        lines = sum(1 for _ in process.stdout or ())
        if process.wait():
            raise AssertionError(f"the report ended with {process.returncode}")
        said.seek(0)
        kib = int(said.read().split()[-1])
    return kib / 1024, time.perf_counter() - began, lines - 1
