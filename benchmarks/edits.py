"""`/edit` with the most that people can attach: memory, the event loop, and CPU.

Sixteen pictures of 4 MB that need no conversion, so that what is measured is the way of the bytes:
from Discord to ImageRouter.
"""

import statistics
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, Scale
from benchmarks.processes import Bot, Servers

PICTURES: Final = 16
BYTES: Final = 4_000_000
_SMALL: Final = (10_000,)


def edits(scale: Scale) -> list[Figure]:
    """Measure `/edit` with sixteen pictures against the least command that forwards them."""
    count = max(2, scale.commands // 20)
    cpu: dict[str, list[float]] = {"easel": [], "least_edit": []}
    peaks: list[float] = []
    for _ in range(scale.rounds):
        for kind, spent in cpu.items():
            cpu_ms, peak = _round(kind, count)
            spent.append(cpu_ms)
            if kind == "easel":
                peaks.append(peak)
    easel, least = statistics.median(cpu["easel"]), statistics.median(cpu["least_edit"])
    stalls = _stalls(count)
    return [
        Figure("/edit of 64 MB, CPU against the least command", easel / least, "x", 1.5),
        Figure("  CPU of one /edit", easel, "ms"),
        Figure("  CPU of the least command", least, "ms"),
        Figure("  peak memory above idle, against the upload", max(peaks), "x", 1.5),
        Figure("  longest stall of the event loop", stalls["worst_ms"], "ms", 20),
        Figure("  stalls over 5 ms", stalls["over_limit"], ""),
    ]


def _round(kind: str, count: int) -> tuple[float, float]:
    """Return the CPU (ms) of one `/edit`, and the peak of memory as a share of the upload."""
    with (
        tempfile.TemporaryDirectory() as home,
        Servers() as servers,
        Bot(kind, servers.addresses, home=Path(home)) as bot,
    ):
        servers.edit(3, sizes=_SMALL).complete()
        idle = bot.forget_peak()
        before = bot.cpu_seconds()
        servers.edit(count, sizes=[BYTES] * PICTURES).complete()
        spent = bot.cpu_seconds() - before
        above = bot.peak_bytes() - idle
    return spent / count * 1000, above / (BYTES * PICTURES)


def _stalls(count: int) -> dict[str, float]:
    """Return what a task saw that asked for a turn all the time."""
    with tempfile.TemporaryDirectory() as home, Servers() as servers:
        with Bot("easel", servers.addresses, home=Path(home), watch="ticks") as bot:
            servers.edit(3, sizes=_SMALL).complete()
            bot.start_probe()
            servers.edit(count, sizes=[BYTES] * PICTURES).complete()
        return {name: float(value) for name, value in bot.report.items()}
