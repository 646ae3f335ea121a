"""`make bench`: measure, print a table, write `benchmarks/results.json`.

Every figure that is judged is a ratio to a floor measured in the same run, or a limit that people
would notice. Needs Linux: CPU time and memory are read from /proc. `--quick` does little of
everything, to see that the benchmark itself works; its results are not written.
"""

import argparse
import json
import platform
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.edits import edits
from benchmarks.figures import FULL, QUICK, Figure, Scale, median_ratio, percentile
from benchmarks.ledger import ledger
from benchmarks.postgres import postgres
from benchmarks.processes import Bot, Servers, machine, started
from benchmarks.reports import reports
from benchmarks.search import search

RESULTS: Final = Path(__file__).parent / "results.json"
_TURNS: Final = 10
"""In which the commands of a round are given, by both bots in turn, so that both meet the same."""
IDLE_S: Final = 5.0
"""How long a bot rests before its memory is looked at."""


def cost_of_a_command(scale: Scale) -> list[Figure]:
    """CPU time and latency of `/imagine` at 0 ms upstream, against the least command."""
    cpu_ms: dict[str, list[float]] = {"easel": [], "least": []}
    latency_ms: dict[str, list[float]] = {"easel": [], "least": []}
    with ExitStack() as stack:
        ends = {kind: started(stack, kind) for kind in cpu_ms}
        for servers, _ in ends.values():
            servers.imagine(scale.warm_up)
        for _ in range(scale.rounds * _TURNS):
            for kind, (servers, bot) in ends.items():
                before = bot.cpu_seconds()
                load = servers.imagine(scale.commands // _TURNS).complete()
                spent_ms = (bot.cpu_seconds() - before) * 1000
                cpu_ms[kind].append(spent_ms / (scale.commands // _TURNS))
                latency_ms[kind].append(statistics.median(load.finished_ms))
        for kind, (servers, _) in ends.items():
            calls = servers.imagine(scale.commands // _TURNS).complete().calls
            print(f"  calls of {kind}: {_per_command(calls, scale.commands // _TURNS)}")
    return [
        Figure("/imagine, CPU against the least command", median_ratio(*cpu_ms.values()), "x", 1.8),
        Figure("  CPU of one /imagine", statistics.median(cpu_ms["easel"]), "ms"),
        Figure("  CPU of the least command", statistics.median(cpu_ms["least"]), "ms"),
        Figure(
            "/imagine, latency against the least command", median_ratio(*latency_ms.values()), "x"
        ),
        Figure("  latency of one /imagine, median", statistics.median(latency_ms["easel"]), "ms"),
        Figure(
            "  latency of the least command, median", statistics.median(latency_ms["least"]), "ms"
        ),
    ]


def acknowledgement(scale: Scale) -> list[Figure]:
    """How fast 100 `/imagine` a second are acknowledged while 200 are in flight."""
    with (
        tempfile.TemporaryDirectory() as home,
        Servers() as servers,
        Bot("easel", servers.addresses, home=Path(home)),
    ):
        servers.imagine(scale.warm_up)
        load = servers.imagine(
            scale.flood_seconds * 100, per_second=100, latency_ms=2000
        ).complete()
    acknowledged, finished = load.acknowledged_ms, statistics.median(load.finished_ms)
    p99 = percentile(acknowledged, 0.99)
    return [
        Figure("acknowledged at 100 /imagine a second, p99", p99, "ms", 300),
        Figure("  the slowest", max(acknowledged), "ms", 3000),
        Figure("  median", statistics.median(acknowledged), "ms"),
        Figure("  until the last word, median (2000 upstream)", finished, "ms"),
    ]


def start_and_memory(scale: Scale) -> list[Figure]:
    """Start to READY and idle memory, against a bot that only logs in."""
    seen = {"easel": list[tuple[float, float]](), "bare": list[tuple[float, float]]()}
    with tempfile.TemporaryDirectory() as home, Servers() as servers:
        # The first start migrates and syncs; what is measured is the start of an installed bot.
        with Bot("easel", servers.addresses, home=Path(home)):
            pass
        for _ in range(scale.starts):
            for kind, done in seen.items():
                with Bot(kind, servers.addresses, home=Path(home)) as bot:
                    done.append((bot.ready_seconds * 1000, bot.memory_mib(after_seconds=IDLE_S)))
    easel_ms, easel_mib = (statistics.median(each) for each in zip(*seen["easel"], strict=True))
    bare_ms, bare_mib = (statistics.median(each) for each in zip(*seen["bare"], strict=True))
    return [
        Figure("start to READY against a bare bot", easel_ms / bare_ms, "x", 1.5),
        Figure("  start of Easel", easel_ms, "ms"),
        Figure("  start of a bare bot", bare_ms, "ms"),
        Figure("idle memory (PSS) against a bare bot", easel_mib / bare_mib, "x", 1.5),
        Figure("  memory of Easel, all its processes", easel_mib, "MiB"),
        Figure("  memory of a bare bot", bare_mib, "MiB"),
    ]


def event_loop(scale: Scale) -> list[Figure]:
    """Whether anything holds the event loop for more than 5 ms."""
    with tempfile.TemporaryDirectory() as home, Servers() as servers:
        with Bot("easel", servers.addresses, home=Path(home), watch="probe") as bot:
            servers.imagine(scale.warm_up)
            bot.start_probe()
            servers.imagine(scale.commands).complete()
            servers.imagine(scale.commands, per_second=20, latency_ms=500).complete()
        report = bot.report
    for slow in report["worst"]:
        print(f"  over 5 ms: {slow['what']}: {slow['cpu_ms']} ms CPU, {slow['wall_ms']} ms wall")
    return [
        Figure("callbacks over 5 ms of CPU on the event loop", report["over_limit_by_cpu"], "", 0),
        Figure("  the longest", report["worst_cpu_ms"], "ms"),
        Figure("  callbacks in all", report["callbacks"], ""),
        Figure("  over 5 ms by the clock", report["over_limit_by_wall"], ""),
    ]


PARTS: Final = {
    "cost": cost_of_a_command,
    "acknowledgement": acknowledgement,
    "start": start_and_memory,
    "loop": event_loop,
    "edits": edits,
    "search": search,
    "ledger": ledger,
    "postgres": postgres,
    "reports": reports,
}
_LONG: Final = frozenset({"reports"})
"""Takes minutes even where little is measured, so `--quick` does it only when it is named."""


def _per_command(calls: dict[str, int], commands: int) -> str:
    shares = {route: count / commands for route, count in calls.items()}
    return ", ".join(f"{share:.2f} {route}" for route, share in sorted(shares.items()))


def _show(figures: Sequence[Figure]) -> None:
    for figure in figures:
        value = f"{figure.value:,.2f} {figure.unit}"
        print(f"{figure.name:<52} {value:>14}  {figure.bound:<13} {figure.verdict}", flush=True)


def main() -> int:
    """Measure what was asked for; 1 when a limit was exceeded."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("parts", nargs="*", metavar="PART", help="all of them by default")
    parser.add_argument("--quick", action="store_true", help="little of everything, not written")
    arguments = parser.parse_args()
    if platform.system() != "Linux":
        sys.exit("The benchmark reads CPU time and memory from /proc, so it needs Linux.")
    results: dict[str, list[dict[str, Any]]] = {}
    kept = True
    where = machine()
    usual = [name for name in PARTS if not (arguments.quick and name in _LONG)]
    for name in arguments.parts or usual:
        print(f"== {name}", flush=True)
        figures = PARTS[name](QUICK if arguments.quick else FULL)
        _show(figures)
        kept = kept and all(figure.is_kept for figure in figures)
        results[name] = [{**asdict(figure), "verdict": figure.verdict} for figure in figures]
    if not arguments.quick and not arguments.parts:
        when = datetime.now(UTC).isoformat(timespec="seconds")
        written = {"when": when, "machine": where, "results": results}
        RESULTS.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
        print(f"Written to {RESULTS.name}.")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
