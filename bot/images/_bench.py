"""The worker of one batch: started when it is first needed, replaced after a picture ended it."""

import asyncio
import math
from typing import Final

from bot.images._process import PictureWorker
from bot.images._streams import Payload, Sink
from bot.images._types import Reason, UnusablePicture
from bot.images._wire import MAX_PAYLOAD, Order, Reply

_SPARE_S: Final = 5.0
"""Seconds by the clock beyond the processor time: the pipes, and a busy machine."""


class Bench:
    """Carries out orders one after the other, each in at most `timeout_s` seconds.

    With `killed` no worker is ever started, and everything is refused.
    """

    def __init__(self, timeout_s: float, *, killed: bool = False) -> None:
        self._timeout_s = timeout_s
        self._worker: PictureWorker | None = None
        self._killed = killed
        self.cleared = asyncio.Event()
        """Set when the last process is gone."""

    @property
    def cpu_s(self) -> int:
        """Seconds of processor time that an order may ask for."""
        return math.ceil(self._timeout_s)

    async def carry_out(self, order: Order, payload: Payload, into: Sink) -> Reply:
        """Let a worker carry out `order`; what it makes goes `into` the sink.

        Raises:
            UnusablePicture: see `PictureWorker.carry_out`; or there is no worker.
            OSError: a file of the payload or the sink is out of order.
        """
        if payload.size > MAX_PAYLOAD:
            raise UnusablePicture(Reason.TOO_LARGE)
        worker = await self._ready_worker()
        return await worker.carry_out(order, payload, into, timeout_s=self._timeout_s + _SPARE_S)

    async def _ready_worker(self) -> PictureWorker:
        if self._worker is None or not self._worker.usable:
            self._worker = None if self._killed else await PictureWorker.start()
        if self._worker is None or self._killed:
            raise UnusablePicture(Reason.NO_WORKER)
        return self._worker

    def kill(self) -> None:
        """Make the picture under way fail, and those after it."""
        self._killed = True
        if self._worker is not None:
            self._worker.kill()

    async def close(self) -> None:
        """End the worker, if there is one, and wait until it is gone."""
        try:
            if self._worker is not None:
                await self._worker.stop()
        finally:
            self.cleared.set()
