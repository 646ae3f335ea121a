"""`/edit` with the most that people can attach: memory, the event loop, and CPU.

Sixteen pictures of 4 MB that need no conversion, so that what is measured is the way of the bytes:
from Discord to ImageRouter. The two bots take turns, each with servers of its own, so that both
meet the same machine; the ratio is the median of those of the turns.
"""

import statistics
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, Scale, median_ratio
from benchmarks.processes import Bot, Servers, started

PICTURES: Final = 16
BYTES: Final = 4_000_000
_SMALL: Final = (10_000,)
_IN_A_ROW: Final = 3
"""Commands in a turn."""


def edits(scale: Scale) -> list[Figure]:
    """Measure `/edit` with sixteen pictures against the least command that forwards them."""
    cpu: dict[str, list[float]] = {"easel": [], "least_edit": []}
    with ExitStack() as stack:
        pairs = {kind: started(stack, kind) for kind in cpu}
        for servers, _ in pairs.values():
            servers.edit(3, sizes=_SMALL).complete()
        _, easel = pairs["easel"]
        idle = easel.forget_peak()
        for _ in range(max(2, scale.commands // 20)):
            for kind, (servers, bot) in pairs.items():
                cpu[kind].append(_cpu_ms(servers, bot))
        peak = (easel.peak_bytes() - idle) / (BYTES * PICTURES)
    stalls = _stalls(max(2, scale.commands // 20))
    return [
        Figure(
            "/edit of 64 MB, CPU against the least command", median_ratio(*cpu.values()), "x", 1.5
        ),
        Figure("  CPU of one /edit", statistics.median(cpu["easel"]), "ms"),
        Figure("  CPU of the least command", statistics.median(cpu["least_edit"]), "ms"),
        Figure("  peak memory above idle, against the upload", peak, "x", 1.5),
        Figure("  longest stall of the event loop", stalls["worst_ms"], "ms", 20),
        Figure("  stalls over 5 ms", stalls["over_limit"], ""),
    ]


def _cpu_ms(servers: Servers, bot: Bot) -> float:
    """Return the CPU of one `/edit`, of a few in a row."""
    before = bot.cpu_seconds()
    servers.edit(_IN_A_ROW, sizes=[BYTES] * PICTURES).complete()
    return (bot.cpu_seconds() - before) / _IN_A_ROW * 1000


def _stalls(count: int) -> dict[str, float]:
    """Return what a task saw that asked for a turn all the time."""
    with tempfile.TemporaryDirectory() as home, Servers() as servers:
        with Bot("easel", servers.addresses, home=Path(home), watch="ticks") as bot:
            servers.edit(3, sizes=_SMALL).complete()
            bot.start_probe()
            servers.edit(count, sizes=[BYTES] * PICTURES).complete()
        return {name: float(value) for name, value in bot.report.items()}
