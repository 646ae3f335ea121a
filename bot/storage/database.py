"""The door to the database: which engine a URL names, and what every engine offers.

SQLite (`_sqlite`) is for one process, PostgreSQL (`_postgres`) for several. Each of these two files
is the only one that imports its driver, and PostgreSQL's is an extra, imported when it is wanted.

Owns no table: migrations make them, `ledger` and `jobs` use them.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote

from bot.clock import Clock
from bot.storage._backups import backups_of, made_at
from bot.storage._sqlite import SqliteDatabase, open_sqlite, read_sqlite
from bot.storage.errors import StorageError, UnsupportedDatabase
from bot.storage.migrate import MIGRATIONS, load
from bot.storage.rows import Reader, Store

BESIDE_NO_FILE: Final = Path("data", "bot.db")
"""What other files are beside when the database is none: where it would be by default. Processes
may share the list of models there, since it is replaced whole."""


class Database(Store, Protocol):
    """A migrated database. `bot.storage.rows.Store` tells what its methods promise."""

    async def close(self) -> None:
        """Finish every transaction that was asked for, what it undoes included; take no more."""
        ...


@asynccontextmanager
async def open_database(
    url: str, *, clock: Clock, backup: bool = True, migrations: Path = MIGRATIONS
) -> AsyncIterator[Database]:
    """Open the database that a URL names, and bring its tables to what the code expects.

    `sqlite:///relative` or `sqlite:////absolute` names a file, which is made when there is none.
    With `backup`, a file that migrations will change is copied first, beside itself.
    `postgresql://user:password@host:port/name` names a database that somebody has made, and that
    its owner backs up.

    Raises:
        StorageError: with a sentence for the operator: wrong URL, in use, migration refused.
    """
    path = sqlite_path(url)
    files = load(migrations)
    if path is not None:
        async with open_sqlite(path, files, clock=clock, backup=backup) as file:
            yield file
        return
    async with _postgres()(url, files, clock=clock) as database:
        yield database


@asynccontextmanager
async def read_database(url: str) -> AsyncIterator[Reader]:
    """Open the database that a URL names to read it, while a bot works with it or while none does.

    Raises:
        StorageError: with a sentence for the operator: there is none, or it is of another version.
    """
    path, files = sqlite_path(url), load(MIGRATIONS)
    if path is not None:
        async with read_sqlite(path, files) as file:
            yield file
        return
    async with _postgres()(url, files, clock=None) as database:
        yield database


async def scrub(database: Store) -> bool:
    """Leave nothing of what was deleted in the files of the database, as far as we can.

    SQLite overwrites what is deleted, but its log still has it: that is emptied. False while
    somebody reads the log, so that it has to be tried again. A server tidies up by itself.
    """
    return await database.scrub() if isinstance(database, SqliteDatabase) else True


def forget_backups(path: Path, *, before_ms: int) -> int:
    """Delete copies that were made of a file before it was migrated, if they are so old.

    They hold what was erased since. Returns how many; blocking.
    """
    old = [copy for copy in backups_of(path) if made_at(copy) < before_ms]
    for copy in old:
        copy.unlink(missing_ok=True)
    return len(old)


def _postgres() -> "Callable[..., AbstractAsyncContextManager[Database]]":
    """Return what opens a database of PostgreSQL, whose driver is an extra.

    Raises:
        StorageError: it is not installed.
    """
    try:
        from bot.storage._postgres import open_postgres
    except ModuleNotFoundError as error:
        if error.name != "asyncpg":
            raise
        raise StorageError(
            "PostgreSQL needs one more package: pip install 'easel-bot[postgres]' "
            "(`make run` installs it by itself)."
        ) from error
    return open_postgres


def sqlite_path(url: str) -> Path | None:
    """Return the file that a URL names; None for PostgreSQL, which several processes may share.

    Raises:
        UnsupportedDatabase: it names no database of a kind that we know.
    """
    if url.startswith(("postgresql://", "postgres://")):
        return None
    scheme, separator, name = url.partition(":///")
    if scheme != "sqlite" or not separator or not name or name.endswith("/"):
        raise UnsupportedDatabase(
            "DATABASE_URL must name a file, such as sqlite:///data/bot.db "
            "(or sqlite:////srv/bot.db with its full path), or postgresql://user@host/name."
        )
    return Path(unquote(name))
