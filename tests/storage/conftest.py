"""One database for each test, on each engine that the bot supports."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot.storage import open_database, sqlite_path
from sandbox.postgres import PostgresServer
from tests.migrated import write_migrated
from tests.storage.books import Books, StillClock, open_books, sqlite_url

ENGINES = ["sqlite", "postgresql"]
MOST_USED = 16
"""So many databases may be left over, each of 8 MB in memory."""


@pytest.fixture(scope="session")
def migrated(postgres: PostgresServer) -> str:
    """A database that every test's own is a copy of: migrating each anew takes longer."""
    name = postgres.create()

    async def make() -> None:
        async with open_database(postgres.url(name), clock=StillClock()):
            pass

    asyncio.run(make())
    return name


@pytest.fixture(scope="session")
def used(postgres: PostgresServer) -> list[str]:
    """Databases that no test needs any more: to delete many at once is quicker."""
    return []


@pytest.fixture
def databases(postgres: PostgresServer, used: list[str]) -> Iterator[Callable[[str], str]]:
    """Makes copies of a database of the server for one test."""
    made: list[str] = []

    def copy(template: str) -> str:
        made.append(postgres.create(template))
        return made[-1]

    yield copy
    used += made
    if len(used) > MOST_USED:
        postgres.drop(*used)
        used.clear()


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Which database the test uses."""
    return str(request.param)


@pytest.fixture
def new_url(request: pytest.FixtureRequest, engine: str, tmp_path: Path) -> Callable[[], str]:
    """Makes the URL of a migrated database."""
    if engine == "sqlite":
        numbers = count()

        def copied() -> str:
            folder = tmp_path / f"database-{next(numbers)}"
            folder.mkdir()
            write_migrated(folder / "bot.db")
            return sqlite_url(folder)

        return copied
    server: PostgresServer = request.getfixturevalue("postgres")
    databases: Callable[[str], str] = request.getfixturevalue("databases")
    template: str = request.getfixturevalue("migrated")
    return lambda: server.url(databases(template))


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, engine: str, tmp_path: Path) -> Callable[[], str]:
    """Makes the URL of a database without any table."""
    if engine == "sqlite":
        numbers = count()
        return lambda: sqlite_url(tmp_path / f"empty-{next(numbers)}")
    server: PostgresServer = request.getfixturevalue("postgres")
    databases: Callable[[str], str] = request.getfixturevalue("databases")
    return lambda: server.url(databases("template1"))


@pytest.fixture
def outside(request: pytest.FixtureRequest, engine: str) -> Callable[[str, str], list[str]]:
    """Runs a statement on a database without the bot; returns rows, their columns joined by |."""

    def on_sqlite(url: str, sql: str) -> list[str]:
        path = sqlite_path(url)
        assert path is not None
        with closing(sqlite3.connect(path)) as connection, connection:
            return ["|".join(map(str, row)) for row in connection.execute(sql)]

    if engine == "sqlite":
        return on_sqlite
    server: PostgresServer = request.getfixturevalue("postgres")
    return lambda url, sql: server.run(sql, database=urlsplit(url).path[1:])


@pytest.fixture
def database_url(new_url: Callable[[], str]) -> str:
    """The URL of a database that nobody else uses."""
    return new_url()


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    """A migrated database with one living process; its books are audited when the test ends."""
    async with open_books(database_url) as opened:
        yield opened
