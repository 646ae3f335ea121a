"""The bot's own migrations, on SQLite: from every earlier version, with data in every table."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bot.storage import open_database
from bot.storage.migrate import MIGRATIONS, load
from tests.storage.books import StillClock, open_books, sqlite_url
from tests.storage.test_migrate import KILLED, ROOT

NEWEST = len(load(MIGRATIONS))
EARLIER = range(1, NEWEST)
TEXTS = {"state": "settled", "delivery": "open"}
"""For columns that take certain words only; others get their own name."""

Rows = dict[str, list[tuple[object, ...]]]


def migrations_until(version: int, folder: Path) -> Path:
    """Copy the first migrations to a folder of their own."""
    folder.mkdir()
    for file in sorted(MIGRATIONS.glob("*.sql"))[:version]:
        shutil.copy(file, folder)
    return folder


@contextmanager
def raw(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file)) as connection, connection:
        yield connection


def tables(connection: sqlite3.Connection) -> list[str]:
    sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'migration'"
    return sorted(row[0] for row in connection.execute(sql))


def fill(connection: sqlite3.Connection) -> None:
    """Put a row into each table. Every number is 1, so that each row refers to the others."""
    for table in tables(connection):
        values: list[object] = []
        for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table})"):
            text: dict[str, object] = {"TEXT": TEXTS.get(name, name), "BYTEA": b"\x00\xff"}
            values.append(text.get(kind, 1))
        marks = ", ".join("?" * len(values))
        connection.execute(f"INSERT INTO {table} VALUES ({marks})", values)


def contents(connection: sqlite3.Connection, columns: dict[str, str]) -> Rows:
    return {
        table: connection.execute(f"SELECT {names} FROM {table}").fetchall()
        for table, names in columns.items()
    }


def columns_of(connection: sqlite3.Connection) -> dict[str, str]:
    return {
        table: ", ".join(
            row[1] for row in connection.execute(f"PRAGMA table_info({table})").fetchall()
        )
        for table in tables(connection)
    }


def schema(connection: sqlite3.Connection) -> list[str]:
    return sorted(row[0] for row in connection.execute("SELECT sql FROM sqlite_master") if row[0])


async def new_schema(home: Path) -> list[str]:
    async with open_database(sqlite_url(home), clock=StillClock()):
        pass
    with raw(home / "bot.db") as connection:
        return schema(connection)


async def made_at(version: int, tmp_path: Path) -> tuple[Path, dict[str, str], Rows]:
    """Make a database of an earlier version, with a row in each table."""
    home = tmp_path / "old"
    folder = migrations_until(version, tmp_path / "migrations")
    async with open_database(sqlite_url(home), clock=StillClock(), migrations=folder):
        pass
    with raw(home / "bot.db") as connection:
        fill(connection)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        columns = columns_of(connection)
        return home, columns, contents(connection, columns)


@pytest.mark.parametrize("version", EARLIER)
async def test_every_earlier_version_becomes_the_newest_and_keeps_its_rows(
    tmp_path: Path, version: int
) -> None:
    home, columns, before = await made_at(version, tmp_path)

    async with open_database(sqlite_url(home), clock=StillClock()):
        pass

    with raw(home / "bot.db") as connection:
        assert contents(connection, columns) == before
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert schema(connection) == await new_schema(tmp_path / "new")
    (backup,) = home.glob("*.backup-*")
    with raw(backup) as connection:
        assert contents(connection, columns) == before
        assert columns_of(connection) == columns


@pytest.mark.parametrize("version", EARLIER)
async def test_a_database_of_an_earlier_version_serves_once_it_is_migrated(
    tmp_path: Path, version: int
) -> None:
    home, folder = tmp_path / "old", migrations_until(version, tmp_path / "migrations")
    async with open_database(sqlite_url(home), clock=StillClock(), migrations=folder):
        pass
    async with open_books(sqlite_url(home)) as books:
        held = await books.sent(books.job())
        await books.ledger.settle(held.charge_ids[0], actual=400)
        assert await books.ledger.spend(11) == 400


@pytest.mark.parametrize("version", EARLIER)
async def test_an_upgrade_that_is_killed_anywhere_is_finished_by_the_next_start(
    tmp_path: Path, version: int
) -> None:
    home, columns, before = await made_at(version, tmp_path)
    folder = tmp_path / "migrations"
    statements = sum(len(file.statements) + 2 for file in load(MIGRATIONS)[version:])
    for statement in range(1, statements + 1):
        copy = tmp_path / f"killed-{statement}"
        shutil.copytree(home, copy)
        url = sqlite_url(copy)
        command = [sys.executable, "-c", KILLED, url, str(folder), str(MIGRATIONS), str(statement)]
        done = await asyncio.to_thread(subprocess.run, command, cwd=ROOT)
        assert done.returncode == -9
        with raw(copy / "bot.db") as connection:
            assert version <= versions(connection) < NEWEST
            assert contents(connection, columns) == before
        async with open_database(url, clock=StillClock()):
            pass
        with raw(copy / "bot.db") as connection:
            assert versions(connection) == NEWEST
            assert contents(connection, columns) == before


def versions(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("SELECT COUNT(*) FROM migration").fetchone()[0]
    return found


STARTER = """
import asyncio, sys
from bot.clock import SystemClock
from bot.storage import StorageError, open_database

async def main():
    sys.stdin.readline()
    async with open_database(sys.argv[1], clock=SystemClock()):
        print("open", flush=True)
        sys.stdin.read()

try:
    asyncio.run(main())
except StorageError as error:
    print(error, flush=True)
"""


@pytest.mark.parametrize("version", [0, *EARLIER])
async def test_of_two_processes_that_start_at_once_one_migrates_and_the_other_is_refused(
    tmp_path: Path, version: int
) -> None:
    home = (await made_at(version, tmp_path))[0] if version else tmp_path / "new"
    said = await asyncio.to_thread(start_both, sqlite_url(home))
    opened = [line for line in said if line == "open\n"]
    refused = [line for line in said if "in use by another process" in line]
    assert (len(opened), len(refused)) == (1, 1)
    assert "PostgreSQL" in refused[0]
    with raw(home / "bot.db") as connection:
        assert versions(connection) == NEWEST


def start_both(url: str) -> list[str]:
    """Let two processes begin at the same time; return the first line that each says."""
    command, pipe = [sys.executable, "-c", STARTER, url], subprocess.PIPE
    with (
        subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as one,
        subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as other,
    ):
        pipes = [(each.stdin, each.stdout) for each in (one, other)]
        for begin, _ in pipes:
            assert begin is not None
            begin.write("go\n")
            begin.flush()
        return [said.readline() for _, said in pipes if said is not None]
