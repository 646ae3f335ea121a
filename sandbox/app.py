"""The sandbox as people start it: local servers, the page, and the unmodified bot on top.

`python -m bot sandbox` ends here. The bot is built by `bot.graph` exactly as for Discord; only the
addresses it talks to, its database and its clock are the sandbox's own.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from bot.app import Say, live, other_port, reason, settled, web_server
from bot.errors import LedgerUnavailable
from bot.graph import build
from bot.ground import Parts, StartRefused
from bot.settings import EXIT_CONFIG, Settings
from bot.storage import StorageError
from sandbox.clock import SandboxClock
from sandbox.discord import DiscordServer, connect_discord_py
from sandbox.imagerouter import ImageRouterServer
from sandbox.page import PageServer

DATABASE: Final = "sqlite:///data/sandbox.db"
"""Never the real bot's database."""
REAL_MODELS: Final = Path("data/sandbox.real-models.json")
"""The real ImageRouter's models, apart from the invented: after one list no other is believed."""
DM_DAILY: Final = 500_000
"""What one person may spend a day in direct messages where nothing is set (micro-USD)."""
DEFAULT_MODEL: Final = "black-forest-labs/FLUX-1-schnell"
"""Where none is set: one that draws the prompt, unlike the fixed picture of `test/test`."""
LATENCY_MS: Final = 1_500
"""Long enough to see how a person waits."""


@dataclass(frozen=True, slots=True)
class Servers:
    """The other ends of the bot's sockets; `imagerouter` is None when the real one is used."""

    clock: SandboxClock
    discord: DiscordServer
    imagerouter: ImageRouterServer | None

    def settings_for(self, settings: Settings, *, database_url: str) -> Settings:
        """`settings`, turned to these servers."""
        turned = replace(
            settings,
            discord_token=self.discord.token,
            database_url=database_url,
            operator_ids=(),
            default_dm_daily=DM_DAILY
            if settings.default_dm_daily is None
            else settings.default_dm_daily,
            secret_key="",
            shard_ids=(),
            shard_count=None,
        )
        if self.imagerouter is None:
            return turned
        return replace(
            turned,
            imagerouter_api_key=self.imagerouter.api_key,
            imagerouter_base_url=self.imagerouter.base_url,
            imagerouter_popular_url=self.imagerouter.popular_url,
        )


@asynccontextmanager
async def servers(*, real_imagerouter: bool = False, latency_ms: int = 0) -> AsyncIterator[Servers]:
    """Start the local servers, and point discord.py at them, for the block.

    `latency_ms` is what the local ImageRouter's providers take.
    """
    clock = SandboxClock()
    openapi = os.environ.get("DISCORD_OPENAPI")
    async with DiscordServer(clock, openapi_path=Path(openapi) if openapi else None) as discord:
        with connect_discord_py(discord):
            if real_imagerouter:
                yield Servers(clock, discord, None)
                return
            async with ImageRouterServer(clock, latency_ms=latency_ms) as imagerouter:
                yield Servers(clock, discord, imagerouter)


async def run_sandbox(settings: Settings, *, stop: asyncio.Event, say: Say) -> int:
    """Run the sandbox until `stop` is set; returns the exit code."""
    real = settings.sandbox_real_imagerouter
    if real and not settings.imagerouter_api_key:
        say("SANDBOX_REAL_IMAGEROUTER=1 needs IMAGEROUTER_API_KEY as well.")
        return EXIT_CONFIG
    try:
        async with servers(real_imagerouter=real, latency_ms=LATENCY_MS) as local:
            own = local.settings_for(
                replace(
                    settings,
                    default_model=settings.default_model or (None if real else DEFAULT_MODEL),
                ),
                database_url=DATABASE,
            )
            own = with_web(own)
            models = REAL_MODELS if real else None
            parts = Parts(clock=local.clock, models=models, guild_ready_timeout=0)
            async with (
                _page(local, port=settings.sandbox_port, real=real) as page,
                build(own, parts) as bot,
                web_server(own, bot),
            ):

                async def announce() -> None:
                    await settled(bot)
                    say(f"Sandbox ready: {page.url}")

                await live(bot, stop=stop, say=say, announce=announce)
    except (StorageError, LedgerUnavailable) as error:
        say(str(error))
        return EXIT_CONFIG
    except StartRefused as error:
        say(str(error))
        return error.exit_code
    return 0


def with_web(settings: Settings) -> Settings:
    """Let the bot serve its pages on a free port of this machine, where nothing else is set."""
    if settings.http_port is not None or settings.public_url is not None:
        return settings
    return replace(settings, http_host="127.0.0.1", http_port=0, public_url="http://127.0.0.1:0")


@asynccontextmanager
async def _page(local: Servers, *, port: int, real: bool) -> AsyncIterator[PageServer]:
    page = PageServer(
        local.discord, local.imagerouter, local.clock, port=port, real_imagerouter=real
    )
    try:
        await page.__aenter__()
    except OSError as error:
        raise StartRefused(
            f"Port {port} can't be used ({reason(error)}): choose another one, such as "
            f"SANDBOX_PORT={other_port(port)}."
        ) from error
    try:
        yield page
    finally:
        await page.__aexit__(None, None, None)
