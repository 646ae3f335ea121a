"""Has charts drawn by a process of its own, which runs only while it is used."""

import asyncio
import logging
import math
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bot.charts import _wire
from bot.charts._types import Chart, ChartUnavailable
from bot.workers import WorkerEnded, WorkerProcess, pack_frame

_log = logging.getLogger(__name__)

_START_TIMEOUT_S: Final = 30.0
"""The first start on a machine makes a list of its fonts, which may be many."""
_ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""Threads for linear algebra would take memory, and there is none to do."""


class Charts:
    """Draws charts, one after the other.

    An async context manager; leaving it ends the process. It runs from the first chart until
    `idle_s` seconds after the last. A chart that takes more than `timeout_s` seconds is given up,
    and so is one whose turn has not come by then. What the plotting library knows of the machine's
    fonts is kept in the folder `cache`, if there is one, and else where the library likes.
    """

    def __init__(
        self, *, cache: Path | None = None, idle_s: float = 120.0, timeout_s: float = 15.0
    ) -> None:
        self._cache = cache
        self._idle_s = idle_s
        self._timeout_s = timeout_s
        self._turn = asyncio.Lock()
        self._worker: WorkerProcess | None = None
        self._start: asyncio.Task[None] | None = None
        self._rest: asyncio.Task[None] | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closed = True
        if self._start is not None:
            self._start.cancel()
        if self._worker is not None:
            self._worker.kill()
        async with self._turn:
            await self._wake()
            await self._end()

    def expect(self) -> None:
        """Have the process started while the books are read: a chart will be wanted soon."""
        if self._start is None or self._start.done():
            self._start = asyncio.create_task(self._start_early())

    async def draw(self, chart: Chart) -> bytes:
        """Return the chart as a PNG.

        Raises:
            ChartUnavailable: it can't be drawn, or not in time.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._turn.acquire()
        except TimeoutError as error:
            raise ChartUnavailable("others are drawn before it") from error
        try:
            await self._wake()
            return await self._drawn(chart)
        except WorkerEnded as error:
            _log.warning("a chart ended the process that draws (%s)", error)
            raise ChartUnavailable("the process that draws has ended") from error
        finally:
            self._go_to_rest()
            self._turn.release()

    async def _start_early(self) -> None:
        async with self._turn:
            try:
                await self._wake()
                await self._ready_worker()
            except (WorkerEnded, ChartUnavailable) as error:
                _log.warning("the process that draws charts did not start (%s)", error)
            finally:
                self._go_to_rest()

    async def _drawn(self, chart: Chart) -> bytes:
        worker = await self._ready_worker()
        payload = _wire.chart_bytes(chart)
        header = pack_frame(_wire.order(cpu_s=math.ceil(self._timeout_s)), len(payload))
        async with worker.order(timeout_s=self._timeout_s):
            await worker.send(header)
            await worker.send(payload)
            answer, size = await worker.receive(max_payload=_wire.MAX_PICTURE)
            picture = b"".join([piece async for piece in worker.payload(size)])
            fault = _wire.fault_of(answer)
        if fault is not None:
            _log.error("a chart could not be drawn: %s", fault)
            raise ChartUnavailable(fault)
        return picture

    async def _ready_worker(self) -> WorkerProcess:
        if self._closed:
            raise ChartUnavailable("Charts is closed")
        if self._worker is None or not self._worker.usable:
            kept = {} if self._cache is None else {"MPLCONFIGDIR": str(self._cache.resolve())}
            self._worker = await WorkerProcess.start(
                "bot.charts._worker",
                timeout_s=_START_TIMEOUT_S,
                environment={**_ONE_THREAD, **kept},
            )
        return self._worker

    async def _wake(self) -> None:
        """Let the process live on, if it was about to end."""
        if self._rest is not None:
            self._rest.cancel()
            await asyncio.wait({self._rest})
            self._rest = None

    def _go_to_rest(self) -> None:
        self._rest = None if self._closed else asyncio.create_task(self._end_after_rest())

    async def _end_after_rest(self) -> None:
        await asyncio.sleep(self._idle_s)
        await self._end()

    async def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.stop()
