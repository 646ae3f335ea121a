"""The real bot in a process of its own, against local servers: `python -m sandbox.child ADDRESSES`.

Turns discord.py to the addresses (a JSON object with `rest`, `gateway` and `cdn`) and then is the
command line of `bot`, so that signals, exit codes and `kill -9` can be tried on what users run.
"""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from discord.asset import Asset
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from sandbox.app import Servers
from sandbox.discord.signals import Signal

ROOT: Final = Path(__file__).resolve().parents[1]
_PATIENCE_S: Final = 20
_LONGEST_LINE: Final = 2**20


class Program:
    """A process of this project's Python; its lines are collected as they come.

    `async with` starts it, and kills it when it still runs at the end of the block.
    """

    def __init__(self, arguments: Sequence[str], folder: Path, environ: Mapping[str, str]) -> None:
        """`folder` is its working directory; of our own environment it sees nothing but PATH."""
        self._arguments = arguments
        self._folder = folder
        self._environ = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(ROOT),
            **environ,
        }
        self._process: Process | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._signal = Signal()
        self._open_pipes = 2
        self.lines: list[str] = []
        """Everything it printed, in order."""
        self.errors: list[str] = []
        """What of it went to standard error, which is its log."""

    async def __aenter__(self) -> Self:
        """Start it."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self._arguments,
            cwd=self._folder,
            env=self._environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            limit=_LONGEST_LINE,
        )
        streams = ((self._process.stdout, False), (self._process.stderr, True))
        self._readers = [
            asyncio.create_task(self._read(stream, is_log=is_log))
            for stream, is_log in streams
            if stream is not None
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Kill it if it still runs."""
        await self.kill()

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return "\n".join(self.lines)

    @property
    def troubles(self) -> list[str]:
        """Warnings, errors and traces in its log."""
        return [line for line in self.errors if " INFO " not in line]

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._running.send_signal(number)

    async def printed(self, text: str, timeout: float = _PATIENCE_S) -> str:
        """Wait for a line that contains `text`, and return it.

        Raises TimeoutError with what was printed instead, also when the process has ended.
        """

        def look() -> str | None:
            found = next((line for line in self.lines if text in line), None)
            return "" if found is None and not self._open_pipes else found

        line = await self._signal.until(look, timeout=timeout, complain=self._complain(text))
        if not line:
            raise TimeoutError(self._complain(text)())
        return line

    async def ended(self, timeout: float = _PATIENCE_S) -> int:
        """Wait until it has ended by itself; returns the exit code, negative for a signal."""
        async with asyncio.timeout(timeout):
            code = await self._running.wait()
            await asyncio.gather(*self._readers)
        return code

    async def kill(self) -> None:
        """End it at once, as `kill -9` does."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        await self.ended()

    @property
    def _running(self) -> Process:
        if self._process is None:
            raise RuntimeError("the program was not started")
        return self._process

    async def _read(self, stream: asyncio.StreamReader, *, is_log: bool) -> None:
        async for raw in stream:
            line = raw.decode(errors="replace").rstrip("\n")
            self.lines.append(line)
            if is_log:
                self.errors.append(line)
            self._signal.fire()
        self._open_pipes -= 1
        self._signal.fire()

    def _complain(self, text: str) -> Callable[[], str]:
        return lambda: f"no line with {text!r} in this output:\n{self.output}"


class Child(Program):
    """The bot's command line, turned to local servers."""

    def __init__(
        self,
        servers: Servers,
        folder: Path,
        *,
        environ: Mapping[str, str] | None = None,
        command: Sequence[str] = ("run",),
    ) -> None:
        """`folder` is its working directory and holds its database."""
        discord = servers.discord
        addresses = {
            "rest": discord.rest_url,
            "gateway": discord.gateway_url,
            "cdn": discord.cdn_url,
        }
        settings = {
            "DISCORD_TOKEN": discord.token,
            "DATABASE_URL": f"sqlite:///{folder / 'bot.db'}",
        }
        if servers.imagerouter is not None:
            settings |= {
                "IMAGEROUTER_API_KEY": servers.imagerouter.api_key,
                "IMAGEROUTER_BASE_URL": servers.imagerouter.base_url,
                "IMAGEROUTER_POPULAR_URL": servers.imagerouter.popular_url,
            }
        arguments = ["-m", "sandbox.child", json.dumps(addresses), *command]
        super().__init__(arguments, folder, settings | dict(environ or {}))


def _main(arguments: list[str]) -> int:
    addresses, *command = arguments
    given: dict[str, str] = json.loads(addresses)
    Route.BASE = given["rest"]
    DiscordWebSocket.DEFAULT_GATEWAY = URL(given["gateway"])
    Asset.BASE = given["cdn"]
    from bot.__main__ import main

    return main(command)


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
