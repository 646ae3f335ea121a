"""The bot's end of one picture worker: orders go out, pictures come back, nothing is decoded."""

import logging
from contextlib import aclosing
from typing import Final, Self

from bot.images._streams import Payload, Sink
from bot.images._types import Reason, UnusablePicture
from bot.images._wire import Order, Reply, pack_order, parse_reply
from bot.workers import WorkerEnded, WorkerProcess

_log = logging.getLogger(__name__)

_START_TIMEOUT_S: Final = 20.0


class PictureWorker:
    """One running worker. It serves one order at a time and is worth nothing after a failure."""

    def __init__(self, process: WorkerProcess) -> None:
        self._process = process

    @classmethod
    async def start(cls) -> Self:
        """Start a worker and wait until it is ready.

        Raises:
            UnusablePicture: with `Reason.NO_WORKER`.
        """
        try:
            process = await WorkerProcess.start("bot.images._worker", timeout_s=_START_TIMEOUT_S)
        except WorkerEnded as error:
            _log.error("the picture worker did not start (%s)", error.__cause__ or error)
            raise UnusablePicture(Reason.NO_WORKER) from error
        return cls(process)

    @property
    def usable(self) -> bool:
        """Whether it can take another order."""
        return self._process.usable

    async def carry_out(
        self, order: Order, payload: Payload, into: Sink, *, timeout_s: float
    ) -> Reply:
        """Let the worker carry out `order` on `payload`; what it makes goes `into` the sink.

        Whatever goes wrong, cancellation included, ends the process.

        Raises:
            UnusablePicture: the payload cannot be decoded, or not within `timeout_s` seconds.
            OSError: a file of the payload or the sink is out of order.
        """
        try:
            async with self._process.order(timeout_s=timeout_s):
                await self._send(order, payload)
                reply = await self._receive(into, max_payload=order.max_bytes)
        except WorkerEnded as error:
            _log.warning("a picture ended its worker (%s)", error)
            raise UnusablePicture(Reason.TOO_COSTLY) from error
        if reply.refused is not None:
            raise UnusablePicture(_reason(reply.refused))
        return reply

    def kill(self) -> None:
        """End the process at once; an order under way fails, and cleans up."""
        self._process.kill()

    async def stop(self) -> None:
        """End the process at once and wait until it is gone. Not while an order is under way."""
        await self._process.stop()

    async def _send(self, order: Order, payload: Payload) -> None:
        await self._process.send(pack_order(order, payload.size))
        async with aclosing(payload.pieces()) as pieces:
            async for piece in pieces:
                await self._process.send(piece)

    async def _receive(self, into: Sink, *, max_payload: int) -> Reply:
        header, size = await self._process.receive(max_payload=max_payload)
        reply = parse_reply(header)
        async with aclosing(self._process.payload(size)) as pieces:
            async for piece in pieces:
                await into.write(piece)
        return reply


def _reason(name: str) -> Reason:
    try:
        return Reason(name)
    except ValueError:
        return Reason.DAMAGED
