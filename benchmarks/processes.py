"""The processes that a benchmark starts, and what Linux tells about them in /proc."""

import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Final, Literal, Self, TypeAlias

from benchmarks import READY, Addresses, Load

Watch: TypeAlias = Literal["", "probe", "ticks"]
"""What `benchmarks.probe` measures in the bot."""

ROOT: Final = Path(__file__).resolve().parent.parent
LONGEST_S: Final = 300.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_CUTIME, _CUTIME_END, _PPID = 13, 15, 1  # fields of /proc/PID/stat after the program's name


class Servers:
    """The local Discord, its people, and the local ImageRouter; `with` starts and stops them.

    `module` is the program: `benchmarks.servers`, or one that speaks as it does.
    """

    def __init__(self, module: str = "benchmarks.servers") -> None:
        self._module = module

    def __enter__(self) -> Self:
        self._process = _start(self._module, cwd=ROOT)
        self.addresses = Addresses(**json.loads(_line(self._process)))
        return self

    def __exit__(self, *_: object) -> None:
        _pipe(self._process.stdin).close()
        _end(self._process)

    def imagine(self, count: int, *, per_second: float | None = None, latency_ms: int = 0) -> Load:
        """Let people use `/imagine`: one after the other, or at a steady rate."""
        return self._ask({"count": count, "per_second": per_second, "latency_ms": latency_ms})

    def imagine_large(self, count: int, *, size: int) -> Load:
        """Let people use `/imagine`, one after the other, each for a picture of about `size` bytes.

        It counts as failed when the picture is not attached as it came.
        """
        return self._ask({"count": count, "made": size})

    def edit(self, count: int, *, sizes: Sequence[int]) -> Load:
        """Let people use `/edit`, one after the other, with pictures of about `sizes` bytes."""
        return self._ask({"count": count, "sizes": list(sizes)})

    def suggest(self, count: int) -> Load:
        """Let somebody type and wait for suggestions; only `benchmarks.suggestions` does that."""
        return self._ask({"count": count})

    def _ask(self, order: dict[str, Any]) -> Load:
        orders = _pipe(self._process.stdin)
        orders.write(json.dumps(order) + "\n")
        orders.flush()
        return Load(**json.loads(_line(self._process)))


class Bot:
    """A bot of `benchmarks.bots`; `with` starts it, waits until it is ready, and stops it."""

    def __init__(
        self,
        kind: str,
        addresses: Addresses,
        *,
        home: Path,
        watch: Literal["probe", "ticks", ""] = "",
    ) -> None:
        self._arguments = [kind, json.dumps(asdict(addresses)), watch]
        self._home = home
        self._watched = bool(watch)
        self.ready_seconds = 0.0
        """From the start of the process until it was ready."""
        self.report: dict[str, Any] = {}
        """What the probe saw, once the bot has stopped."""

    def __enter__(self) -> Self:
        began = time.monotonic()
        self._process = _start("benchmarks.bots", *self._arguments, cwd=self._home)
        while _line(self._process) != READY:
            pass
        self.ready_seconds = time.monotonic() - began
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        lines = _pipe(self._process.stdout).read().splitlines()
        _end(self._process)
        if self._watched:
            self.report = json.loads(lines[-1])

    def start_probe(self) -> None:
        """Begin to measure the event loop."""
        self._process.send_signal(signal.SIGUSR1)

    def cpu_seconds(self) -> float:
        """Return the CPU time of the bot and every process it started, ended ones included."""
        return sum(_cpu_seconds(pid) for pid in _family(self._process.pid))

    def forget_peak(self) -> float:
        """Let the peak of memory be what it is now, and return that in bytes (resident)."""
        for pid in _family(self._process.pid):
            Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
        return self.peak_bytes()

    def peak_bytes(self) -> float:
        """Return the highest resident memory since `forget_peak`, of all living processes."""
        return sum(_status_kib(pid, "VmHWM:") for pid in _family(self._process.pid)) * 1024

    def memory_mib(self, *, after_seconds: float) -> float:
        """Return the proportional set size of the bot and every process it started."""
        time.sleep(after_seconds)
        return sum(_pss_kib(pid) for pid in _family(self._process.pid)) / 1024


def started(stack: ExitStack, kind: str) -> tuple[Servers, Bot]:
    """Start a bot with far ends of its own, until the stack is closed."""
    home = stack.enter_context(tempfile.TemporaryDirectory())
    servers = stack.enter_context(Servers())
    return servers, stack.enter_context(Bot(kind, servers.addresses, home=Path(home)))


def machine() -> dict[str, Any]:
    """Describe the machine, as far as it matters for the figures."""
    cpu = platform.processor()
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }


def _start(module: str, *arguments: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=cwd,
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _line(process: subprocess.Popen[str]) -> str:
    line = _pipe(process.stdout).readline()
    if not line:
        sys.exit(f"A process of the benchmark ended: {process.args!r:.100} ({process.wait()}).")
    return line.strip()


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None, "every process here is started with pipes"
    return pipe


def _end(process: subprocess.Popen[str]) -> None:
    try:
        process.wait(LONGEST_S)
    finally:
        process.kill()
        for pipe in (process.stdin, process.stdout):
            _pipe(pipe).close()


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()


def _family(pid: int) -> list[int]:
    """Return a process and its living descendants."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                parents[int(folder.name)] = int(_stat(int(folder.name))[_PPID])
            except OSError:
                continue  # it ended meanwhile
    family = [pid]
    for member in family:  # grows while it is walked
        family.extend(child for child, parent in parents.items() if parent == member)
    return family


def _cpu_seconds(pid: int) -> float:
    # The process's own clock (clock_getcpuclockid(3)) is finer than /proc, which has its children.
    own = time.clock_gettime((~pid << 3) | 2)
    return own + sum(map(int, _stat(pid)[_CUTIME:_CUTIME_END])) / _TICKS


def _pss_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def _status_kib(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(field):
            return int(line.split()[1])
    return 0


def _environment() -> dict[str, str]:
    """This process's environment; bytecode is kept, as it is wherever the bot is installed."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(ROOT)}
