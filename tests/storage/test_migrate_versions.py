"""The bot's own migrations on both engines: from every earlier version, a row in each table."""

import asyncio
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from bot.storage import Ledger, open_database, sqlite_path
from bot.storage.migrate import MIGRATIONS, load
from sandbox.postgres import PostgresServer
from tests.storage.books import AUDITS, GENEROUS, StillClock, open_books, sqlite_url
from tests.storage.dying import upgrade_killed_at

ROOT = Path(__file__).parents[2]
FILES = load(MIGRATIONS)
NEWEST = len(FILES)
EARLIER = range(1, NEWEST)
FORGOTTEN = {4: {"offer"}, 6: {"job_bucket"}, 10: {"usage_month", "usage_day"}}
"""Tables that a migration empties, dissolves or adds up anew, as it says itself. What is in the
first one is short-lived; what was in the others has tests of its own."""
TEXTS = {"state": "settled", "delivery": "open", "period": "day"}
"""For columns that take certain words only; others get their own name."""
NOT_OURS = {"migration", "commit_mark"}
"""Tables that the engines keep for themselves."""

COLUMNS = {
    "sqlite": "SELECT m.name, p.name, p.type FROM sqlite_master m, pragma_table_info(m.name) p "
    "WHERE m.type = 'table' ORDER BY m.name, p.cid",
    "postgresql": "SELECT table_name, column_name, UPPER(data_type) "
    "FROM information_schema.columns WHERE table_schema = 'public' "
    "ORDER BY table_name, ordinal_position",
}
SCHEMA = {
    "sqlite": "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY sql",
    "postgresql": "SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' "
    "|| is_nullable || COALESCE(column_default, '') AS what "
    "FROM information_schema.columns WHERE table_schema = 'public' "
    "UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' "
    "UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE connamespace = 'public'::regnamespace ORDER BY what",
}

Outside = Callable[[str, str], list[str]]
Columns = dict[str, dict[str, str]]
"""The columns of each table, and their types."""
Rows = list[str]


@dataclass(frozen=True)
class Engine:
    """A database as its administrator sees it, without the bot."""

    name: str
    outside: Outside
    empty_url: Callable[[], str]
    copy: Callable[[str], str]

    def columns(self, url: str) -> Columns:
        found: Columns = {}
        for line in self.outside(url, COLUMNS[self.name]):
            table, column, kind = line.split("|")
            if table not in NOT_OURS:
                found.setdefault(table, {})[column] = kind
        return found

    def schema(self, url: str) -> list[str]:
        return self.outside(url, SCHEMA[self.name])

    def contents(self, url: str, columns: Columns) -> Rows:
        """Read the given columns of every row there is."""
        tables = [
            f"SELECT '{table}', {' || '.join(f'CAST({name} AS TEXT)' for name in names)} "
            f"FROM {table}"
            for table, names in columns.items()
        ]
        return sorted(self.outside(url, " UNION ALL ".join(tables)))

    def fill(self, url: str) -> None:
        """Put a row into each table. Every number is 1, so that each row refers to the others."""
        data = "X'6162'" if self.name == "sqlite" else "'\\x6162'"
        inserts = []
        for table, columns in self.columns(url).items():
            values = [
                {"TEXT": f"'{TEXTS.get(name, name)}'", "BYTEA": data}.get(kind, "1")
                for name, kind in columns.items()
            ]
            inserts.append(f"INSERT INTO {table} VALUES ({', '.join(values)})")
        if self.name == "postgresql":  # a table may refer to one that is filled after it
            inserts = ["SET session_replication_role = replica; " + "; ".join(inserts)]
        for insert in inserts:
            self.outside(url, insert)

    def version(self, url: str) -> int:
        return int(self.outside(url, "SELECT COUNT(*) FROM migration")[0])


@pytest.fixture
def copy(request: pytest.FixtureRequest, engine: str, tmp_path: Path) -> Callable[[str], str]:
    """Copies a database that nobody has open; returns the URL of the copy."""
    copies = tmp_path / "copies"

    def of_file(url: str) -> str:
        path = sqlite_path(url)
        assert path is not None
        folder = copies / str(len(list(copies.glob("*"))))
        shutil.copytree(path.parent, folder)
        return sqlite_url(folder)

    if engine == "sqlite":
        return of_file
    server: PostgresServer = request.getfixturevalue("postgres")
    databases: Callable[[str], str] = request.getfixturevalue("databases")
    return lambda url: server.url(databases(urlsplit(url).path[1:]))


@pytest.fixture
def there(
    engine: str, outside: Outside, empty_url: Callable[[], str], copy: Callable[[str], str]
) -> Engine:
    return Engine(engine, outside, empty_url, copy)


def migrations_until(version: int, folder: Path) -> Path:
    """Copy the first migrations to a folder of their own."""
    folder.mkdir()
    for file in sorted(MIGRATIONS.glob("*.sql"))[:version]:
        shutil.copy(file, folder)
    return folder


async def migrated(url: str, migrations: Path = MIGRATIONS) -> str:
    """Open and close a database, as a start and a stop of the bot would."""
    async with open_database(url, clock=StillClock(), migrations=migrations):
        return url


async def made_at(version: int, there: Engine, folder: Path) -> tuple[str, Columns, Rows]:
    """Make a database of an earlier version, with a row in each table.

    Returned are its URL and what has to be in it for ever.
    """
    url = await migrated(there.empty_url(), migrations_until(version, folder))
    there.fill(url)
    forgotten = {table for at, tables in FORGOTTEN.items() if at > version for table in tables}
    columns = {t: names for t, names in there.columns(url).items() if t not in forgotten}
    before = there.contents(url, columns)
    assert len(before) == len(columns)
    return url, columns, before


@pytest.mark.parametrize("version", EARLIER)
async def test_every_earlier_version_becomes_the_newest_and_keeps_its_rows(
    there: Engine, new_url: Callable[[], str], tmp_path: Path, version: int
) -> None:
    url, columns, before = await made_at(version, there, tmp_path / "migrations")
    await migrated(url)
    assert there.contents(url, columns) == before
    assert there.schema(url) == there.schema(new_url())
    assert there.version(url) == NEWEST


@pytest.mark.parametrize("engine", ["sqlite"])
@pytest.mark.parametrize("version", EARLIER)
async def test_an_upgrade_leaves_a_whole_file_and_a_copy_of_what_was(
    tmp_path: Path, outside: Outside, version: int, there: Engine
) -> None:
    url, columns, before = await made_at(version, there, tmp_path / "migrations")
    assert outside(url, "PRAGMA foreign_key_check") == []
    await migrated(url)
    assert outside(url, "PRAGMA foreign_key_check") == []
    assert outside(url, "PRAGMA integrity_check") == ["ok"]
    path = sqlite_path(url)
    assert path is not None
    (backup,) = path.parent.glob("*.backup-*")
    then = f"sqlite:///{backup}"
    assert there.version(then) == version
    assert there.contents(then, columns) == before


@pytest.mark.parametrize("version", EARLIER)
async def test_a_database_of_an_earlier_version_serves_once_it_is_migrated(
    empty_url: Callable[[], str], tmp_path: Path, version: int
) -> None:
    folder = migrations_until(version, tmp_path / "migrations")
    async with open_books(await migrated(empty_url(), folder)) as books:
        held = await books.sent(books.job())
        await books.ledger.settle(held.charge_ids[0], actual=400)
        assert await books.ledger.spend(11) == 400


async def test_a_job_that_an_earlier_version_held_is_settled_where_it_was_held(
    there: Engine, tmp_path: Path, outside: Outside
) -> None:
    url, *_ = await made_at(5, there, tmp_path / "migrations")
    sent = "state = 'dispatched', actual = NULL, held = 900, closed_at = NULL"
    outside(url, f"UPDATE charge SET {sent}")
    outside(url, "DELETE FROM job_bucket")
    for place, period in reversed([*enumerate(("day", "week", "month", "total", "open"))]):
        number, held, is_slot = 50 - place, 900, 0
        if period == "open":
            held = is_slot = 1
        values = f"({number}, 'bot', '', '{period}', 0, 1, '', 1, {held}, 0, 0)"
        outside(url, f"INSERT INTO bucket VALUES {values}")
        outside(url, f"INSERT INTO job_bucket VALUES (1, {place}, {number}, {is_slot})")

    async with open_database(url, clock=StillClock()) as db:
        ledger = Ledger(db, clock=StillClock(), secret=b"", process_id=1, defaults=GENEROUS)
        assert (await ledger.settle(1, actual=400)).changed

    assert outside(url, "SELECT pins FROM job") == ["50 49 48 47 46"]
    assert outside(url, "SELECT id, held, settled FROM bucket ORDER BY id") == [
        "1|1|1",
        "46|0|0",
        "47|0|400",
        "48|0|400",
        "49|0|400",
        "50|0|400",
    ]


async def test_what_an_earlier_version_has_settled_is_in_the_sums_of_reports(
    there: Engine, tmp_path: Path, outside: Outside
) -> None:
    summed = next(at for at, tables in FORGOTTEN.items() if "usage_day" in tables)
    url = await migrated(there.empty_url(), migrations_until(summed - 1, tmp_path / "migrations"))
    charges: tuple[tuple[object, ...], ...] = (
        # job, guild, channel, user, command, model, role, state, prior, held, actual, pictures
        (1, 77, 5, 11, "imagine", "a/b", None, "settled", "dispatched", 900, 400, 2),
        (1, 77, 5, 11, "imagine", "a/b", None, "released", "held", 900, None, 0),
        (2, 77, 6, 12, "edit", "a/c", 42, "presumed", "unknown", 300, 300, 0),
        (3, 77, 6, 11, "imagine", "a/c", 42, "released", "dispatched", 300, None, 0),
        (4, 77, 6, 11, "imagine", "a/c", 42, "dispatched", "held", 300, None, 0),
        (5, 0, 99, 11, "imagine", "a/c", None, "settled", "dispatched", 300, 200, 1),
    )
    jobs: dict[int, list[tuple[object, ...]]] = {}
    for charge in charges:
        jobs.setdefault(int(str(charge[0])), []).append(charge)
    for job, mine in jobs.items():
        _, guild, channel, user, command, model, *_ = mine[0]
        still_open = sum(each[7] == "dispatched" for each in mine)
        outside(
            url,
            "INSERT INTO job (id, idem, process, guild_id, channel_id, user_id, command, model, "
            "size, quality, output_format, pictures, is_private, ceiling, open_charges, day_label, "
            "month_label, created_at, delivery, undeliverable_reason) VALUES "
            f"({job}, 'job-{job}', 1, {guild}, {channel}, {user}, '{command}', '{model}', 'auto', "
            f"'auto', 'png', {len(mine)}, 1, 900, {still_open}, '2026-07-30', '2026-07', {job}, "
            f"'delivered', '')",
        )
        for place, charge in enumerate(mine):
            *_, role, state, prior, held, actual, pictures = (
                "NULL" if each is None else each for each in charge
            )
            closed = "NULL" if state == "dispatched" else 9
            ident = job * 10 + place
            outside(
                url,
                "INSERT INTO charge (id, job_id, idem, place, process, guild_id, channel_id, "
                "user_id, command, model, limit_role, state, prior_state, held, actual, overrun, "
                "pictures, reason, created_at, changed_at, closed_at) VALUES "
                f"({ident}, {job}, 'job-{job}:{place}', {place}, 1, {guild}, {channel}, {user}, "
                f"'{command}', '{charge[5]}', {role}, '{state}', '{prior}', {held}, {actual}, 0, "
                f"{pictures}, '', {job}, {job}, {closed})",
            )
            if actual != "NULL":
                outside(url, f"INSERT INTO entry VALUES (1, {ident}, '{state}', {actual}, {job})")
                outside(
                    url,
                    "INSERT INTO usage_month VALUES "
                    f"({guild}, '2026-07', {user}, '{charge[5]}', 1, {pictures}, {actual})",
                )
    await migrated(url)
    assert [name for name, sql in AUDITS.items() if "day" in name and outside(url, sql)] == []
    assert outside(url, "SELECT * FROM usage_month ORDER BY 1, 3") == [
        "0|2026-07|11|1|1|200",
        "77|2026-07|11|1|2|400",
        "77|2026-07|12|1|0|300",
    ]
    columns = "name, charges, pictures, spent, jobs, finished, succeeded"
    days = "FROM usage_day WHERE guild_id = 77 AND kind"
    assert outside(url, f"SELECT {columns} {days} = 'command' ORDER BY 1") == [
        "edit|1|0|300|1|1|0",
        "imagine|1|2|400|2|2|1",
    ]


@pytest.mark.parametrize("version", EARLIER)
async def test_an_upgrade_that_is_killed_anywhere_is_finished_by_the_next_start(
    there: Engine, tmp_path: Path, version: int
) -> None:
    """Anywhere before the next version is there; from then on it is that version's upgrade.

    On PostgreSQL that is anywhere for the newest, and one place for each of the others.
    """
    folder = tmp_path / "migrations"
    url, columns, before = await made_at(version, there, folder)
    places = range(1, len(FILES[version].statements) + 3)
    if there.name == "postgresql" and version != EARLIER[-1]:
        places = places[version % len(places) :][:1]
    for statement in places:
        killed = there.copy(url)
        ended = await asyncio.to_thread(upgrade_killed_at, statement, killed, folder, MIGRATIONS)
        assert ended == -signal.SIGKILL
        assert there.version(killed) == version
        assert there.contents(killed, columns) == before
        await migrated(killed)
        assert there.version(killed) == NEWEST
        assert there.contents(killed, columns) == before


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


@pytest.mark.parametrize("version", [0, EARLIER[0], EARLIER[-1]])
async def test_of_two_processes_that_start_at_once_one_migrates(
    there: Engine, tmp_path: Path, version: int
) -> None:
    """On SQLite the other one is refused; on PostgreSQL it waits, and both go on.

    Who waits for whom is settled before anybody looks at the version.
    """
    url, columns, before = there.empty_url(), Columns(), Rows()
    if version:
        url, columns, before = await made_at(version, there, tmp_path / "migrations")
    said = await asyncio.to_thread(start_both, url)
    refused = [line for line in said if "in use by another process" in line]
    assert len(refused) == (there.name == "sqlite")
    assert all("PostgreSQL" in line for line in refused)
    assert said.count("open\n") == 2 - len(refused)
    assert there.version(url) == NEWEST
    assert there.contents(url, columns) == before


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
