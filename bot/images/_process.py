"""The bot's end of one picture worker: start it, feed it, and be rid of it.

Nothing here decodes anything. Bytes go through the pipes in small pieces, so that the event loop
is never held up by a large picture.
"""

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Final, Self

if sys.platform == "win32":
    _NEW_GROUP: Final = subprocess.CREATE_NEW_PROCESS_GROUP
else:
    _NEW_GROUP: Final = 0

from bot.images._streams import PIECE, Memory, Payload, Sink
from bot.images._types import Reason, UnusablePicture
from bot.images._wire import (
    PREFIX,
    BrokenStream,
    Order,
    Reply,
    pack_order,
    parse_reply,
    unpack_prefix,
)

_log = logging.getLogger(__name__)

_START_TIMEOUT_S: Final = 20.0
_KEPT_ENVIRONMENT: Final = ("PATH", "SYSTEMROOT", "HOME", "FONTCONFIG_PATH", "FONTCONFIG_FILE")
_ROOT: Final = Path(__file__).resolve().parents[2]


class WorkerProcess:
    """One running worker. It serves one order at a time and is worth nothing after a failure."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls) -> Self:
        """Start a worker and wait until it is ready.

        Raises:
            UnusablePicture: with `Reason.NO_WORKER`.
        """
        # No secret of the bot's environment goes to where hostile bytes are decoded.
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        environment["PYTHONPATH"] = str(_ROOT)
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-s", "-P", "-m", "bot.images._worker"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=PIECE,
                env=environment,
                cwd=_ROOT.anchor,
                # Ctrl-C in a terminal is for the bot, which still waits for its sent jobs.
                start_new_session=sys.platform != "win32",
                creationflags=_NEW_GROUP,
            )
        except OSError as error:
            _log.error("cannot start the picture worker: %s", error)
            raise UnusablePicture(Reason.NO_WORKER) from error
        worker = cls(process)
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                await worker._receive(Memory(), max_payload=0)
        except (BrokenStream, TimeoutError, ConnectionError) as error:
            await worker.stop()
            _log.error("the picture worker did not start (exit code %s)", process.returncode)
            raise UnusablePicture(Reason.NO_WORKER) from error
        except BaseException:
            await worker.stop()
            raise
        return worker

    @property
    def usable(self) -> bool:
        """Whether it can take another order."""
        return self._process.returncode is None

    async def carry_out(
        self, order: Order, payload: Payload, into: Sink, *, timeout_s: float
    ) -> Reply:
        """Let the worker carry out `order` on `payload`; what it makes goes `into` the sink.

        Whatever goes wrong, cancellation included, ends the process: a worker in the middle of an
        order can't be used for another.

        Raises:
            UnusablePicture: the payload cannot be decoded, or not within `timeout_s` seconds.
            OSError: a file of the payload or the sink is out of order.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._send(order, payload)
                reply = await self._receive(into, max_payload=order.max_bytes)
        # The pipes fail with a ConnectionError; another OSError is that of a file of ours.
        except (BrokenStream, TimeoutError, ConnectionError) as error:
            await self.stop()
            _log.warning("a picture ended its worker (exit code %s)", self._process.returncode)
            raise UnusablePicture(Reason.TOO_COSTLY) from error
        except BaseException:
            await self.stop()
            raise
        if reply.refused is not None:
            raise UnusablePicture(_reason(reply.refused))
        return reply

    def kill(self) -> None:
        """End the process at once; an order under way fails, and cleans up."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def stop(self) -> None:
        """End the process at once and wait until it is gone. Not while an order is under way."""
        self.kill()
        await asyncio.shield(self._reap())

    async def _reap(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        # A full pipe would keep the transport open: read what is left of it.
        if self._process.stdout is not None:
            while await self._process.stdout.read(PIECE):
                pass
        await self._process.wait()

    async def _send(self, order: Order, payload: Payload) -> None:
        stdin = self._process.stdin
        if stdin is None:
            raise BrokenStream
        stdin.write(pack_order(order, payload.size))
        async with contextlib.aclosing(payload.pieces()) as pieces:
            async for piece in pieces:
                stdin.write(piece)
                await stdin.drain()

    async def _receive(self, into: Sink, *, max_payload: int) -> Reply:
        prefix = await self._read(PREFIX.size)
        header_size, left = unpack_prefix(prefix, max_payload=max_payload)
        reply = parse_reply(await self._read(header_size))
        while left > 0:
            piece = await self._read_some(left)
            left -= len(piece)
            await into.write(piece)
        return reply

    async def _read(self, size: int) -> bytes:
        """The next `size` bytes, of which there are few."""
        read = b""
        while len(read) < size:
            read += await self._read_some(size - len(read))
        return read

    async def _read_some(self, size: int) -> bytes:
        stdout = self._process.stdout
        piece = b"" if stdout is None else await stdout.read(min(size, PIECE))
        if not piece:
            raise BrokenStream
        return piece


def _reason(name: str) -> Reason:
    try:
        return Reason(name)
    except ValueError:
        return Reason.DAMAGED
