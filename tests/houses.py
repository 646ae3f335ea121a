"""A house for one test: whatever happens in it, Discord's rules have been kept when it closes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.delivery import Patience
from sandbox.house import IMPATIENT, House
from tests.migrated import write_migrated


@asynccontextmanager
async def strict_house(
    folder: Path,
    *,
    environ: dict[str, str] | None = None,
    start: bool = True,
    patience: Patience = IMPATIENT,
) -> AsyncIterator[House]:
    """A house; the bot that starts in it finds the empty books of an earlier start."""
    books = folder / "bot.db"
    if start and not books.exists():
        write_migrated(books)
    async with House(folder, environ=environ, start=start, patience=patience) as opened:
        yield opened
        assert opened.discord.openapi_problems == []
