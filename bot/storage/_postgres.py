"""PostgreSQL through asyncpg, for several processes or machines; the only module that imports it.

Every transaction runs in a task of its own, on a connection from a pool, so a cancelled caller
tears nothing. Its function is stepped by hand: it can await nothing but its `tx`. The isolation is
READ COMMITTED: whatever decides about money is one guarded statement, which PostgreSQL evaluates on
the newest version of each row (docs/adr/0006-two-engines.md says why).

Every writing transaction numbers itself in a row of its own (`commit_mark`). When the server goes
away in the middle of a commit, that row tells what became of it: PostgreSQL lets nobody touch it
before the transaction has ended. (A transaction id won't do: after a crash, another may have it.)
"""

import asyncio
import logging
import random
import secrets
import time
from collections.abc import AsyncIterator, Generator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Final, Generic, TypeAlias, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from msgspec import Struct

from bot.clock import Clock
from bot.errors import LedgerUnavailable, RequestError
from bot.storage._commit_mark import FORGET_MARKS, MAKE_MARKS, READ_MARK, WRITE_MARK
from bot.storage._inside import Inside, refuse_nested
from bot.storage.errors import StorageError
from bot.storage.migrate import Migration, check, migrate
from bot.storage.rows import LIMIT_S, Row, Transaction, Tx, Value

T = TypeVar("T")
_Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"
_Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
_Records: TypeAlias = "list[asyncpg.Record]"

_log = logging.getLogger(__name__)

POOL: Final = 8
"""Connections of one process, at most; more would only wait for the same counters."""
_CONNECT_S: Final = 10.0
_TURN_S: Final = 30.0
"""Longest wait for a connection that is free."""
_TIDY_S: Final = 5.0
"""Longest for a rollback, and for the pool to close."""
_TRIES: Final = 8
_PAUSE_S: Final = 0.01
"""Before a second try, at most; it doubles with each."""
_ASK_AGAIN_S: Final = 0.1
_UNDO_PAUSES_S: Final = (0.1, 0.5, 2.0, 5.0, 20.0)
_MIGRATION_LOCK: Final = 4_737_296_012_331
"""Any number that nobody else in this database locks."""
_MIGRATION_S: Final = 600.0

_WRITE: Final = "READ COMMITTED"
_READ: Final = "REPEATABLE READ READ ONLY"

_FAILURES: Final = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
_GOODBYES: Final = (
    OSError,
    asyncpg.InternalClientError,  # a goodbye that crossed a statement confuses the driver
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
_PASSING: Final = (
    asyncpg.TransactionRollbackError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.InvalidCachedStatementError,
)
"""Serialisation failures and deadlocks, ids that were taken, tables that a migration changed."""


class _Again(Exception):
    """Nothing was committed, and another try may work; the message says what was in the way."""


class _Mark(Struct, frozen=True):
    """What a transaction leaves behind if it is committed: its number, in a row of its own."""

    slot: int
    number: int


class _FateUnknown(LedgerUnavailable):
    """The connection was lost during a commit, and nobody could be asked about it in time."""

    def __init__(self, mark: _Mark) -> None:
        super().__init__("the database went away during a commit")
        self.mark = mark


class _Ask(Struct):
    """A statement on its way from a transaction function to whoever steps it."""

    sql: str
    values: tuple[Value, ...]

    def __await__(self) -> "Generator[_Ask, _Records, _Records]":
        return (yield self)


class _PostgresTx:
    """What a transaction function awaits."""

    async def fetch(self, sql: str, *values: Value) -> list[Row]:
        """Run one statement and return its rows."""
        return [Row(record) for record in await _Ask(sql, values)]

    async def fetch_tuples(self, sql: str, *values: Value) -> list[tuple[object, ...]]:
        """Run one statement and return its rows as plain tuples."""
        return [tuple(record) for record in await _Ask(sql, values)]


async def _drive(run: Transaction[T], connection: _Connection) -> T:
    """Step a transaction function to its end, and run what it asks for.

    Raises:
        RuntimeError: it awaited something else than its `tx`.
    """
    coroutine = run(_PostgresTx())
    answer: _Records | None = None
    problem: Exception | None = None
    first_problem: Exception | None = None
    try:
        while True:
            try:
                with Inside():
                    asked = coroutine.throw(problem) if problem else coroutine.send(answer)
            except StopIteration as stop:
                if first_problem is not None:  # it swallowed an error of a statement
                    raise first_problem from None
                value: T = stop.value
                return value
            if not isinstance(asked, _Ask):
                raise RuntimeError("a transaction function may await only its tx")  # noqa: TRY004 - as on SQLite
            problem = None
            try:
                answer = await connection.fetch(asked.sql, *asked.values)
            except _FAILURES as error:
                problem = error
                first_problem = first_problem or error
    finally:
        coroutine.close()


class _Work(Struct, Generic[T], frozen=True):
    """A transaction that somebody wants."""

    run: Transaction[T]
    mode: str
    limit_s: float

    @property
    def begin(self) -> str:
        """Start it; the server ends it when the machine that we run on is gone."""
        limit = max(1, int(self.limit_s * 1000))
        return (
            f"BEGIN ISOLATION LEVEL {self.mode}; SET LOCAL statement_timeout = {limit}; "
            f"SET LOCAL idle_in_transaction_session_timeout = {limit}"
        )


class PostgresDatabase:
    """A migrated database. `bot.storage.rows.Store` tells what its methods promise."""

    def __init__(self, pool: _Pool) -> None:
        self._pool = pool
        self._tasks: set[asyncio.Task[object]] = set()
        self._closing = asyncio.Event()
        self._slots: list[int] = []
        """Rows for marks that no transaction uses just now."""
        self._numbers = count(1)

    async def write(
        self,
        run: Transaction[T],
        *,
        undo: Transaction[object] | None = None,
        limit_s: float = LIMIT_S,
    ) -> T:
        """Run a transaction function that may write; see `Store.write`."""
        task = self._start(_Work(run, _WRITE, limit_s))
        try:
            return await asyncio.shield(task)
        except (asyncio.CancelledError, _FateUnknown):
            task.add_done_callback(_tell_log)
            if undo is not None and not self._closing.is_set():
                self._keep(asyncio.create_task(self._undo(task, _Work(undo, _WRITE, limit_s))))
            raise

    async def read(self, run: Transaction[T], *, limit_s: float = LIMIT_S) -> T:
        """Run a transaction function that only reads; see `Store.read`."""
        return await asyncio.shield(self._start(_Work(run, _READ, limit_s)))

    async def close(self) -> None:
        """Finish every transaction that was asked for, and take no more."""
        self._closing.set()
        while self._tasks:
            await asyncio.wait(self._tasks)
        try:
            async with asyncio.timeout(_TIDY_S):
                await self._pool.close()
        except (TimeoutError, *_FAILURES):
            self._pool.terminate()

    def _start(self, work: _Work[T]) -> "asyncio.Task[T]":
        refuse_nested()
        if self._closing.is_set():
            raise LedgerUnavailable("the database is closed")
        task = asyncio.create_task(self._insist(work), name="transaction")
        self._keep(task)
        return task

    def _keep(self, task: "asyncio.Task[T]") -> None:
        """Hold on to a task until it has ended."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _insist(self, work: _Work[T]) -> T:
        """Run a transaction, again where another try may mend it.

        Raises:
            LedgerUnavailable: the database does not take it.
        """
        for number in range(_TRIES):
            try:
                return await self._attempt(work)
            except _Again as error:
                said = str(error)
                await asyncio.sleep(random.uniform(0, _PAUSE_S * 2**number))  # noqa: S311 - no secret
        _log.error("the database refused a transaction: %s", said)
        raise LedgerUnavailable(said)

    async def _attempt(self, work: _Work[T]) -> T:
        """Run a transaction once.

        Raises:
            _Again: nothing was committed; it is worth another try.
            LedgerUnavailable: it is not.
        """
        mark = self._new_mark() if work.mode == _WRITE else None
        connection = await self._borrow()
        try:
            try:
                async with asyncio.timeout(work.limit_s):
                    await connection.execute(work.begin)
                    if mark is not None:
                        await connection.execute(WRITE_MARK, mark.slot, mark.number)
                    value = await _drive(work.run, connection)
            except (TimeoutError, *_FAILURES) as error:
                lost = _is_lost(connection, error)
                await _roll_back(connection)
                if lost or isinstance(error, _PASSING):
                    raise _Again(_words(error)) from None
                _log.error("the database refused a transaction: %s", _words(error))
                raise LedgerUnavailable(_words(error)) from None
            except BaseException:
                await _roll_back(connection)
                raise
            answered = await _commit(connection)
        finally:
            await self._give_back(connection)
        if mark is None:  # it has what it read
            return value
        if not answered and not await self._was_committed(mark, within_s=work.limit_s):
            raise _Again("the connection was lost during a commit")
        self._slots.append(mark.slot)
        return value

    def _new_mark(self) -> _Mark:
        """Choose a row that nobody uses. After a failure it is not used again: it may be locked."""
        slot = self._slots.pop() if self._slots else secrets.randbits(62)
        return _Mark(slot, next(self._numbers))

    async def _borrow(self) -> _Connection:
        """Take a connection from the pool.

        Raises:
            LedgerUnavailable: there is no server, or no turn in time.
        """
        try:
            return await self._pool.acquire(timeout=_TURN_S)
        except (TimeoutError, *_FAILURES) as error:
            _log.error("the database cannot be reached: %s", _words(error))
            raise LedgerUnavailable(_words(error)) from None

    async def _give_back(self, connection: _Connection) -> None:
        try:
            await self._pool.release(connection, timeout=_TIDY_S)
        except (TimeoutError, *_FAILURES) as error:  # the pool has dropped it
            _log.info("a connection was dropped: %s", _words(error))

    async def _was_committed(self, mark: _Mark, *, within_s: float) -> bool:
        """Find out what became of a transaction whose commit got no answer.

        Raises:
            _FateUnknown: nobody can tell within the time given, in seconds.
        """
        deadline = time.monotonic() + within_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(left), self._pool.acquire() as connection:
                    number = await connection.fetchval(READ_MARK, mark.slot)
            except (TimeoutError, *_FAILURES) as error:
                _log.warning("what became of a commit is not known yet: %s", _words(error))
                await asyncio.sleep(min(left, _ASK_AGAIN_S))
            else:
                return bool(number == mark.number)
        raise _FateUnknown(mark)

    async def _undo(self, task: "asyncio.Task[T]", undo: _Work[object]) -> None:
        """Undo what `task` did once it has ended, however long the server is away."""
        await asyncio.wait([task])
        error = None if task.cancelled() else task.exception()
        number = 0
        while True:
            try:
                if isinstance(error, _FateUnknown):
                    await self._was_committed(error.mark, within_s=undo.limit_s)
                await self._insist(undo)
            except LedgerUnavailable:
                if self._closing.is_set():
                    # This process ends now: the sweeper of another closes what it left.
                    _log.exception("what an abandoned transaction did was not undone")
                    return
            else:
                return
            pause = _UNDO_PAUSES_S[min(number, len(_UNDO_PAUSES_S) - 1)]
            number += 1
            try:
                async with asyncio.timeout(pause):
                    await self._closing.wait()
            except TimeoutError:
                continue


def _tell_log(task: "asyncio.Task[T]") -> None:
    """Say that a transaction broke whose caller does not hear it any more."""
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, RequestError):
        _log.error("a transaction whose caller has gone failed", exc_info=error)


async def _roll_back(connection: _Connection) -> None:
    """End a transaction without a trace; drop the connection when that does not work."""
    task = asyncio.current_task()
    try:
        if task is not None and task.cancelling():
            connection.terminate()
        elif not connection.is_closed():
            await connection.execute("ROLLBACK", timeout=_TIDY_S)
    except (TimeoutError, *_FAILURES):
        _drop(connection)


async def _commit(connection: _Connection) -> bool:
    """Commit; False when no answer came, or none that is sure, so that nobody knows yet."""
    try:
        return await connection.execute("COMMIT", timeout=LIMIT_S) == "COMMIT"
    except (TimeoutError, *_FAILURES) as error:
        _log.warning("a commit was answered with: %s", _words(error))
        _drop(connection)
        return False


def _drop(connection: _Connection) -> None:
    try:
        connection.terminate()
    except asyncpg.InterfaceError:  # it has dropped itself
        return


def _is_lost(connection: _Connection, error: Exception) -> bool:
    """Whether there is nothing any more at the other end."""
    if isinstance(error, TimeoutError):
        return False
    try:
        return isinstance(error, _GOODBYES) or connection.is_closed()
    except asyncpg.InterfaceError:  # the pool has taken it away, since it was closed
        return True


def _words(error: Exception) -> str:
    """Say what went wrong without the values in it: they may be somebody's prompt."""
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, OSError):
        return str(error)
    if isinstance(error, asyncpg.PostgresError) and not isinstance(error, asyncpg.DataError):
        return str(error.args[0] if error.args else type(error).__name__)
    return type(error).__name__


class _OneAtATime:
    """The database, with every transaction under one lock: two starters migrate in turn."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def write(
        self,
        run: Transaction[T],
        *,
        undo: Transaction[object] | None = None,
        limit_s: float = LIMIT_S,
    ) -> T:
        async def locked(tx: Tx) -> T:
            await tx.fetch("SELECT pg_advisory_xact_lock($1)", _MIGRATION_LOCK)
            return await run(tx)

        return await self._database.write(locked, undo=undo, limit_s=max(limit_s, _MIGRATION_S))

    async def read(self, run: Transaction[T], *, limit_s: float = LIMIT_S) -> T:
        return await self._database.read(run, limit_s=limit_s)


@asynccontextmanager
async def open_postgres(
    url: str, files: Sequence[Migration], *, clock: Clock | None
) -> AsyncIterator[PostgresDatabase]:
    """Connect to the server, and migrate its database; with no clock, only to read it.

    Raises:
        StorageError: with a sentence for the operator, which never holds the password.
    """
    pool = await _connect(url)
    database = PostgresDatabase(pool)
    try:
        try:
            if clock is None:
                await check(database, files)
            else:
                await _prepare_marks(pool)
                await migrate(_OneAtATime(database), files, clock=clock)
        except LedgerUnavailable as error:
            raise StorageError(f"The PostgreSQL database cannot be used: {error}.") from error
        except (TimeoutError, *_FAILURES) as error:
            raise StorageError(
                f"The PostgreSQL database cannot be used: {_words(error)}."
            ) from None
        yield database
    finally:
        await database.close()


async def _prepare_marks(pool: _Pool) -> None:
    """Make the table of marks, and forget those of processes that are long dead."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _MIGRATION_LOCK)
        await connection.execute(MAKE_MARKS)
        await connection.execute(FORGET_MARKS)


async def _connect(url: str) -> _Pool:
    try:
        return await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=POOL,
            reset=_nothing_to_reset,
            timeout=_CONNECT_S,
            statement_cache_size=256,
            server_settings={"application_name": "easel", "synchronous_commit": "on"},
        )
    except (ValueError, asyncpg.ClientConfigurationError):
        raise StorageError(
            "DATABASE_URL is no address of a PostgreSQL database, such as "
            "postgresql://user:password@host:5432/name (write @ : / ? # and % in a password as "
            "%40 %3A %2F %3F %23 and %25)."
        ) from None
    except (TimeoutError, *_FAILURES) as error:
        raise StorageError(f"The PostgreSQL server cannot be used: {_words(error)}.") from None


async def _nothing_to_reset(_connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Spare the round trip: no transaction leaves anything behind in its connection."""
