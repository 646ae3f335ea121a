"""The database: one door for reading and writing; the only module that imports a driver."""

from contextlib import AbstractAsyncContextManager

from bot.clock import Clock


class Database:
    """A migrated database."""


def open_database(
    url: str, *, clock: Clock, backup: bool = True
) -> AbstractAsyncContextManager[Database]:
    """Open (and make, and migrate) the database at `sqlite:///relative` or `sqlite:////absolute`.

    Raises:
        StorageError: with a sentence for the operator: wrong URL, in use, migration refused.
    """
    raise NotImplementedError
