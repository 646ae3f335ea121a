"""Faults of the SQLite file: a clear refusal, reads where possible, nothing lost, then service."""

import asyncio
import json
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import takewhile
from pathlib import Path

import pytest

from bot.errors import LedgerUnavailable
from bot.storage import StorageError, open_database
from bot.storage.rows import Row, Tx
from tests.storage.books import DAY, Books, StillClock, open_books, sqlite_url

ROOT = Path(__file__).parents[2]
PAGE = 4096
CALLERS = 60
"""As many as share one commit."""


async def spend_something(books: Books, actual: int = 400) -> int:
    """Hold, send and settle one picture; returns the charge's id."""
    (charge_id,) = (await books.sent(books.job())).charge_ids
    assert (await books.ledger.settle(charge_id, actual=actual)).changed
    return charge_id


async def settled(tx: Tx) -> list[Row]:
    return await tx.fetch("SELECT id, actual FROM charge WHERE state = 'settled' ORDER BY id")


# Locked by somebody else

LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute(sys.argv[2])
print("locked", flush=True)
sys.stdin.read()
"""


@contextmanager
def locked(file: Path, begin: str) -> Iterator["subprocess.Popen[str]"]:
    """Another process that has the file locked until its standard input is closed."""
    command = [sys.executable, "-c", LOCKER, str(file), begin]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield process


async def test_while_another_process_locks_the_file_people_are_refused_together_and_may_read(
    tmp_path: Path,
) -> None:
    async with open_books(sqlite_url(tmp_path)) as books:
        await spend_something(books)
        with locked(tmp_path / "bot.db", "BEGIN IMMEDIATE") as other:
            holds = [asyncio.create_task(books.ledger.hold(books.job())) for _ in range(CALLERS)]
            await asyncio.sleep(0)  # they wait for the lock
            assert await books.ledger.spend(11) == 400
            assert not any(hold.done() for hold in holds)
            async with asyncio.timeout(20):  # not the five seconds of each, one after the other
                refusals = await asyncio.gather(*holds, return_exceptions=True)
            assert {str(refusal) for refusal in refusals} == {"database is locked"}
            assert all(isinstance(refusal, LedgerUnavailable) for refusal in refusals)
            patient = asyncio.create_task(books.ledger.hold(books.job(ceiling=70)))
            assert len(await books.jobs.recent(11)) == 1
            assert not patient.done()
            other.communicate()
        await patient
        assert await books.counters("bot") == (70, 400, 0)


async def test_a_file_that_stays_locked_is_not_opened_and_a_sentence_says_why(
    tmp_path: Path,
) -> None:
    async with open_books(sqlite_url(tmp_path)) as books:
        await spend_something(books)
    with (
        locked(tmp_path / "bot.db", "BEGIN EXCLUSIVE"),
        pytest.raises(StorageError, match=r"bot\.db cannot be opened: database is locked\."),
    ):
        async with open_database(sqlite_url(tmp_path), clock=StillClock()):
            pass
    async with open_books(sqlite_url(tmp_path)) as books:
        assert await books.ledger.spend(11) == 400


# No room left

FULL_DISK = """
import asyncio, json, resource, sys
from pathlib import Path
from bot.errors import LedgerUnavailable
from tests.storage.books import audit, open_books, sqlite_url

def limit(bytes):
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes, resource.RLIM_INFINITY))

async def attempt(call):
    try:
        await call
    except LedgerUnavailable as error:
        return str(error)
    return "ok"

async def main():
    home = Path(sys.argv[1])
    said = {}
    async with open_books(sqlite_url(home)) as books:
        ledger = books.ledger
        sent = [await books.sent(books.job()) for _ in range(30)]
        (first,), (second,) = sent[0].charge_ids, sent[1].charge_ids
        await ledger.settle(first, actual=400)
        limit((home / "bot.db-wal").stat().st_size + int(sys.argv[2]))
        said["alone"] = await attempt(ledger.hold(books.job()))
        said["settle"] = await attempt(ledger.settle(second, actual=300))
        many = [attempt(ledger.hold(books.job())) for _ in range(40)]
        said["together"] = sorted(set(await asyncio.gather(*many)))
        said["spend"] = await ledger.spend(11)
        said["jobs"] = len(await books.jobs.recent(11, limit=100))
        said["broken"] = await audit(books.db)
        limit(resource.RLIM_INFINITY)
        said["settle again"] = await attempt(ledger.settle(second, actual=300))
        said["hold again"] = await attempt(ledger.hold(books.job()))
        said["spend again"] = await ledger.spend(11)
    print(json.dumps(said))

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of a file")
@pytest.mark.parametrize("room", [0, 5000])
async def test_on_a_full_disk_nothing_is_recorded_by_halves_and_room_brings_service_back(
    tmp_path: Path, room: int
) -> None:
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path), str(room)]
    done = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    said = json.loads(done.stdout)
    assert said == {
        "alone": "disk I/O error",
        "settle": "disk I/O error",
        "together": ["disk I/O error"],
        "spend": 400,
        "jobs": 30,
        "broken": [],
        "settle again": "ok",
        "hold again": "ok",
        "spend again": 700,
    }
    async with open_books(sqlite_url(tmp_path)) as books:
        assert await books.ledger.spend(11) == 700


# A torn write-ahead log

WRITER = """
import asyncio, sys
from itertools import count
from tests.storage.books import MINUTE, open_books

async def main():
    async with open_books(sys.argv[1]) as books:
        for cost in count(1):
            (charge_id,) = (await books.sent(books.job())).charge_ids
            await books.ledger.settle(charge_id, actual=cost)
            print(charge_id, cost, flush=True)

asyncio.run(main())
"""
PAIRS = 15
"""So few that all of them are still in the log alone."""


def write_and_kill(url: str) -> list[int]:
    """Let a process spend, kill it, and return the costs that it had recorded, in order."""
    command = [sys.executable, "-c", WRITER, url]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline().split() for _ in range(PAIRS)]
        process.kill()
        rest, _ = process.communicate()
    whole = takewhile(lambda line: line.endswith("\n"), rest.splitlines(keepends=True))
    return [int(words[1]) for words in (*said, *(line.split() for line in whole))]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """A killed process's folder with its log, and the costs that it had recorded."""
    home = tmp_path_factory.mktemp("killed")
    costs = write_and_kill(sqlite_url(home))
    assert (home / "bot.db-wal").stat().st_size > PAIRS * PAGE
    return home, costs


async def costs_after(
    killed: Path, home: Path, log: bytes, index: bytes | None = None
) -> list[int]:
    """Open a copy of the database with another log; return the costs in it, in order."""
    shutil.copytree(killed, home)
    (home / "bot.db-wal").write_bytes(log)
    if index is not None:
        (home / "bot.db-shm").write_bytes(index)
    async with open_books(sqlite_url(home)) as books:
        books.clock.now += DAY
        costs = [row.integer("actual") for row in await books.db.read(settled)]
        await books.ledger.sweep(adopt_all=True)
        await spend_something(books)
        return sorted(costs)


async def test_what_a_killed_process_was_still_writing_harms_nothing_before_it(
    killed: tuple[Path, list[int]], tmp_path: Path
) -> None:
    folder, costs = killed
    log = (folder / "bot.db-wal").read_bytes()
    chance = random.Random(11)
    for number, extra in enumerate((1, 24, 2000, PAGE + 24, 3 * PAGE)):
        home = tmp_path / str(number)
        found = await costs_after(folder, home, log + chance.randbytes(extra))
        # One more may have been recorded, and not been said before the process was killed.
        assert found[: len(costs)] == costs
        assert len(found) <= len(costs) + 1


async def test_an_index_of_the_log_that_is_garbage_is_made_anew(
    killed: tuple[Path, list[int]], tmp_path: Path
) -> None:
    folder, costs = killed
    log = (folder / "bot.db-wal").read_bytes()
    garbage = random.Random(12).randbytes((folder / "bot.db-shm").stat().st_size)
    found = await costs_after(folder, tmp_path / "copy", log, garbage)
    assert found[: len(costs)] == costs


async def test_a_log_that_is_torn_anywhere_leaves_the_books_of_some_moment_before(
    killed: tuple[Path, list[int]], tmp_path: Path
) -> None:
    folder, costs = killed
    log = (folder / "bot.db-wal").read_bytes()
    chance = random.Random(13)
    kept = []
    for number in range(16):
        place = chance.randrange(len(log) // 2, len(log) - 1)
        torn = bytearray(log[:place] if number % 2 else log)
        if not number % 2:
            torn[place] ^= 0xFF
        found = await costs_after(folder, tmp_path / str(number), bytes(torn))
        assert found == list(range(1, len(found) + 1))
        kept.append(len(found))
    assert min(kept) < len(costs)


# Damaged pages


def overwrite(file: Path, pages: dict[int, bytes]) -> None:
    """Write pages (numbered from 1) into the file, behind everybody's back."""
    with file.open("r+b") as handle:
        for number, content in pages.items():
            handle.seek((number - 1) * PAGE)
            handle.write(content)


def pages_of(file: Path, table: str) -> dict[int, bytes]:
    """Return the root pages of a table and its indexes."""
    with closing(sqlite3.connect(file)) as connection:
        sql = "SELECT rootpage FROM sqlite_master WHERE tbl_name = ? AND rootpage > 0"
        roots = [row[0] for row in connection.execute(sql, (table,))]
    content = file.read_bytes()
    return {root: content[(root - 1) * PAGE : root * PAGE] for root in roots}


async def test_a_damaged_table_stops_spending_and_service_is_back_once_it_is_mended(
    tmp_path: Path,
) -> None:
    url, file = sqlite_url(tmp_path), tmp_path / "bot.db"
    async with open_books(url) as books:
        await spend_something(books)
    whole = pages_of(file, "job")
    async with open_books(url) as books:
        overwrite(file, dict.fromkeys(whole, b"\xff" * PAGE))
        for _ in range(2):
            with pytest.raises(LedgerUnavailable, match="malformed"):
                await books.ledger.hold(books.job())
            with pytest.raises(LedgerUnavailable, match="malformed"):
                await books.jobs.recent(11)
        assert await books.ledger.spend(11) == 400
        await books.ledger.heartbeat()
        overwrite(file, whole)
        for _ in range(4):  # each of the connections that read
            assert len(await books.jobs.recent(11)) == 1
        await spend_something(books, 30)
        assert await books.ledger.spend(11) == 430


async def test_whatever_page_is_noise_the_bot_works_or_says_that_it_cannot(tmp_path: Path) -> None:
    url, file = sqlite_url(tmp_path), tmp_path / "bot.db"
    async with open_books(url) as books:
        for _ in range(20):
            await spend_something(books)
    good = file.read_bytes()
    chance = random.Random(14)
    outcomes = set()
    for number in chance.sample(range(1, len(good) // PAGE + 1), 25):
        file.write_bytes(good)
        overwrite(file, {number: chance.randbytes(PAGE)})
        outcomes.add(await outcome_of_use(url))
    assert outcomes - {"not opened"} == {"works", "refused"}
    file.write_bytes(good)
    async with open_books(url) as books:
        assert await books.ledger.spend(11) == 20 * 400


async def outcome_of_use(url: str) -> str:
    """Open a database and spend; every error but the two that people can be told fails."""
    clock = StillClock()
    try:
        async with open_database(url, clock=clock) as db:
            await spend_something(Books(db, clock, 1))
    except LedgerUnavailable:
        return "refused"
    except StorageError as error:
        return "not opened" if "bot.db cannot be opened: " in str(error) else repr(error)
    return "works"


async def test_a_first_page_of_noise_is_refused_and_the_file_left_alone(tmp_path: Path) -> None:
    url, file = sqlite_url(tmp_path), tmp_path / "bot.db"
    async with open_books(url) as books:
        await spend_something(books)
    good = file.read_bytes()
    overwrite(file, {1: b"\xee" * PAGE})
    damaged = file.read_bytes()
    with pytest.raises(StorageError, match=r"bot\.db cannot be opened: file is not a database\."):
        async with open_database(url, clock=StillClock()):
            pass
    assert file.read_bytes() == damaged
    file.write_bytes(good)
    async with open_books(url) as books:
        assert await books.ledger.spend(11) == 400
