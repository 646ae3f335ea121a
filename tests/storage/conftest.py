"""One database for each test, on each engine that the bot supports."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.storage import open_database
from sandbox.postgres import PostgresServer, programs
from tests.storage.books import Books, StillClock, open_books, sqlite_url

ENGINES = ["sqlite", "postgresql"]


def skip_without_postgres() -> None:
    """Skip the test where no PostgreSQL is installed; in .ci/run that is a failure."""
    if programs() is not None:
        return
    reason = "no PostgreSQL on this machine (Debian: apt install postgresql)"
    if os.environ.get("REQUIRE_POSTGRES") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server for all tests that do no harm to it."""
    skip_without_postgres()
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgres: PostgresServer) -> str:
    """A database that every test's own is a copy of: migrating each anew takes longer."""
    name = postgres.create()

    async def make() -> None:
        async with open_database(postgres.url(name), clock=StillClock()):
            pass

    asyncio.run(make())
    return name


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Which database the test uses."""
    return str(request.param)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, engine: str, tmp_path: Path) -> str:
    """The URL of a database that holds nothing, or of a file that is not there yet."""
    if engine == "sqlite":
        return sqlite_url(tmp_path)
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.url(server.create(request.getfixturevalue("migrated")))


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, engine: str, tmp_path: Path) -> str:
    """The URL of a database without any table."""
    if engine == "sqlite":
        return sqlite_url(tmp_path)
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.url(server.create())


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    """A migrated database with one living process; its books are audited when the test ends."""
    async with open_books(database_url) as opened:
        yield opened
