"""A local ImageRouter and a client for it; raw servers for HTTP that no library would write."""

from collections.abc import AsyncIterator

import pytest

from bot.imagerouter import ImageRouter, Limits
from sandbox.clock import SandboxClock
from sandbox.imagerouter import ImageRouterServer
from sandbox.imagerouter.wire import RawServer, raw_servers


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
    async with raw_servers() as start:
        yield start
