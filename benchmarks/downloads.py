"""A report's download, written as the bot writes it: how late the event loop is meanwhile.

`python -m benchmarks.downloads URL FIRST LAST` prints a JSON object. A process of its own, so that
its memory is nobody else's.
"""

import asyncio
import json
import sys
import time
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Final

from benchmarks.charges import GUILD
from benchmarks.figures import percentile
from bot.aside import aside
from bot.clock import SystemClock
from bot.exports import Format
from bot.quotas import Defaults
from bot.report_files import ReportFiles
from bot.reports import make_report, period_of_days
from bot.storage import Group, Reports, read_database

_TICK_S: Final = 0.005
_UPLOAD_LIMIT: Final = 10 << 20
DEFAULTS: Final = Defaults(
    member_day=10**9, guild_month=10**9, bot_month=10**9, dm_day=0, open_jobs=3
)


def _resident_kib() -> int:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0])


async def _watch(late_ms: list[float], resident: list[int]) -> None:
    """Note how late the loop wakes whoever sleeps, and how much memory there is."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(_TICK_S)
        late_ms.append((time.perf_counter() - began - _TICK_S) * 1000)
        resident.append(await aside(_resident_kib))


async def measure(url: str, first: date, last: date) -> dict[str, float]:
    """Write the files of a report, and tell what that took."""
    async with read_database(url) as database:
        reports, now_ms = Reports(database, defaults=DEFAULTS), SystemClock().now_ms()
        period = period_of_days(first, last, now_ms=now_ms, zones=())
        made = await make_report(reports, GUILD, period, Group.MEMBER, now_ms=now_ms)
        late_ms, resident = list[float](), [_resident_kib()]
        watch, began = asyncio.create_task(_watch(late_ms, resident)), time.perf_counter()
        async with ReportFiles(reports).written(
            made, Format.CSV, most_bytes=_UPLOAD_LIMIT, name_of=lambda _: None
        ) as files:
            seconds, size = time.perf_counter() - began, sum(f.stat().st_size for f in files)
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
    return {
        "late_ms": percentile(late_ms, 0.99),
        "latest_ms": max(late_ms),
        "above_idle_mib": (max(resident) - resident[0]) / 1024,
        "rows": made.total.charges,
        "seconds": seconds,
        "bytes": size,
    }


if __name__ == "__main__":
    days = (date.fromisoformat(each) for each in sys.argv[2:4])
    print(json.dumps(asyncio.run(measure(sys.argv[1], *days))))
