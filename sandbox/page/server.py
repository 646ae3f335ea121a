"""The page's own little web server: static files, one event stream, and the actions.

It is for the person at this machine only: it listens on loopback, answers only requests addressed
to a loopback name (so that no foreign site reaches it by rebinding its DNS name), and acts only for
its own pages (Origin). The page may load nothing from elsewhere but the sandbox's pictures.
"""

import asyncio
import hashlib
import mimetypes
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from aiohttp import web
from yarl import URL

from sandbox.clock import SandboxClock
from sandbox.discord import DiscordServer
from sandbox.discord.places import JsonObject
from sandbox.imagerouter import ImageRouterServer
from sandbox.page.actions import Actions, RefusedError
from sandbox.page.stream import Stream

_STATIC: Final = Path(__file__).with_name("static")
_LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_LARGEST_FORM: Final = 300 * 1024 * 1024
"""Bytes: sixteen pictures of the largest size that a person may send, and some room."""

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class _Asset:
    """One file of the page, kept in memory."""

    body: bytes = field(repr=False)
    media_type: str
    etag: str


class PageServer:
    """Serves the page on 127.0.0.1; an async context manager.

    With `real_imagerouter` the page warns in red that pictures cost money.
    """

    def __init__(
        self,
        discord: DiscordServer,
        imagerouter: ImageRouterServer | None,
        clock: SandboxClock,
        *,
        port: int,
        real_imagerouter: bool = False,
    ) -> None:
        self._discord = discord
        self._clock = clock
        self._port = port
        self._real = real_imagerouter
        self._boot = secrets.token_hex(8)
        self._actions = Actions(discord, clock)
        self._assets: dict[str, _Asset] = {}
        self._streams: set[Stream] = set()
        self._imagerouter = imagerouter
        self._policy = ""
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where the page is: `http://127.0.0.1:PORT/`."""
        return f"http://127.0.0.1:{self._port}/"

    async def __aenter__(self) -> Self:
        """Listen. Raises OSError when the port is taken."""
        self._assets = await asyncio.to_thread(_read_assets)
        pictures = [URL(self._discord.cdn_url)]
        if self._imagerouter is not None:
            pictures.append(URL(self._imagerouter.base_url))
        self._policy = _content_security_policy(pictures)
        app = web.Application(middlewares=[self._guard], client_max_size=_LARGEST_FORM)
        app.add_routes(
            [
                web.get("/", self._static),
                web.get("/static/{name}", self._static),
                web.get("/api/events", self._events),
                *self._actions.routes(),
            ]
        )
        app.on_shutdown.append(self._close_streams)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        self._runner = runner
        try:
            site = web.TCPSite(runner, "127.0.0.1", self._port)
            await site.start()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        self._port = int(runner.addresses[0][1])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close every connection and stop."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _static(self, request: web.Request) -> web.Response:
        asset = self._assets.get(request.match_info.get("name", "index.html"))
        if asset is None:
            raise web.HTTPNotFound
        headers = {"ETag": asset.etag, "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == asset.etag:
            return web.Response(status=304, headers=headers)
        return web.Response(
            body=asset.body, content_type=asset.media_type, charset="utf-8", headers=headers
        )

    async def _events(self, request: web.Request) -> web.StreamResponse:
        stream = Stream(
            self._discord,
            self._clock,
            self._actions.person(request.query.get("person", "")),
            about=self._about,
        )
        self._streams.add(stream)
        try:
            return await stream.serve(request)
        finally:
            self._streams.discard(stream)

    async def _close_streams(self, _app: web.Application) -> None:
        for stream in self._streams:
            stream.close()

    def _about(self) -> JsonObject:
        return {"boot": self._boot, "real": self._real}

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not _is_loopback(request.host):
            return web.Response(status=421, text="This page is for this machine only.")
        acts = request.method != "GET" or request.path == "/api/events"
        if acts and request.headers.get("Origin") != f"http://{request.host}":
            return web.Response(status=403, text="Only the sandbox's own page may do this.")
        try:
            response = await handler(request)
        except RefusedError as refusal:
            response = web.json_response({"error": str(refusal)}, status=409)
        if not response.prepared:
            response.headers.update(
                {
                    "Content-Security-Policy": self._policy,
                    "X-Content-Type-Options": "nosniff",
                    "Referrer-Policy": "no-referrer",
                    "Cross-Origin-Opener-Policy": "same-origin",
                    "Cross-Origin-Resource-Policy": "same-origin",
                }
            )
        return response


def _read_assets() -> dict[str, _Asset]:
    assets = {}
    for path in sorted(_STATIC.iterdir()):
        body = path.read_bytes()
        kind = "text/javascript" if path.suffix == ".js" else mimetypes.guess_type(path.name)[0]
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        assets[path.name] = _Asset(body, kind or "application/octet-stream", etag)
    return assets


def _is_loopback(host: str) -> bool:
    try:
        return URL(f"http://{host}").host in _LOOPBACK_NAMES
    except ValueError:
        return False


def _content_security_policy(pictures: list[URL]) -> str:
    origins = " ".join(str(url.origin()) for url in pictures)
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' blob: {origins}",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )
