"""A local ImageRouter and a client for it; a raw socket server for HTTP that no library would write."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from bot.imagerouter import ImageRouter, Limits
from sandbox.clock import SandboxClock
from sandbox.imagerouter import ImageRouterServer

RawServer = Callable[
    [Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]], Awaitable[str]
]


@pytest.fixture
def clock() -> SandboxClock:
    return SandboxClock()


@pytest.fixture
async def server(clock: SandboxClock) -> AsyncIterator[ImageRouterServer]:
    async with ImageRouterServer(clock, requests_per_second=None, heartbeat_s=0.05) as running:
        yield running


@pytest.fixture
async def router(server: ImageRouterServer) -> AsyncIterator[ImageRouter]:
    async with ImageRouter(
        api_key=server.api_key,
        base_url=server.base_url,
        popular_url=server.popular_url,
        requests_per_second=None,
        limits=Limits(connect_s=5, idle_s=5, total_s=20, question_s=10),
    ) as client:
        yield client


@pytest.fixture
async def raw_server() -> AsyncIterator[RawServer]:
    """Start servers that speak for themselves; give back each one's base URL."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(
            talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
        ) -> str:
            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                    await talk(reader, writer)
                writer.close()
                with contextlib.suppress(ConnectionError):
                    await writer.wait_closed()

            running = await asyncio.start_server(serve, "127.0.0.1", 0)
            await stack.enter_async_context(running)
            return f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}"

        yield start
