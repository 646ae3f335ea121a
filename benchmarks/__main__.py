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
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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
_LARGE_BYTES: Final = 9_000_000
"""Within Discord's upload limit, so that the picture is attached as it came."""


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
        calls = {
            kind: servers.imagine(scale.commands // _TURNS).complete().calls
            for kind, (servers, _) in ends.items()
        }
    for kind, counts in calls.items():
        print(f"  calls of {kind}: {_per_command(counts, scale.commands // _TURNS)}")
    _check_same_calls(calls["easel"], calls["least"])
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
    ready_ms: dict[str, list[float]] = {"easel": [], "bare": []}
    idle_mib: dict[str, list[float]] = {"easel": [], "bare": []}
    with tempfile.TemporaryDirectory() as home, Servers() as servers:
        # The first start migrates and syncs; what is measured is the start of an installed bot.
        with Bot("easel", servers.addresses, home=Path(home)):
            pass
        for _ in range(scale.starts):  # one after the other, so that both meet the same machine
            for kind, ready in ready_ms.items():
                with Bot(kind, servers.addresses, home=Path(home)) as bot:
                    ready.append(bot.ready_seconds * 1000)
        for _ in range(scale.rests):
            for kind, idle in idle_mib.items():
                with Bot(kind, servers.addresses, home=Path(home)) as bot:
                    idle.append(bot.memory_mib(after_seconds=IDLE_S))
    return [
        Figure("start to READY against a bare bot", median_ratio(*ready_ms.values()), "x", 1.5),
        Figure("  start of Easel", statistics.median(ready_ms["easel"]), "ms"),
        Figure("  start of a bare bot", statistics.median(ready_ms["bare"]), "ms"),
        Figure("idle memory (PSS) against a bare bot", median_ratio(*idle_mib.values()), "x", 1.5),
        Figure("  memory of Easel, all its processes", statistics.median(idle_mib["easel"]), "MiB"),
        Figure("  memory of a bare bot", statistics.median(idle_mib["bare"]), "MiB"),
    ]


def event_loop(scale: Scale) -> list[Figure]:
    """Whether anything holds the event loop for more than 5 ms, however large the pictures are."""

    def small(servers: Servers) -> None:
        servers.imagine(scale.commands).complete()
        servers.imagine(scale.commands, per_second=20, latency_ms=500).complete()

    def large(servers: Servers) -> None:
        servers.imagine_large(max(2, scale.commands // 10), size=_LARGE_BYTES).complete()

    usual, heavy = (_callbacks(scale, commands) for commands in (small, large))
    over_limit = "callbacks over 5 ms of CPU"
    return [
        Figure(f"{over_limit} on the event loop", usual["over_limit_by_cpu"], "", 0),
        Figure("  the longest", usual["worst_cpu_ms"], "ms"),
        Figure("  callbacks in all", usual["callbacks"], ""),
        Figure("  over 5 ms by the clock", usual["over_limit_by_wall"], ""),
        Figure(f"{over_limit} with pictures of 9 MB", heavy["over_limit_by_cpu"], "", 0),
        Figure("  the longest", heavy["worst_cpu_ms"], "ms"),
        Figure("  callbacks in all", heavy["callbacks"], ""),
        Figure("  over 5 ms by the clock", heavy["over_limit_by_wall"], ""),
    ]


def _callbacks(scale: Scale, commands: Callable[[Servers], None]) -> dict[str, Any]:
    """What the probe reports of a bot of its own while the commands are given."""
    with tempfile.TemporaryDirectory() as home, Servers() as servers:
        with Bot("easel", servers.addresses, home=Path(home), watch="probe") as bot:
            servers.imagine(scale.warm_up)
            bot.start_probe()
            commands(servers)
        report: dict[str, Any] = bot.report
    for slow in report["worst"]:
        print(f"  over 5 ms: {slow['what']}: {slow['cpu_ms']} ms CPU, {slow['wall_ms']} ms wall")
    return report


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


def _check_same_calls(real: Mapping[str, int], least: Mapping[str, int]) -> None:
    """End the program when the least command is no floor: it makes other calls than the real one.

    A message may be edited as `@original` or by its id.
    """
    of_real, of_least = _kinds(real), _kinds(least)
    if of_real != of_least:
        kinds = sorted({**of_real, **of_least})
        differ = [
            f"{kind} ({of_real[kind]} and {of_least[kind]})"
            for kind in kinds
            if of_real[kind] != of_least[kind]
        ]
        sys.exit(
            "The real command and the least one make different calls, so they can't be compared: "
            + ", ".join(differ)
        )


def _kinds(calls: Mapping[str, int]) -> Counter[str]:
    kinds = Counter[str]()
    for route, count in calls.items():
        kinds[route.replace("/@original", "/{message_id}")] += count
    return kinds


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
