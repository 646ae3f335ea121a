"""The web server: `/healthz`, and the pages that it is given.

`/healthz` tells whether this process can do its work, for containers and monitors: 200 when Discord
is connected and the ledger answers, else 503; the JSON body names which. Public pages share the
prefix `/p/`, so that a reverse proxy needs one rule.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from aiohttp import web

from bot.web.guard import guard, harden

Health: TypeAlias = Callable[[], Awaitable[Mapping[str, bool]]]
"""Says of each part by name whether it works."""

_SECONDS: Final = 5.0
_UNAVAILABLE: Final = 503


@asynccontextmanager
async def serve(
    health: Health, *, host: str, port: int, pages: Iterable[web.RouteDef] = ()
) -> AsyncIterator[int]:
    """Serve for the block; gives the port (which matters where `port` is 0).

    Raises:
        OSError: the port is taken.
    """

    async def healthz(_: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(_SECONDS):
                parts = dict(await health())
        except TimeoutError:
            parts = {"in_time": False}
        well = all(parts.values())
        return web.json_response({"ok": well, **parts}, status=200 if well else _UNAVAILABLE)

    app = web.Application(middlewares=[guard])
    app.on_response_prepare.append(harden)
    app.router.add_get("/healthz", healthz)
    app.add_routes(pages)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
