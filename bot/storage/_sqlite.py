"""SQLite through aiosqlite, for one process; the only module that imports its driver.

A connection lives in a thread of its own; a transaction function runs there from its first
statement to its last, in one visit: it awaits only its `tx`, which answers at once, so nothing that
happens on the event loop can leave a transaction open. Writers that wait at the same time share one
commit, each inside a savepoint of its own.
"""

import asyncio
import logging
import os
import re
import sqlite3
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar, cast

import aiosqlite
from msgspec import Struct

from bot.clock import Clock
from bot.errors import LedgerUnavailable, RequestError
from bot.storage._backups import copy_of, delete_old
from bot.storage._inside import Inside, refuse_nested
from bot.storage.errors import StorageError
from bot.storage.lock import exclusive
from bot.storage.migrate import Migration, check, migrate
from bot.storage.rows import LIMIT_S, Row, Transaction, Value

T = TypeVar("T")

_log = logging.getLogger(__name__)

MAX_GROUP: Final = 64
"""Write transactions that share a commit, at most: what the first of them waits for."""
READERS: Final = 2
_BUSY_MS: Final = 5_000
_SCRUB_WAIT_MS: Final = 100
"""How long everybody may wait for one who reads the log, when it is to be emptied."""
_LOG_PAGES: Final = 4_000
"""Pages of the log (4 KiB each) after which they are put into the file. Of what is written over and
over, as the counters are, only the last goes there."""
_TRIES: Final = 3
_OPS_BETWEEN_CHECKS: Final = 50_000
_UNREADABLE: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR)
"""Errors after which what was read of the file is not to be believed any more."""

_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",  # first: it is the one that changes the file
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
    f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}",
    f"PRAGMA busy_timeout = {_BUSY_MS}",
)


class _Work(Struct, eq=False):
    """A transaction function, and the future that its caller awaits."""

    run: Transaction[object]
    answer: "asyncio.Future[object]"
    limit_s: float
    tries: int = 0

    def succeed(self, value: object) -> None:
        """Tell the caller, if it still waits."""
        if not self.answer.done():
            self.answer.set_result(value)

    def fail(self, error: Exception) -> None:
        """Tell the caller, or the log when nobody waits and something broke."""
        if not self.answer.done():
            self.answer.set_exception(error)
        elif not isinstance(error, RequestError):
            _log.error("a transaction whose caller has gone failed", exc_info=error)


_Outcome: TypeAlias = tuple[_Work, object, Exception | None]
_Ended: TypeAlias = Callable[[Sequence[_Work], list[_Outcome] | BaseException], None]
"""Told what came of works that ran together, or why none of them is in the database."""


@lru_cache(maxsize=512)
def _for_sqlite(sql: str) -> str:
    """Turn `$1` into `?1`; our statements hold no literal with a dollar sign.

    A table's key becomes the one type that SQLite keeps rows by: by any other it finds them through
    a second tree (sqlite.org/lang_createtable.html, "ROWIDs and the INTEGER PRIMARY KEY").
    """
    sql = sql.replace("BIGINT NOT NULL PRIMARY KEY", "INTEGER NOT NULL PRIMARY KEY")
    return re.sub(r"\$(\d+)", r"?\1", sql)


def _code(error: BaseException) -> int:
    """Return SQLite's primary error code; 0 for what did not come from SQLite itself."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


class _SqliteTx(Struct):
    """A transaction's statements, run at once in the connection's own thread."""

    connection: sqlite3.Connection
    deadline: float
    """`time.monotonic()` seconds."""
    failure: sqlite3.Error | None = None

    async def fetch(self, sql: str, *values: Value) -> list[Row]:
        """Run one statement and return its rows."""
        return [Row(raw) for raw in self._run(sqlite3.Row, sql, values)]

    async def fetch_tuples(self, sql: str, *values: Value) -> list[tuple[object, ...]]:
        """Run one statement and return its rows as plain tuples."""
        return self._run(None, sql, values)

    def _run(self, kind: type[sqlite3.Row] | None, sql: str, values: Sequence[Value]) -> list[Any]:
        if time.monotonic() > self.deadline:
            self.failure = sqlite3.OperationalError("the transaction took too long")
            raise self.failure
        cursor = self.connection.cursor()
        cursor.row_factory = kind
        try:
            return cursor.execute(_for_sqlite(sql), values).fetchall()
        except sqlite3.Error as error:
            self.failure = error
            raise
        finally:
            # Or the failure, whose traceback knows the cursor, keeps the connection half open.
            cursor.close()


def _drive(work: _Work, tx: _SqliteTx) -> object:
    """Run a transaction function to its end without an event loop."""
    coroutine = work.run(tx)
    try:
        with Inside():
            coroutine.send(None)
    except StopIteration as stop:
        if tx.failure is not None:
            raise tx.failure from None
        result: object = stop.value
        return result
    finally:
        coroutine.close()
    raise RuntimeError("a transaction function may await only its tx")


class _Connection(aiosqlite.Connection):
    """A connection and its thread, in which whole groups of transactions run."""

    def __init__(self, path: Path, *, writes: bool, beside: bool = False) -> None:
        """`beside` another process, which owns the file: not even the file itself is made."""
        connector = partial(
            sqlite3.connect,
            f"{path.absolute().as_uri()}?mode=ro" if beside else path,
            uri=beside,
            timeout=_BUSY_MS / 1000,
            isolation_level=None,
            cached_statements=256,
        )
        super().__init__(connector, iter_chunk_size=64)
        self._writes = writes
        self._pragmas = _PRAGMAS[1:] if beside else _PRAGMAS
        self._deadline = float("inf")

    async def set_up(self) -> None:
        """Choose durability over speed, once, right after connecting.

        Apart from connecting, whose failure would leave the thread behind for a while.

        Raises:
            sqlite3.Error: the file is no database, or somebody else has locked it.
        """
        await self._execute(self._set_up)  # type: ignore[no-untyped-call]  # aiosqlite's lack

    def _set_up(self) -> None:
        connection = self._conn
        for pragma in self._pragmas:
            connection.execute(pragma)
        if not self._writes:
            connection.execute("PRAGMA query_only = ON")
        connection.set_progress_handler(self._too_late, _OPS_BETWEEN_CHECKS)

    def _too_late(self) -> int:
        return time.monotonic() > self._deadline

    def start(self, works: Sequence[_Work], ended: _Ended) -> None:
        """Run transaction functions in one commit, in the thread; then call `ended` in the loop.

        Not as aiosqlite's own methods do it: each coroutine and each future on the way would be one
        more round of the event loop for everybody who waits.
        """
        loop = asyncio.get_running_loop()

        def run() -> None:
            result: list[_Outcome] | BaseException
            try:
                result = self._run(works)
            except BaseException as error:  # noqa: BLE001 - told to those who wait for it
                result = error
            loop.call_soon_threadsafe(ended, works, result)

        self._tx.put_nowait((None, run))

    def _run(self, works: Sequence[_Work]) -> list[_Outcome]:
        """Run transaction functions in one commit.

        Raises:
            sqlite3.Error: a statement or the commit failed; none of them is in the database.
        """
        connection = self._conn
        try:
            connection.execute("BEGIN IMMEDIATE" if self._writes else "BEGIN")
            outcomes = [self._one(connection, work, alone=len(works) == 1) for work in works]
            self._deadline = float("inf")
            if connection.in_transaction:  # a function that failed alone has rolled back
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back(connection)
            if _code(error) in _UNREADABLE:
                # Or its pages stay in memory as they were read, even when the file is whole again.
                connection.execute("PRAGMA shrink_memory")
            raise
        finally:
            self._roll_back(connection)
        return outcomes

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        self._deadline = float("inf")
        if connection.in_transaction:
            connection.execute("ROLLBACK")

    def _one(self, connection: sqlite3.Connection, work: _Work, *, alone: bool) -> _Outcome:
        """Run one function; what it raises takes back only what it did."""
        self._deadline = time.monotonic() + work.limit_s
        if not alone:
            connection.execute("SAVEPOINT one")
        try:
            value = _drive(work, _SqliteTx(connection, self._deadline))
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - it belongs to the caller, who awaits it
            connection.execute("ROLLBACK" if alone else "ROLLBACK TO one")
            outcome: _Outcome = (work, None, error)
        else:
            outcome = (work, value, None)
        if not alone:
            connection.execute("RELEASE one")
        return outcome

    async def empty_log(self) -> bool:
        """Write everything into the file and empty its log; False while somebody reads the log."""
        # In the thread, between two groups of transactions.
        return cast("bool", await self._execute(self._empty_log))  # type: ignore[no-untyped-call]  # aiosqlite's lack

    def _empty_log(self) -> bool:
        try:
            self._conn.execute(f"PRAGMA busy_timeout = {_SCRUB_WAIT_MS}")
            ((busy, *_),) = self._conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.OperationalError:
            return False
        finally:
            self._conn.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
        return not busy

    async def back_up(self, target: Path) -> None:
        """Copy the database to a new file, whole or not at all."""
        await self._execute(self._back_up, target)  # type: ignore[no-untyped-call]  # aiosqlite's lack

    def _back_up(self, target: Path) -> None:
        partial_copy = target.with_name(target.name + ".part")
        partial_copy.unlink(missing_ok=True)
        os.close(os.open(partial_copy, os.O_CREAT | os.O_WRONLY, 0o600))
        copy = sqlite3.connect(partial_copy)
        try:
            self._conn.backup(copy)
        finally:
            copy.close()
        partial_copy.replace(target)


class _Server:
    """Owns a connection and hands it transactions, first come first, one group at a time.

    It is no task, so that nothing can be cancelled in it: the end of a group begins the next one.
    Callers never run anything on the connection themselves, so cancelling them tears nothing.
    """

    def __init__(self, connection: _Connection, waiting: deque[_Work], *, group: int) -> None:
        self._connection = connection
        self._waiting = waiting
        self._apart: deque[_Work] = deque()
        self._group = group
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs on the connection."""
        return self._idle.is_set()

    async def finish(self) -> None:
        """Wait until nothing runs and nothing waits."""
        await self._idle.wait()

    def serve(self) -> None:
        """Begin with what waits, unless something runs: then its end does."""
        if self.is_idle:
            self._next()

    def _next(self) -> None:
        works = self._take()
        if not works:
            self._idle.set()
            return
        self._idle.clear()
        self._connection.start(works, self._ended)

    def _take(self) -> list[_Work]:
        """Take whoever has to run apart from others, else a group of those who wait."""
        if self._apart:
            return [self._apart.popleft()]
        return [self._waiting.popleft() for _ in range(min(self._group, len(self._waiting)))]

    def _ended(self, works: Sequence[_Work], result: list[_Outcome] | BaseException) -> None:
        if isinstance(result, BaseException):
            self._broke(works, result)
        else:
            for work, value, failure in result:
                if failure is None:
                    work.succeed(value)
                else:
                    work.fail(failure)
        self._next()

    def _broke(self, works: Sequence[_Work], error: BaseException) -> None:
        """When a group breaks, run each of its members alone.

        Not so when the file is locked: each of them would wait as long as all have waited together.
        """
        if len(works) > 1 and _code(error) != sqlite3.SQLITE_BUSY:
            self._apart.extend(works)
            return
        for work in works:
            self._again(work, error)

    def _again(self, work: _Work, error: BaseException) -> None:
        """Retry what a new try may mend: an id that was taken. The rest is told to the caller."""
        work.tries += 1
        if isinstance(error, sqlite3.IntegrityError) and work.tries < _TRIES:
            self._apart.appendleft(work)
            return
        _log.error("the database refused a transaction: %s", error)
        refusal = LedgerUnavailable(str(error))
        refusal.__cause__ = error
        work.fail(refusal)


class SqliteDatabase:
    """A migrated database in a file. `bot.storage.rows.Store` tells what its methods promise."""

    def __init__(self, writer: _Connection, readers: Sequence[_Connection]) -> None:
        self._writes: deque[_Work] = deque()
        self._reads: deque[_Work] = deque()
        self._connection = writer
        self._writer = _Server(writer, self._writes, group=MAX_GROUP)
        self._readers = [_Server(reader, self._reads, group=1) for reader in readers]
        self._closed = False

    async def write(
        self,
        run: Transaction[T],
        *,
        undo: Transaction[object] | None = None,
        limit_s: float = LIMIT_S,
    ) -> T:
        """Run a transaction function that may write; see `Store.write`."""
        work = self._submit(run, self._writes, limit_s=limit_s)
        self._writer.serve()
        try:
            return cast("T", await work.answer)
        except asyncio.CancelledError:
            if undo is not None and not self._closed:
                self._submit(undo, self._writes, limit_s=limit_s).answer.cancel()
                self._writer.serve()
            raise

    async def read(self, run: Transaction[T], *, limit_s: float = LIMIT_S) -> T:
        """Run a transaction function that only reads; see `Store.read`."""
        work = self._submit(run, self._reads, limit_s=limit_s)
        for reader in self._readers:
            if reader.is_idle:
                reader.serve()
                break
        return cast("T", await work.answer)

    async def scrub(self) -> bool:
        """Leave nothing of what was deleted; see `bot.storage.database.scrub`."""
        return not self._closed and await self._connection.empty_log()

    async def close(self) -> None:
        """Finish every transaction that was asked for, and take no more."""
        if self._closed:
            return
        self._closed = True
        servers = (self._writer, *self._readers)
        await asyncio.shield(asyncio.gather(*(server.finish() for server in servers)))

    def _submit(self, run: Transaction[T], queue: deque[_Work], *, limit_s: float) -> _Work:
        refuse_nested()
        if self._closed:
            raise LedgerUnavailable("the database is closed")
        work = _Work(run, asyncio.get_running_loop().create_future(), limit_s)
        queue.append(work)
        return work


@asynccontextmanager
async def open_sqlite(
    path: Path, files: Sequence[Migration], *, clock: Clock, backup: bool
) -> AsyncIterator[SqliteDatabase]:
    """Open (and make, and migrate) the file at `path`.

    With `backup`, a database that migrations will change is copied first, beside itself, and the
    last few copies are kept.

    Raises:
        StorageError: with a sentence for the operator.
    """
    async with AsyncExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(exclusive(path.with_name(path.name + ".lock")))
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            writer, *readers = [
                await stack.enter_async_context(_connect(path, writes=number == 0))
                for number in range(1 + READERS)
            ]
            database = SqliteDatabase(writer, readers)
            stack.push_async_callback(database.close)
            keep = partial(_back_up, writer, path, clock) if backup else None
            await migrate(database, files, clock=clock, before_change=keep)
        except (OSError, sqlite3.Error, LedgerUnavailable) as error:
            raise StorageError(f"The database {path} cannot be opened: {error}.") from error
        yield database


@asynccontextmanager
async def read_sqlite(path: Path, files: Sequence[Migration]) -> AsyncIterator[SqliteDatabase]:
    """Open the file at `path` to read it, whether or not a bot has it open; changes nothing.

    Raises:
        StorageError: with a sentence for the operator.
    """
    _check_is_there(path)
    async with AsyncExitStack() as stack:
        try:
            first, *others = [
                await stack.enter_async_context(_connect(path, writes=False, beside=True))
                for _ in range(READERS)
            ]
            database = SqliteDatabase(first, others)
            stack.push_async_callback(database.close)
            await check(database, files)
        except (OSError, sqlite3.Error, LedgerUnavailable) as error:
            raise StorageError(f"The database {path} cannot be read: {error}.") from error
        yield database


def _check_is_there(path: Path) -> None:
    """Look before opening: the thread of a connection that fails stays behind for a while."""
    if not path.is_file():
        raise StorageError(f"There is no database at {path}: start the bot once, which makes it.")


@asynccontextmanager
async def _connect(path: Path, *, writes: bool, beside: bool = False) -> AsyncIterator[_Connection]:
    connection = _Connection(path, writes=writes, beside=beside)
    await connection
    try:
        await connection.set_up()
        yield connection
    finally:
        await connection.close()


async def _back_up(writer: _Connection, path: Path, clock: Clock, version: int) -> None:
    """Copy the database as it was at `version`, and delete all but the newest copies."""
    await writer.back_up(copy_of(path, version=version, now_ms=clock.now_ms()))
    delete_old(path)
