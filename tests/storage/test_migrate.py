"""Migrations: all of a file or nothing of it, once, and never a file that was changed."""

import asyncio
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.storage import MigrationError, StorageError, open_database
from bot.storage.migrate import MIGRATIONS, load, migrate, split
from bot.storage.rows import Row, Tx
from tests.storage.books import StillClock, sqlite_url
from tests.storage.dying import upgrade_killed_at

NewUrl = Callable[[], str]

ONE = "CREATE TABLE boat (id BIGINT NOT NULL PRIMARY KEY);\nINSERT INTO boat VALUES (1);\n"
TWO = """
ALTER TABLE boat ADD COLUMN name TEXT;
UPDATE boat SET name = 'paper';
INSERT INTO boat VALUES (2, 'tin');
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one migration."""
    migrations = tmp_path / "migrations"
    migrations.mkdir()
    (migrations / "0001_boat.sql").write_text(ONE)
    return migrations


async def boats(tx: Tx) -> list[Row]:
    return await tx.fetch("SELECT * FROM boat ORDER BY id")


def backups(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.backup-*"))


async def open_once(url: str, folder: Path) -> list[Row]:
    async with open_database(url, clock=StillClock(), migrations=folder) as db:
        return await db.read(boats)


async def test_a_new_database_gets_every_file(empty_url: NewUrl, folder: Path) -> None:
    (folder / "0002_names.sql").write_text(TWO)
    rows = await open_once(empty_url(), folder)
    assert [row.text("name") for row in rows] == ["paper", "tin"]


async def test_a_new_file_needs_no_backup(tmp_path: Path, folder: Path) -> None:
    (folder / "0002_names.sql").write_text(TWO)
    await open_once(sqlite_url(tmp_path), folder)
    assert backups(tmp_path) == []


async def test_files_are_applied_once(empty_url: NewUrl, folder: Path) -> None:
    url = empty_url()
    for _ in range(3):
        assert len(await open_once(url, folder)) == 1


async def test_a_backup_of_what_was_is_made_before_a_change(tmp_path: Path, folder: Path) -> None:
    await open_once(sqlite_url(tmp_path), folder)
    (folder / "0002_names.sql").write_text(TWO)
    await open_once(sqlite_url(tmp_path), folder)
    (backup,) = backups(tmp_path)
    assert backup.name.startswith("bot.db.backup-0001-")
    assert backup.stat().st_mode & 0o077 == 0
    copy = sqlite3.connect(backup)
    assert copy.execute("SELECT * FROM boat").fetchall() == [(1,)]
    copy.close()


async def test_the_last_few_backups_are_kept(tmp_path: Path, folder: Path) -> None:
    clock = StillClock()
    for version in range(2, 8):
        async with open_database(sqlite_url(tmp_path), clock=clock, migrations=folder):
            pass
        (folder / f"{version:04}_more.sql").write_text(f"CREATE TABLE t{version} (id BIGINT);")
        clock.now += 1
    names = [file.name.split("-")[1] for file in backups(tmp_path)]
    assert names == ["0003", "0004", "0005"]


async def test_an_edited_file_is_refused(empty_url: NewUrl, folder: Path) -> None:
    url = empty_url()
    await open_once(url, folder)
    (folder / "0001_boat.sql").write_text(ONE + "-- a later thought\n")
    with pytest.raises(MigrationError, match=r"0001_boat.sql was changed after"):
        await open_once(url, folder)


async def test_other_line_ends_are_no_edit(empty_url: NewUrl, folder: Path) -> None:
    url = empty_url()
    await open_once(url, folder)
    (folder / "0001_boat.sql").write_bytes(ONE.replace("\n", "\r\n").encode())
    assert len(await open_once(url, folder)) == 1


async def test_a_database_newer_than_the_code_is_refused(empty_url: NewUrl, folder: Path) -> None:
    url = empty_url()
    (folder / "0002_names.sql").write_text(TWO)
    await open_once(url, folder)
    (folder / "0002_names.sql").unlink()
    with pytest.raises(MigrationError, match=r"0002_names.sql, which this version"):
        await open_once(url, folder)


async def test_a_failing_file_leaves_the_database_as_it_was(
    empty_url: NewUrl, folder: Path
) -> None:
    url = empty_url()
    await open_once(url, folder)
    (folder / "0002_names.sql").write_text(TWO + "SELECT nonsense;")
    with pytest.raises(StorageError, match="nonsense"):
        await open_once(url, folder)
    (folder / "0002_names.sql").write_text(TWO)
    assert len(await open_once(url, folder)) == 2


async def test_a_kill_at_any_statement_leaves_all_or_nothing(
    empty_url: NewUrl, outside: Callable[[str, str], list[str]], tmp_path: Path, folder: Path
) -> None:
    every = tmp_path / "every"
    every.mkdir()
    (every / "0001_boat.sql").write_text(ONE)
    (every / "0002_names.sql").write_text(TWO)
    look = "SELECT (SELECT COUNT(*) FROM boat), (SELECT COUNT(*) FROM migration)"
    statement = 0
    outcome: int | None = -signal.SIGKILL
    while outcome == -signal.SIGKILL:
        statement += 1
        url = empty_url()
        outcome = await asyncio.to_thread(upgrade_killed_at, statement, url, folder, every)
        found = outside(url, look)
        assert found in (["1|1"], ["2|2"])
        # Had it changed the table without saying so, changing it again would fail.
        assert len(await open_once(url, every)) == 2
    assert outcome == 0
    assert statement > 6


async def test_two_starters_apply_a_file_once(empty_url: NewUrl, folder: Path) -> None:
    """The other one comes in between our look at the version and our change."""
    clock = StillClock()
    async with open_database(empty_url(), clock=clock, migrations=folder) as db:
        (folder / "0002_names.sql").write_text(TWO)
        files = load(folder)

        async def the_other_starter(version: int) -> None:
            assert version == 1
            await migrate(db, files, clock=clock)

        await migrate(db, files, clock=clock, before_change=the_other_starter)
        assert len(await db.read(boats)) == 2


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ([], "No migrations"),
        (["0001_a.sql", "0003_c.sql"], "should be number 0002"),
        (["0001_a.sql", "0001_b.sql"], "should be number 0002"),
        (["1_a.sql"], "should be number 0001"),
    ],
)
def test_a_damaged_folder_is_refused(tmp_path: Path, names: list[str], complaint: str) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(MigrationError, match=complaint):
        load(tmp_path)


def test_the_bots_own_migrations_can_be_read() -> None:
    assert [file.version for file in load(MIGRATIONS)][:1] == [1]


def test_semicolons_in_texts_names_and_comments_cut_nothing() -> None:
    sql = """
        -- first; a comment
        INSERT INTO t VALUES ('a;b''c;'); /* second; */ SELECT "odd;name" - 1 FROM t / 2;
    """
    statements = split(sql, name="x")
    assert statements[0].startswith("INSERT INTO t VALUES ('a;b''c;')")
    assert statements[1].startswith('SELECT "odd;name" - 1 FROM t / 2')
    assert len(statements) == 2


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 'open;",
        'SELECT "open;',
        "SELECT 1; /* open; SELECT 2;",
        "SELECT 1",
        "SELECT 1; COMMIT;",
        "SELECT 1; -- end of it\n rollback; SELECT 2;",
        "PRAGMA foreign_keys = OFF;",
        "/* hidden */ BEGIN;",
    ],
)
def test_sql_that_cannot_be_run_whole_is_refused(sql: str) -> None:
    with pytest.raises(MigrationError):
        split(sql, name="0001_x.sql")


@given(st.lists(st.text(alphabet="a;'\"-/* \n", max_size=12), min_size=1, max_size=5))
def test_quoted_text_survives_cutting_whatever_it_holds(texts: list[str]) -> None:
    quoted = ["'" + text.replace("'", "''") + "'" for text in texts]
    sql = "".join(f"SELECT {literal} AS x;\n" for literal in quoted)
    assert split(sql, name="x") == tuple(f"SELECT {literal} AS x" for literal in quoted)
