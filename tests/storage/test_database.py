"""The door to the database: order, isolation, cancellation, and who is let in."""

import asyncio
import random
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from bot.errors import LedgerUnavailable
from bot.storage import DatabaseInUse, StorageError, UnsupportedDatabase, open_database, sqlite_path
from bot.storage.rows import Tx
from tests.storage.books import Books, StillClock, open_books, sqlite_url

ROOT = Path(__file__).parents[2]


ENDLESS = (
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n{}) SELECT COUNT(*) AS n FROM n"
)


class Refused(Exception):
    """A transaction function's own refusal."""


async def put(name: str, content: str, tx: Tx) -> str:
    await tx.fetch(
        "INSERT INTO setting (name, content, changed_at) VALUES ($1, $2, 0)", name, content
    )
    return content


async def names(tx: Tx) -> list[str]:
    rows = await tx.fetch("SELECT name FROM setting ORDER BY name")
    return [row.text("name") for row in rows]


async def refuse_after_writing(name: str, tx: Tx) -> None:
    await put(name, "never", tx)
    raise Refused(name)


async def test_what_a_transaction_returns_is_what_its_caller_gets(books: Books) -> None:
    assert await books.db.write(partial(put, "a", "content")) == "content"
    assert await books.db.read(names) == ["a"]


async def test_many_rows_are_read_as_tuples_of_what_they_hold(books: Books) -> None:
    await books.db.write(partial(put, "a", "content"))
    await books.db.write(partial(put, "b", ""))

    async def tuples(tx: Tx) -> list[tuple[object, ...]]:
        return await tx.fetch_tuples(
            "SELECT name, content, changed_at FROM setting WHERE name >= $1 ORDER BY name", "a"
        )

    assert await books.db.read(tuples) == [("a", "content", 0), ("b", "", 0)]


async def test_a_refusal_takes_back_its_own_writes_and_nobody_elses(books: Books) -> None:
    work = [
        books.db.write(partial(put, f"{n:03}", ""))
        if n % 3
        else books.db.write(partial(refuse_after_writing, f"{n:03}"))
        for n in range(150)
    ]
    answers = await asyncio.gather(*work, return_exceptions=True)
    assert [isinstance(answer, Refused) for answer in answers] == [n % 3 == 0 for n in range(150)]
    assert await books.db.read(names) == [f"{n:03}" for n in range(150) if n % 3]


async def test_a_broken_statement_harms_only_its_own_transaction(books: Books) -> None:
    async def broken(tx: Tx) -> None:
        await put("broken", "", tx)
        await tx.fetch("SELECT nonsense")

    answers = await asyncio.gather(
        books.db.write(partial(put, "before", "")),
        books.db.write(broken),
        books.db.write(partial(put, "after", "")),
        return_exceptions=True,
    )
    assert isinstance(answers[1], LedgerUnavailable)
    assert await books.db.read(names) == ["after", "before"]


async def test_a_swallowed_statement_error_still_rolls_back(books: Books) -> None:
    async def careless(tx: Tx) -> None:
        await put("half", "", tx)
        try:
            await tx.fetch("SELECT nonsense")
        except Exception:  # noqa: BLE001 - this is the carelessness under test
            return

    with pytest.raises(LedgerUnavailable):
        await books.db.write(careless)
    assert await books.db.read(names) == []


async def test_an_id_that_is_taken_is_tried_again(books: Books) -> None:
    await books.db.write(partial(put, "taken", ""))
    wanted = ["taken", "taken", "free"]

    async def lucky(tx: Tx) -> str:
        return await put(wanted.pop(0), "", tx)

    await books.db.write(lucky)
    assert await books.db.read(names) == ["free", "taken"]


async def test_a_nested_call_raises_instead_of_waiting_for_itself(books: Books) -> None:
    async def outer(tx: Tx) -> None:
        await put("outer", "", tx)
        await books.db.write(partial(put, "inner", ""))

    async def reader(tx: Tx) -> None:
        await books.db.read(names)

    with pytest.raises(RuntimeError, match="no other transaction"):
        await books.db.write(outer)
    with pytest.raises(RuntimeError, match="no other transaction"):
        await books.db.read(reader)
    assert await books.db.read(names) == []


async def test_a_transaction_that_awaits_something_else_is_refused(books: Books) -> None:
    async def sleepy(tx: Tx) -> None:
        await put("sleepy", "", tx)
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="may await only its tx"):
        await books.db.write(sleepy)
    assert await books.db.read(names) == []


async def test_a_transaction_is_limited_in_time(books: Books) -> None:
    async def slow(tx: Tx) -> None:
        await put("slow", "", tx)
        await tx.fetch(ENDLESS.format(""))

    slow_work = asyncio.gather(books.db.write(slow, limit_s=0.05), return_exceptions=True)
    beside = [books.db.write(partial(put, f"{n}", "")) for n in range(3)]
    await asyncio.gather(*beside)
    assert isinstance((await slow_work)[0], LedgerUnavailable)
    assert await books.db.read(names) == ["0", "1", "2"]


async def test_readers_see_no_half_transaction_and_cannot_write(books: Books) -> None:
    async def pair(n: int, tx: Tx) -> None:
        await put(f"left {n}", "", tx)
        await put(f"right {n}", "", tx)

    writes = asyncio.gather(*(books.db.write(partial(pair, n)) for n in range(50)))
    seen = [len(await books.db.read(names)) for _ in range(100)]
    await writes
    assert all(count % 2 == 0 for count in seen)
    with pytest.raises(LedgerUnavailable):
        await books.db.read(partial(put, "x", ""))


async def test_cancelled_callers_tear_nothing(books: Books) -> None:
    chance = random.Random(20260730)

    async def pair(n: int, tx: Tx) -> None:
        await put(f"left {n:03}", "", tx)
        await put(f"right {n:03}", "", tx)

    tasks = [asyncio.create_task(books.db.write(partial(pair, n))) for n in range(200)]
    while pending := [task for task in tasks if not task.done()]:
        chance.choice(pending).cancel()
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
    await books.db.write(partial(put, "the last one", ""))
    found = await books.db.read(names)
    lefts = [name[-3:] for name in found if name.startswith("left")]
    rights = [name[-3:] for name in found if name.startswith("right")]
    assert lefts == rights
    answered = {f"{n:03}" for n, task in enumerate(tasks) if not task.cancelled()}
    assert answered <= set(lefts)


async def test_an_abandoned_transaction_is_undone(database_url: str) -> None:
    async def undo(tx: Tx) -> None:
        await tx.fetch("UPDATE setting SET name = 'undone' WHERE name = 'abandoned'")

    async with open_books(database_url) as books:
        task = asyncio.create_task(books.db.write(partial(put, "abandoned", ""), undo=undo))
        await asyncio.sleep(0)  # let it hand its function over
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with open_books(database_url) as books:
        assert await books.db.read(names) == ["undone"]


async def test_closing_finishes_what_was_asked_for(database_url: str) -> None:
    clock = StillClock()
    async with open_database(database_url, clock=clock) as db:
        work = [asyncio.create_task(db.write(partial(put, f"{n}", ""))) for n in range(5)]
        await asyncio.sleep(0)
    assert await asyncio.gather(*work) == [""] * 5
    with pytest.raises(LedgerUnavailable):
        await db.write(partial(put, "late", ""))
    with pytest.raises(LedgerUnavailable):
        await db.read(names)
    async with open_database(database_url, clock=clock) as again:
        assert await again.read(names) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_closing_waits_for_a_slow_reader_and_ends_all_of_them(database_url: str) -> None:
    async def slow(tx: Tx) -> int:
        (row,) = await tx.fetch(ENDLESS.format(" LIMIT 300000"))
        return row.integer("n")

    async with open_database(database_url, clock=StillClock()) as db:
        reading = asyncio.create_task(db.read(slow))
        await asyncio.sleep(0)  # one reader is busy when the other meets the end
    assert await reading == 300_000


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
async def test_a_loop_that_is_torn_down_leaves_nobody_waiting(database_url: str) -> None:
    async with open_database(database_url, clock=StillClock()) as db:
        waiting = [asyncio.create_task(db.write(partial(put, f"{n}", ""))) for n in range(3)]
        await asyncio.sleep(0)  # they have handed their functions over
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(answer, asyncio.CancelledError) for answer in answers)
        await db.write(partial(put, "3", ""))
        assert await db.read(names) == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///data/bot.db", Path("data/bot.db")),
        ("sqlite:////srv/bot.db", Path("/srv/bot.db")),
        ("sqlite:///my%20bot.db", Path("my bot.db")),
    ],
)
def test_a_url_names_a_file(url: str, path: Path) -> None:
    assert sqlite_path(url) == path


@pytest.mark.parametrize(
    "url", ["", "bot.db", "sqlite://", "sqlite:///", "sqlite:///data/", "mysql:///x"]
)
def test_a_url_that_names_no_file_is_explained(url: str) -> None:
    with pytest.raises(UnsupportedDatabase, match=r"sqlite:///data/bot\.db"):
        sqlite_path(url)


@pytest.mark.parametrize("url", ["postgresql://me:pw@db.example:5432/bot", "postgres:///bot"])
def test_postgresql_is_no_file(url: str) -> None:
    assert sqlite_path(url) is None


async def test_a_file_that_is_no_database_is_explained_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "bot.db").write_bytes(b"my diary" * 1000)
    with pytest.raises(StorageError, match="cannot be opened"):
        async with open_database(sqlite_url(tmp_path), clock=StillClock()):
            pass
    assert (tmp_path / "bot.db").read_bytes() == b"my diary" * 1000


async def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    async with open_database(sqlite_url(tmp_path / "made"), clock=StillClock()) as db:
        await db.write(partial(put, "a", ""))
        modes = {file.name: file.stat().st_mode & 0o077 for file in (tmp_path / "made").iterdir()}
    assert set(modes.values()) == {0}
    assert "bot.db-wal" in modes


async def test_an_error_of_the_body_is_not_blamed_on_the_database(tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError):
        async with open_database(sqlite_url(tmp_path), clock=StillClock()):
            raise ConnectionResetError


OPENER = """
import asyncio, sys
from bot.clock import SystemClock
from bot.storage import StorageError, open_database

async def main() -> None:
    async with open_database(sys.argv[1], clock=SystemClock()):
        print("open", flush=True)
        sys.stdin.read()

try:
    asyncio.run(main())
except StorageError as error:
    print(error)
"""


def opener(url: str) -> "subprocess.Popen[str]":
    command: Sequence[str] = (sys.executable, "-c", OPENER, url)
    return subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


async def test_a_second_process_is_refused_and_pointed_to_postgresql(tmp_path: Path) -> None:
    database_url = sqlite_url(tmp_path)
    async with open_database(database_url, clock=StillClock()):
        with opener(database_url) as second:
            said, _ = await asyncio.to_thread(second.communicate)
        assert "in use by another process" in said
        assert "PostgreSQL" in said
        assert said.count("\n") == 1
        with pytest.raises(DatabaseInUse):
            async with open_database(database_url, clock=StillClock()):
                pass


async def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    database_url = sqlite_url(tmp_path)
    with opener(database_url) as first:
        assert first.stdout is not None
        assert await asyncio.to_thread(first.stdout.readline) == "open\n"
        first.kill()
        await asyncio.to_thread(first.wait)
    async with open_database(database_url, clock=StillClock()) as db:
        assert await db.read(names) == []
