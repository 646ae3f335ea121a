"""`/healthz`: whether this process can do its work, for containers and monitors.

200 when Discord is connected and the ledger answers, else 503; the JSON body names which.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from aiohttp import web

Health: TypeAlias = Callable[[], Awaitable[Mapping[str, bool]]]
"""Says of each part by name whether it works."""

_SECONDS: Final = 5.0
_UNAVAILABLE: Final = 503


@asynccontextmanager
async def serve(health: Health, *, host: str, port: int) -> AsyncIterator[int]:
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

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
