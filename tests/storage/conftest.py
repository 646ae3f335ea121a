"""One database for each test, on each engine that the bot supports."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.storage.books import Books, open_books, sqlite_url

ENGINES = ["sqlite"]


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that does not exist yet."""
    assert request.param == "sqlite"
    return sqlite_url(tmp_path)


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    """A migrated database with one living process; its books are audited when the test ends."""
    async with open_books(database_url) as opened:
        yield opened
