"""The local Discord as one HTTP server: REST, gateway and CDN on a port of 127.0.0.1."""

import base64
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from aiohttp import web
from discord.asset import Asset
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL

from sandbox.clock import SandboxClock
from sandbox.discord import (
    routes_application,
    routes_interactions,
    routes_messages,
    routes_places,
)
from sandbox.discord.cdn_routes import CdnRoutes
from sandbox.discord.connection import Connection
from sandbox.discord.core import Core
from sandbox.discord.faults import Faults
from sandbox.discord.front import Front, RecordedRequest
from sandbox.discord.messages import UploadedFile
from sandbox.discord.people import Person
from sandbox.discord.places import User
from sandbox.discord.town import default_world
from sandbox.discord.world import World

_HOST: Final = "127.0.0.1"
_GOING_AWAY: Final = 1001
_BIGGEST_REQUEST: Final = 256 * 1024 * 1024
"""Bytes; far above Discord's limits, which are answered as Discord does."""
_SHUTDOWN_S: Final = 2.0


class DiscordServer:
    """A local Discord; an async context manager."""

    def __init__(
        self,
        clock: SandboxClock,
        *,
        world: World | None = None,
        openapi_path: Path | None = None,
        port: int = 0,
    ) -> None:
        """Prepare a server; nothing listens yet.

        `world` defaults to `default_world(clock)`; another application goes in with it. Port 0
        takes any free one. With `openapi_path`, every body is checked against Discord's file.
        """
        self.world = world or default_world(clock)
        self.token = _make_token(self.world.application.id)
        """The only bot token that is accepted."""
        self.core = Core(clock, self.world, token=self.token, openapi_path=openapi_path)
        self.faults = Faults(
            close_gateway=self.core.gateway.close_all, drop_gateway=self.core.gateway.drop_all
        )
        self._front = Front(self.core, self.faults)
        self._files = CdnRoutes(self.core.cdn, self.world.stickers, self.faults)
        self._wanted_port = port
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def __aenter__(self) -> Self:
        """Listen. Raises OSError when the port is in use."""
        app = web.Application(client_max_size=_BIGGEST_REQUEST)
        self._front.register(
            app,
            [
                *routes_application.routes(),
                *routes_places.routes(),
                *routes_messages.routes(),
                *routes_interactions.routes(),
            ],
        )
        app.router.add_get("/gateway", self._gateway)
        app.router.add_routes(self._files.routes())
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, _HOST, self._wanted_port).start()
        except OSError:
            await runner.cleanup()
            self.core.close()
            raise
        self._runner = runner
        self.port = int(runner.addresses[0][1])
        self.core.gateway.url = self.gateway_url
        self.core.cdn.base_url = self.cdn_url
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close every connection and stop."""
        self.faults.clear()
        self.core.gateway.close_all(_GOING_AWAY)
        self.core.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def rest_url(self) -> str:
        """`http://127.0.0.1:PORT/api/v10`."""
        return f"http://{_HOST}:{self.port}/api/v10"

    @property
    def gateway_url(self) -> str:
        """`ws://127.0.0.1:PORT/gateway`."""
        return f"ws://{_HOST}:{self.port}/gateway"

    @property
    def cdn_url(self) -> str:
        """`http://127.0.0.1:PORT/cdn`."""
        return f"http://{_HOST}:{self.port}/cdn"

    @property
    def requests(self) -> list[RecordedRequest]:
        """What the bot sent and how it was answered, oldest first (the last ten thousand)."""
        return self._front.requests

    @property
    def fetched(self) -> list[str]:
        """The paths of files that anybody asked for, `/cdn/...`, oldest first."""
        return self._files.fetched

    def publish(self, url: str, file: UploadedFile) -> None:
        """Let there be a picture at an address of the web, for links and others' embeds.

        Nothing serves it there; Discord's media proxy shows it.
        """
        self.core.cdn.publish(url, file)

    @property
    def openapi_problems(self) -> list[str]:
        """Where bodies departed from Discord's OpenAPI file; such requests were refused."""
        return self.core.openapi_problems

    @property
    def rate_limits(self) -> bool:
        """Whether rate limits are enforced."""
        return self.core.limits.enforced

    @rate_limits.setter
    def rate_limits(self, enforced: bool) -> None:
        self.core.limits.enforced = enforced

    @property
    def acknowledge_within(self) -> float:
        """Seconds that the bot has for the first answer to an interaction: 3, or less in tests."""
        return self.core.desk.acknowledge_within

    @acknowledge_within.setter
    def acknowledge_within(self, seconds: float) -> None:
        self.core.desk.acknowledge_within = seconds

    @property
    def heartbeat_interval_ms(self) -> int:
        """What HELLO tells new gateway connections; who is silent much longer is cut off."""
        return self.core.gateway.heartbeat_interval_ms

    @heartbeat_interval_ms.setter
    def heartbeat_interval_ms(self, milliseconds: int) -> None:
        self.core.gateway.heartbeat_interval_ms = milliseconds

    def person(self, who: str | User) -> Person:
        """Return a person's client, by username (`mira`, `theo`, `ada`, `oskar`) or user."""
        return Person(self.core, self.world.user(who) if isinstance(who, str) else who)

    async def wait_for_request(
        self, pattern: str, timeout: float = 10, *, count: int = 1
    ) -> RecordedRequest:
        """Wait for the `count`-th answered request that fits a pattern (see `Faults`).

        Past requests count. Raises TimeoutError with the requests that came instead.
        """
        return await self._front.wait_for_request(pattern, timeout=timeout, count=count)

    async def wait_for_bot(self, timeout: float = 10) -> None:
        """Wait until a gateway session is ready (TimeoutError)."""
        await self.core.gateway.wait_until_online(timeout)

    async def wait_until_bot_is_gone(self, timeout: float = 10) -> None:
        """Wait until no bot is connected to the gateway (TimeoutError)."""
        await self.core.gateway.wait_until_offline(timeout)

    async def _gateway(self, request: web.Request) -> web.StreamResponse:
        return await Connection(self.core.gateway, request).run()


@contextmanager
def connect_discord_py(server: DiscordServer) -> Iterator[None]:
    """Point discord.py at `server` while the block runs (three class attributes)."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, Asset.BASE
    Route.BASE = server.rest_url
    DiscordWebSocket.DEFAULT_GATEWAY = URL(server.gateway_url)
    Asset.BASE = server.cdn_url
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY, Asset.BASE = before


def _make_token(application_id: int) -> str:
    """Return a token of the shape that Discord's have: the bot's id in base64, then noise."""
    name = base64.urlsafe_b64encode(str(application_id).encode()).decode().rstrip("=")
    return f"{name}.sandbox.{secrets.token_urlsafe(24)}"
