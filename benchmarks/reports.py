"""Reports on two years of a busy server: roll-ups against raw rows, a first page, an export.

The raw figures are the same questions about a stretch that begins a millisecond later, which no
roll-up can answer.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.charges import GUILD
from benchmarks.downloads import DEFAULTS
from benchmarks.figures import Figure, Scale, median_ratio
from benchmarks.processes import ROOT
from bot.charts import Charts
from bot.clock import SystemClock
from bot.report_drawing import Drawing
from bot.reports import make_report, period_of_days
from bot.storage import Group, Part, Reports, Stretch, read_database
from bot.storage._report_sums import Adder
from bot.storage.rows import Reader, Tx

_ROUNDS: Final = 7
_TURNS: Final = 3
"""Of rounds of sums and one of raw rows, so that both meet the same machine."""
_LIMIT_S: Final = 120.0
_MONTH: Final = (date(2026, 5, 1), date(2026, 5, 31))
_YEAR: Final = (date(2025, 11, 1), date(2026, 10, 31))
_TWO_MONTHS: Final = (date(2026, 5, 1), date(2026, 6, 30))


def reports(scale: Scale) -> list[Figure]:
    """Sums from roll-ups and from raw rows, the first page, and what a download takes."""
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
        figures += await _with_chart(database)
    return figures


async def _against_raw(
    database: Reader, name: str, days: tuple[date, date], group: Group
) -> list[Figure]:
    stretch = period_of_days(*days, now_ms=SystemClock().now_ms(), zones=()).stretch
    later = Stretch(stretch.start_ms + 1, stretch.end_ms)
    rolled, raw = list[float](), list[float]()
    for _ in range(_TURNS):
        took = [await _took_ms(database, stretch, group) for _ in range(_ROUNDS)]
        rolled.append(statistics.median(took))
        raw.append(await _took_ms(database, later, group))
    return [
        Figure(f"{name}, raw rows against roll-ups", median_ratio(raw, rolled), "x", least=30),
        Figure(f"  {name}, median", statistics.median(rolled), "ms", 50),
        Figure(f"  {name} from raw rows", statistics.median(raw), "ms"),
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
    answers, now_ms = Reports(database, defaults=DEFAULTS), SystemClock().now_ms()
    period, took = period_of_days(*_MONTH, now_ms=now_ms, zones=()), []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        await make_report(answers, GUILD, period, Group.MEMBER, now_ms=now_ms)
        took.append((time.perf_counter() - began) * 1000)
    return Figure("all of a month's report, median", statistics.median(took), "ms", 300)


async def _with_chart(database: Reader) -> list[Figure]:
    """Read the first page and draw its chart, as the first who looks for minutes, and the next.

    The machine's fonts are listed before: that is once in the life of an installation.
    """
    fresh, running = list[float](), list[float]()
    with tempfile.TemporaryDirectory() as fonts:
        async with Charts(cache=Path(fonts)) as charts:
            await _drawn_ms(database, charts)
        for _ in range(_ROUNDS):
            async with Charts(cache=Path(fonts)) as charts:
                fresh.append(await _drawn_ms(database, charts))
                running.append(await _drawn_ms(database, charts))
    return [
        Figure("  with its chart, median", statistics.median(fresh), "ms", 1500),
        Figure("  by a process that runs already", statistics.median(running), "ms"),
    ]


async def _drawn_ms(database: Reader, charts: Charts) -> float:
    answers, now_ms = Reports(database, defaults=DEFAULTS), SystemClock().now_ms()
    period = period_of_days(*_MONTH, now_ms=now_ms, zones=())
    began = time.perf_counter()
    made = await make_report(answers, GUILD, period, Group.MEMBER, now_ms=now_ms)
    picture = await Drawing(answers, charts).picture(made, (), title="May", names_of=_names)
    took = (time.perf_counter() - began) * 1000
    if picture is None:
        raise AssertionError("no chart was drawn")
    return took


async def _names(user_ids: Sequence[int]) -> Mapping[int, str]:
    return {user_id: f"Member {user_id}" for user_id in user_ids}


def _export(url: str) -> list[Figure]:
    """Have two months written as the bot writes a download, by a process of its own."""
    program = [sys.executable, "-m", "benchmarks.downloads", url, *map(str, _TWO_MONTHS)]
    done = subprocess.run(program, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    told = json.loads(done.stdout)
    return [
        Figure("CSV of two months, memory above idle", told["above_idle_mib"], "MiB", 60),
        Figure("  how late the event loop is meanwhile, p99", told["late_ms"], "ms", 300),
        Figure("  the latest", told["latest_ms"], "ms"),
        Figure("  rows", told["rows"], ""),
        Figure("  rows a second", told["rows"] / told["seconds"], "/s"),
    ]
