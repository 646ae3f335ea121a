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

from bot.images._types import Reason, UnusablePicture
from bot.images._wire import PREFIX, BrokenStream, FitOrder, Reply, pack, parse_reply, unpack_prefix

_log = logging.getLogger(__name__)

_CHUNK: Final = 128 * 1024
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
                limit=_CHUNK,
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
                await worker._receive(max_payload=0)
        except (BrokenStream, TimeoutError, OSError) as error:
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

    async def fit(self, order: FitOrder, data: bytes, *, timeout_s: float) -> bytes | None:
        """Let the worker carry out `order`; None when the picture cannot be made small enough.

        Whatever goes wrong, cancellation included, ends the process: a worker in the middle of an
        order can't be used for another.

        Raises:
            UnusablePicture: `data` cannot be decoded, or not within `timeout_s` seconds.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._send(order, data)
                reply, payload = await self._receive(max_payload=order.max_bytes)
        except (BrokenStream, TimeoutError, OSError) as error:
            await self.stop()
            _log.warning("a picture ended its worker (exit code %s)", self._process.returncode)
            raise UnusablePicture(Reason.TOO_COSTLY) from error
        except BaseException:
            await self.stop()
            raise
        if reply.refused is not None:
            raise UnusablePicture(_reason(reply.refused))
        return None if reply.too_large else payload

    def kill(self) -> None:
        """End the process at once; a `fit` under way fails, and cleans up."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def stop(self) -> None:
        """End the process at once and wait until it is gone. Not while a `fit` is under way."""
        self.kill()
        await asyncio.shield(self._reap())

    async def _reap(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        # A full pipe would keep the transport open: read what is left of it.
        if self._process.stdout is not None:
            while await self._process.stdout.read(_CHUNK):
                pass
        await self._process.wait()

    async def _send(self, order: FitOrder, data: bytes) -> None:
        stdin = self._process.stdin
        if stdin is None:
            raise BrokenStream
        stdin.write(pack(order, len(data)))
        view = memoryview(data)
        for start in range(0, len(view), _CHUNK):
            stdin.write(view[start : start + _CHUNK])
            await stdin.drain()

    async def _receive(self, *, max_payload: int) -> tuple[Reply, bytes]:
        prefix = await self._read(PREFIX.size)
        header_size, payload_size = unpack_prefix(prefix, max_payload=max_payload)
        reply = parse_reply(await self._read(header_size))
        return reply, await self._read(payload_size)

    async def _read(self, size: int) -> bytes:
        stdout = self._process.stdout
        if stdout is None:
            raise BrokenStream
        chunks: list[bytes] = []
        while size > 0:
            chunk = await stdout.read(min(size, _CHUNK))
            if not chunk:
                raise BrokenStream
            chunks.append(chunk)
            size -= len(chunk)
        if len(chunks) <= 1:
            return b"".join(chunks)
        # Joining megabytes takes milliseconds, and lets other threads run meanwhile.
        return await asyncio.to_thread(b"".join, chunks)


def _reason(name: str) -> Reason:
    try:
        return Reason(name)
    except ValueError:
        return Reason.DAMAGED
