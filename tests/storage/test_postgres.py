"""What is special about PostgreSQL: several processes, and a server that may go away."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from multiprocessing import Pipe
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.errors import LedgerUnavailable
from bot.quotas import Limit, QuotaExceeded, Scope, Window
from bot.storage import StorageError, open_database
from bot.storage.rows import Tx
from sandbox.postgres import PostgresServer
from tests.lives import new_life
from tests.postgres import skip_without_postgres
from tests.storage import racer
from tests.storage.books import MINUTE, Books, StillClock, audit, open_books
from tests.storage.racer import BUDGET, FITTING, PRICE

ROOT = Path(__file__).parents[2]
PROCESSES = 8


def race(url: str, what: racer.What, charge_ids: Sequence[int] = ()) -> list[int]:
    """Run a racer in several processes at once; returns how often it went well for each."""
    talks, racers = [], []
    for _ in range(PROCESSES):
        ours, theirs = Pipe()
        racers.append(new_life(racer.live, url, what, charge_ids, theirs))
        racers[-1].start()
        theirs.close()
        talks.append(ours)
    assert [talk.recv() for talk in talks] == ["ready"] * PROCESSES
    for talk in talks:
        talk.send("go")
    said = [talk.recv() for talk in talks]
    for process, talk in zip(racers, talks, strict=True):
        process.join()
        assert process.exitcode == 0
        process.close()
        talk.close()
    return said


@pytest.fixture
def engine() -> str:
    """Only this one."""
    return "postgresql"


@pytest.fixture(scope="module")
def victim() -> Iterator[PostgresServer]:
    """A server that may be stopped and killed."""
    skip_without_postgres()
    with PostgresServer() as server:
        yield server


async def deadlocks(books: Books) -> int:
    """Return how many deadlocks PostgreSQL has had to break in this database."""

    async def run(tx: Tx) -> int:
        await tx.fetch("SELECT pg_stat_clear_snapshot()")
        (row,) = await tx.fetch(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        return row.integer("deadlocks")

    return await books.db.read(run)


async def test_many_processes_at_one_limit_admit_exactly_what_fits(database_url: str) -> None:
    said = await asyncio.to_thread(race, database_url, "hold")
    assert sum(said) == FITTING
    async with open_books(database_url) as books:
        assert await books.counters("guild", "month") == (FITTING * PRICE, 0, 0)
        assert await deadlocks(books) == 0


async def test_many_processes_share_the_limit_on_open_jobs(database_url: str) -> None:
    said = await asyncio.to_thread(race, database_url, "open")
    assert sum(said) == 5


async def test_many_processes_settle_a_charge_once(database_url: str) -> None:
    async with open_books(database_url) as books:
        jobs = [await books.sent(books.job(pictures=3)) for _ in range(5)]
        charges = [charge_id for job in jobs for charge_id in job.charge_ids]
        said = await asyncio.to_thread(race, database_url, "settle", charges)
        assert sum(said) == len(charges)
        assert await books.counters("bot", "total") == (0, 7 * len(charges), 0)
        assert await deadlocks(books) == 0


async def test_checking_first_and_recording_later_overspends(database_url: str) -> None:
    """Shown to fail, so that the tests above can."""
    await asyncio.to_thread(race, database_url, "check, then record")
    async with open_books(database_url) as books:
        rows = await books.db.read(lambda tx: tx.fetch("SELECT name FROM setting"))
        assert len(rows) * PRICE > BUDGET.amount


async def test_nobody_waits_in_a_circle(books: Books) -> None:
    """Batches of several members in several places open, close and are swept, all at once."""
    dead = books.other_process()
    await dead.ledger.heartbeat()
    left = [await dead.sent(dead.job(pictures=4, user=user % 5)) for user in range(10)]
    books.clock.now += 2 * MINUTE
    await books.ledger.heartbeat()

    async def life(number: int) -> None:
        job = books.job(
            pictures=3, user=number % 5, guild=77 + number % 2, channel=number % 3, ceiling=PRICE
        )
        held = await books.sent(job)
        await asyncio.gather(*(books.ledger.settle(c, actual=900) for c in held.charge_ids))

    late = [books.ledger.settle(c, actual=5) for job in left for c in job.charge_ids]
    await asyncio.gather(books.ledger.sweep(), *late, *(life(number) for number in range(60)))
    assert await deadlocks(books) == 0
    assert await audit(books.db) == []


async def test_starters_at_once_migrate_once(postgres: PostgresServer) -> None:
    url = postgres.url(postgres.create())
    await asyncio.to_thread(race, url, "open")
    async with open_books(url) as books:
        rows = await books.db.read(lambda tx: tx.fetch("SELECT version FROM migration"))
        assert len(rows) == len({row.integer("version") for row in rows}) > 0


async def spend(books: Books, user: int, rounds: int) -> None:
    """Spend, and insist on being told what became of it."""
    for _ in range(rounds):
        held = await books.ledger.hold(books.job(ceiling=PRICE, user=user))
        assert await books.ledger.dispatch(held.charge_ids[0], lease_ms=MINUTE)
        assert (await books.ledger.settle(held.charge_ids[0], actual=10)).changed


async def test_killed_connections_lose_nothing_and_nobody_hears_of_them(
    postgres: PostgresServer, database_url: str
) -> None:
    name = urlsplit(database_url).path[1:]
    kill = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{name}' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1"
    )
    killed = 0
    progress = asyncio.Event()

    async def spender(books: Books, user: int) -> None:
        for _ in range(40):
            await spend(books, user, 1)
            progress.set()

    async with open_books(database_url) as books:
        spending = (spender(books, user) for user in range(8))
        work: asyncio.Future[list[None]] = asyncio.gather(*spending)
        while not work.done():
            # Faster than work gets done, killing would prove that nobody tries for ever.
            progress.clear()
            killed += len(await asyncio.to_thread(postgres.run, kill))
            work.add_done_callback(lambda _: progress.set())
            await progress.wait()
        await work
        assert await books.counters("bot", "total") == (0, 8 * 40 * 10, 0)
    assert killed > 10


async def test_a_server_that_is_away_refuses_and_is_used_again_when_it_is_back(
    victim: PostgresServer,
) -> None:
    async with open_books(victim.url(victim.create())) as books:
        held = await books.sent(books.job())
        await asyncio.to_thread(victim.stop)
        for act in (
            books.ledger.hold(books.job()),
            books.ledger.settle(held.charge_ids[0], actual=10),
            books.ledger.spend(11),
        ):
            with pytest.raises(LedgerUnavailable):
                await act
        await asyncio.to_thread(victim.start)
        assert (await books.ledger.settle(held.charge_ids[0], actual=10)).changed
        assert await books.counters("bot", "total") == (0, 10, 0)


@pytest.mark.parametrize("number", [2, 3], ids=["shut down", "crashed"])
async def test_a_server_that_ends_in_the_middle_of_it_all_keeps_the_books(
    victim: PostgresServer, number: int
) -> None:
    told, enough, back = 0, asyncio.Event(), asyncio.Event()

    async def caller(books: Books, user: int) -> None:
        nonlocal told
        while not back.is_set():
            books.clock.now += 1  # so many ids must not be of one millisecond
            held = await books.ledger.hold(books.job(ceiling=PRICE, user=user))
            await books.ledger.dispatch(held.charge_ids[0], lease_ms=MINUTE)
            await books.ledger.settle(held.charge_ids[0], actual=10)
            told += 1
            if told == 20:
                enough.set()

    async with open_books(victim.url(victim.create())) as books:
        work = [asyncio.create_task(caller(books, user)) for user in range(8)]
        await enough.wait()
        await asyncio.to_thread(victim.stop, number)
        await asyncio.to_thread(victim.start)
        back.set()
        ends = await asyncio.gather(*work, return_exceptions=True)
        # Some could be found out about once the server was back, and went on.
        assert LedgerUnavailable in {type(end) for end in ends} <= {LedgerUnavailable, type(None)}
        _, settled, _ = await books.counters("bot", "total")
        # What was told is there; of each caller, one more may be, whose answer never came.
        assert told * 10 <= settled <= (told + 8) * 10


class Wire:
    """A way to the server that breaks when it is told to."""

    def __init__(self, url: str) -> None:
        self.name = urlsplit(url).path[1:]
        (self.server,) = parse_qs(urlsplit(url).query)["host"]
        self.cut: str | None = None
        """Break at the next commit: "before" it is sent, or "after" it is done."""
        self.closed = False
        """Nobody gets through."""
        self.cuts = 0
        self._writers: set[asyncio.StreamWriter] = set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.closed:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_unix_connection(f"{self.server}/.s.PGSQL.5432")
        try:
            await asyncio.gather(self.there(reader, far_writer), self.back(far_reader, writer))
        finally:
            writer.close()
            far_writer.close()

    async def there(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            if data == b"Q\x00\x00\x00\x0bCOMMIT\x00" and self.cut == "before":
                break
            writer.write(data)
        writer.close()

    async def back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            if b"COMMIT\x00" in data and self.cut == "after":
                self.cut = None
                self.cuts += 1
                break
            writer.write(data)
        if self.cut == "before":
            self.cut = None
            self.cuts += 1
        writer.close()


@asynccontextmanager
async def wired(url: str, folder: Path) -> AsyncIterator[tuple[Wire, str]]:
    """Open a wire to a server; gives it and the URL that goes through it."""
    wire = Wire(url)
    server = await asyncio.start_unix_server(wire.carry, folder / ".s.PGSQL.5432")
    async with server:
        yield wire, f"postgresql:///{wire.name}?host={folder}&user=easel"


@pytest.mark.parametrize("cut", ["before", "after"])
async def test_a_lost_commit_is_found_out(database_url: str, tmp_path: Path, cut: str) -> None:
    async with wired(database_url, tmp_path) as (wire, url), open_books(url) as books:
        wire.cut = cut
        held = await books.ledger.hold(books.job(ceiling=PRICE))
        assert await books.counters("bot", "total") == (PRICE, 0, 0)
        wire.cut = cut
        assert await books.ledger.dispatch(held.charge_ids[0], lease_ms=MINUTE)
        wire.cut = cut
        assert (await books.ledger.settle(held.charge_ids[0], actual=10)).changed
        assert wire.cuts == 3


async def test_what_nobody_can_find_out_is_undone_when_the_server_is_back(
    database_url: str, tmp_path: Path
) -> None:
    async def put(tx: Tx) -> None:
        await tx.fetch("INSERT INTO setting (name, content, changed_at) VALUES ('a', '', 0)")

    async def undo(tx: Tx) -> None:
        await tx.fetch("UPDATE setting SET name = 'undone' WHERE name = 'a'")

    async with wired(database_url, tmp_path) as (wire, url), open_books(url) as books:
        wire.cut = "after"
        wire.closed = True
        with pytest.raises(LedgerUnavailable, match="during a commit"):
            await books.db.write(put, undo=undo, limit_s=0.3)
        wire.closed = False
        names: list[str] = []
        async with asyncio.timeout(20):
            while names != ["undone"]:
                rows = await books.db.read(lambda tx: tx.fetch("SELECT name FROM setting"))
                names = [row.text("name") for row in rows]


async def test_no_cancelled_caller_leaves_a_transaction_open(books: Books) -> None:
    async def slow(tx: Tx) -> None:
        await tx.fetch("INSERT INTO setting (name, content, changed_at) VALUES ('a', '', 0)")
        await tx.fetch("SELECT pg_sleep(0.2)")

    async def open_transactions(tx: Tx) -> int:
        (row,) = await tx.fetch(
            "SELECT COUNT(*) AS n FROM pg_stat_activity WHERE datname = current_database() "
            "AND xact_start IS NOT NULL AND pid <> pg_backend_pid()"
        )
        return row.integer("n")

    task = asyncio.create_task(books.db.write(slow))
    while await books.db.read(open_transactions) == 0:
        assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(10):
        while await books.db.read(open_transactions):
            assert task.done()
    rows = await books.db.read(lambda tx: tx.fetch("SELECT name FROM setting"))
    assert [row.text("name") for row in rows] == ["a"]


async def test_refusals_hold_no_prompt(books: Books, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for prompt in ("a secret wish\0", "a secret wish \ud800"):
        with pytest.raises((LedgerUnavailable, UnicodeEncodeError)) as refusal:
            await books.ledger.hold(books.job(prompt=prompt))
        assert "wish" not in str(refusal.value) or isinstance(refusal.value, UnicodeEncodeError)

    async def broken(tx: Tx) -> None:
        await tx.fetch("UPDATE job SET pictures = 0, model = 'a secret wish'")

    await books.ledger.hold(books.job())
    with pytest.raises(LedgerUnavailable):
        await books.db.write(broken)
    assert caplog.records
    assert "wish" not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hunter2/3@db/bot",
        "postgresql://me:hunter2@127.0.0.1:1/bot",
        "postgresql://me:hunter2@127.0.0.1:port/bot",
        "postgresql://me:hunter2@127.0.0.1/bot?sslmode=perhaps",
    ],
)
async def test_a_server_that_cannot_be_used_is_explained_without_its_password(url: str) -> None:
    with pytest.raises(StorageError) as refusal:
        async with open_database(url, clock=StillClock()):
            pass
    assert "hunter2" not in str(refusal.value)
    assert "PostgreSQL" in str(refusal.value)
    assert str(refusal.value).endswith(".")


async def test_a_database_that_does_not_exist_is_named(postgres: PostgresServer) -> None:
    with pytest.raises(StorageError, match=r'database "nowhere" does not exist'):
        async with open_database(postgres.url("nowhere"), clock=StillClock()):
            pass


def test_without_the_extra_one_sentence_says_how_to_get_it() -> None:
    program = (
        "import asyncio, sys; sys.modules['asyncpg'] = None\n"
        "from bot.clock import SystemClock; from bot.storage import StorageError, open_database\n"
        "async def main():\n"
        "    async with open_database('postgresql:///bot', clock=SystemClock()): pass\n"
        "try: asyncio.run(main())\n"
        "except StorageError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert "pip install 'easel-bot[postgres]'" in done.stdout
    assert done.stdout.count("\n") == 1


async def test_a_refusal_is_the_callers_and_leaves_the_connection_usable(books: Books) -> None:
    full = Limit(Scope.MEMBER, Window.DAY, 10)
    refused = (books.ledger.hold(books.job(), [full]) for _ in range(20))
    answers = await asyncio.gather(*refused, return_exceptions=True)
    assert {type(answer) for answer in answers} == {QuotaExceeded}
    await asyncio.gather(*map(partial(spend, books, rounds=1), range(20)))
