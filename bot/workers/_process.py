"""The bot's end of one worker: start it, feed it, and be rid of it.

Bytes go through the pipes in small pieces, so that the event loop is never held up by many.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

from bot.workers._frames import PIECE, PREFIX, BrokenStream, unpack_prefix

if sys.platform == "win32":
    _NEW_GROUP: Final = subprocess.CREATE_NEW_PROCESS_GROUP
else:
    _NEW_GROUP: Final = 0

_KEPT_ENVIRONMENT: Final = ("PATH", "SYSTEMROOT", "HOME", "FONTCONFIG_PATH", "FONTCONFIG_FILE")
_ROOT: Final = Path(__file__).resolve().parents[2]
_NOTHING_MORE: Final[Mapping[str, str]] = MappingProxyType({})


class WorkerEnded(Exception):
    """The process did not start, broke off, or was killed because it took too long."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(f"exit code {exit_code}")
        self.exit_code = exit_code


class WorkerProcess:
    """One running worker. It serves one order at a time and is worth nothing after a failure."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(
        cls, module: str, *, timeout_s: float, environment: Mapping[str, str] = _NOTHING_MORE
    ) -> Self:
        """Run a module as a worker, and wait for the empty frame that says it is ready.

        Raises:
            WorkerEnded: it did not start, or was not ready within `timeout_s` seconds.
        """
        # No secret of the bot's environment goes to where hostile bytes are read.
        kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-s", "-P", "-m", module),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=PIECE,
                env={**kept, **environment, "PYTHONPATH": str(_ROOT)},
                cwd=_ROOT.anchor,
                # Ctrl-C in a terminal is for the bot, which still waits for its sent jobs.
                start_new_session=sys.platform != "win32",
                creationflags=_NEW_GROUP,
            )
        except OSError as error:
            raise WorkerEnded(None) from error
        worker = cls(process)
        async with worker.order(timeout_s=timeout_s):
            await worker.receive(max_payload=0)
        return worker

    @property
    def usable(self) -> bool:
        """Whether it can take another order."""
        return self._process.returncode is None

    @contextlib.asynccontextmanager
    async def order(self, *, timeout_s: float) -> AsyncIterator[None]:
        """Within this, one order is sent and its answer read, in at most `timeout_s` seconds.

        Whatever goes wrong, cancellation included, ends the process: a worker in the middle of an
        order can't be used for another.

        Raises:
            WorkerEnded: it broke off, or took too long.
        """
        try:
            async with asyncio.timeout(timeout_s):
                yield
        # The pipes fail with a ConnectionError; another OSError is that of a file of ours.
        except (BrokenStream, TimeoutError, ConnectionError) as error:
            await self.stop()
            raise WorkerEnded(self._process.returncode) from error
        except BaseException:
            await self.stop()
            raise

    async def send(self, piece: bytes | memoryview) -> None:
        """Send the next bytes of a frame."""
        stdin = self._process.stdin
        if stdin is None:
            raise BrokenStream
        stdin.write(piece)
        await stdin.drain()

    async def receive(self, *, max_payload: int) -> tuple[bytes, int]:
        """Return the next frame's header, and how many bytes of payload there are to read."""
        prefix = await self._read(PREFIX.size)
        header_size, payload_size = unpack_prefix(prefix, max_payload=max_payload)
        return await self._read(header_size), payload_size

    async def payload(self, size: int) -> AsyncGenerator[bytes, None]:
        """Yield the `size` bytes that follow a header, in pieces."""
        left = size
        while left > 0:
            piece = await self._read_some(left)
            left -= len(piece)
            yield piece

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
