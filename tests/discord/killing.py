"""Bots that are processes of their own, and are killed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sandbox.child import Child
from sandbox.house import House


@asynccontextmanager
async def doomed(house: House, folder: Path, **environ: str) -> AsyncIterator[Child]:
    """A bot that is killed at the end of the block."""
    async with Child(house.servers, folder, environ=environ) as child:
        await house.discord.wait_for_bot(20)
        yield child
    await house.discord.wait_until_bot_is_gone()
