"""Servers that speak for themselves: for HTTP that no library would write."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

Talk: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""One connection, from its first byte until it is closed."""

RawServer: TypeAlias = Callable[[Talk], Awaitable[str]]
"""Starts a server that talks so, and gives its base URL."""


@contextlib.asynccontextmanager
async def raw_servers() -> AsyncIterator[RawServer]:
    """Start any number of servers on 127.0.0.1, and stop them at the end."""
    open_connections: set[asyncio.Task[None]] = set()

    async def start(talk: Talk) -> str:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await talk(reader, writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.get_running_loop().create_task(serve(reader, writer))
            open_connections.add(task)
            task.add_done_callback(open_connections.discard)

        running = await asyncio.start_server(accept, "127.0.0.1", 0)
        await stack.enter_async_context(running)
        return f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}"

    async with contextlib.AsyncExitStack() as stack:
        try:
            yield start
        finally:
            for task in tuple(open_connections):
                task.cancel()
            await asyncio.gather(*open_connections, return_exceptions=True)
