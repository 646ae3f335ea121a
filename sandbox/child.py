"""The real bot in a process of its own, against local servers: `python -m sandbox.child ADDRESSES`.

Turns discord.py to the addresses (a JSON object with `rest`, `gateway` and `cdn`) and then is the
command line of `bot`, so that signals, exit codes and `kill -9` can be tried on what users run.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from discord.asset import Asset
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from sandbox.app import Servers

ROOT: Final = Path(__file__).resolve().parents[1]


class Child:
    """A bot process; its output is collected line by line in a file."""

    def __init__(
        self,
        servers: Servers,
        folder: Path,
        *,
        environ: dict[str, str] | None = None,
        command: Sequence[str] = ("run",),
    ) -> None:
        """`folder` is its working directory and holds its database and its output."""
        self.log = folder / "output.txt"
        discord = servers.discord
        addresses = {
            "rest": discord.rest_url,
            "gateway": discord.gateway_url,
            "cdn": discord.cdn_url,
        }
        settings = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(ROOT),
            "DISCORD_TOKEN": discord.token,
            "DATABASE_URL": f"sqlite:///{folder / 'bot.db'}",
        }
        if servers.imagerouter is not None:
            settings |= {
                "IMAGEROUTER_API_KEY": servers.imagerouter.api_key,
                "IMAGEROUTER_BASE_URL": servers.imagerouter.base_url,
                "IMAGEROUTER_POPULAR_URL": servers.imagerouter.popular_url,
            }
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own module, no shell
                [sys.executable, "-m", "sandbox.child", json.dumps(addresses), *command],
                cwd=folder,
                env=settings | (environ or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """End it at once, as `kill -9` does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


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
