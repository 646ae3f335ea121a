"""How long the event loop is held: by each callback, or as a task sees it that wants a turn.

While one runs nothing else does, the gateway's heartbeat included. Wall time alone would blame the
bot when another process has the core, so the thread's own CPU time is taken beside it.
"""

import asyncio
import time
from dataclasses import asdict, dataclass
from typing import Any, Final

LIMIT_MS: Final = 5.0
_KEPT: Final = 20
_TICK_S: Final = 0.001


@dataclass(frozen=True, slots=True)
class Slow:
    """A callback that was over the limit: what ran, its CPU time and its wall time."""

    what: str
    cpu_ms: float
    wall_ms: float


class Probe:
    """Measures every callback of every event loop of this process, once it was started."""

    def __init__(self) -> None:
        self._callbacks = 0
        self._slow: list[Slow] = []
        self._slow_by_cpu = 0
        self._worst_cpu_ms = 0.0

    def start(self) -> None:
        """Begin to measure. Wraps asyncio's own `Handle._run`, in this process only."""
        run = asyncio.Handle._run  # noqa: SLF001 - nothing public is as close to the loop

        def measured(handle: asyncio.Handle) -> None:
            wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
            try:
                run(handle)
            finally:
                cpu_ms = (time.thread_time_ns() - cpu) / 1e6
                wall_ms = (time.perf_counter_ns() - wall) / 1e6
                self._record(handle, cpu_ms, wall_ms)

        setattr(asyncio.Handle, "_run", measured)  # noqa: B010 - mypy forbids the plain assignment

    async def stop(self) -> None:
        """Do nothing: the loop ends with what is measured."""

    def report(self) -> dict[str, Any]:
        """Return the counts, and the worst callbacks by CPU time."""
        worst = sorted(self._slow, key=lambda slow: slow.cpu_ms, reverse=True)[:_KEPT]
        return {
            "callbacks": self._callbacks,
            "over_limit_by_cpu": self._slow_by_cpu,
            "over_limit_by_wall": len(self._slow),
            "worst_cpu_ms": self._worst_cpu_ms,
            "worst": [asdict(slow) for slow in worst],
        }

    def _record(self, handle: asyncio.Handle, cpu_ms: float, wall_ms: float) -> None:
        self._callbacks += 1
        self._worst_cpu_ms = max(self._worst_cpu_ms, cpu_ms)
        if wall_ms < LIMIT_MS:
            return
        self._slow_by_cpu += cpu_ms >= LIMIT_MS
        self._slow.append(Slow(_name(handle), round(cpu_ms, 2), round(wall_ms, 2)))


class Ticks:
    """A task that asks for a turn again and again: how late it comes is how long the loop stood.

    Unlike `Probe` it sees everything that holds the loop up, garbage collection and threads that
    keep the interpreter to themselves included; and other programs that have the core.
    """

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._late_ms: list[float] = []

    def start(self) -> None:
        """Begin to measure."""
        self._task = asyncio.get_running_loop().create_task(self._tick())

    async def stop(self) -> None:
        """End the task."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def report(self) -> dict[str, Any]:
        """Return how late it came at worst, how often by more than 5 ms, and how often it came."""
        return {
            "worst_ms": max(self._late_ms, default=0.0),
            "over_limit": sum(late >= LIMIT_MS for late in self._late_ms),
            "ticks": len(self._late_ms),
        }

    async def _tick(self) -> None:
        while True:
            due = time.perf_counter() + _TICK_S
            await asyncio.sleep(_TICK_S)
            self._late_ms.append((time.perf_counter() - due) * 1000)


def _name(handle: asyncio.Handle) -> str:
    callback: Any = handle._callback  # type: ignore[attr-defined] # noqa: SLF001
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return f"task {getattr(owner.get_coro(), '__qualname__', owner)}"
    return str(getattr(callback, "__qualname__", callback))
