"""One process a database: the lock beside the file, and the sentence for who comes second."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bot import filelock
from bot.storage.errors import DatabaseInUse


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file at `path`; it stays behind, empty, since deleting it would race.

    Raises:
        DatabaseInUse: somebody else holds it.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(filelock.exclusive(path))
        except filelock.FileLocked as error:
            raise DatabaseInUse(
                f"{path.name.removesuffix('.lock')} is in use by another process of the bot. "
                "Stop that one first; to run several, use PostgreSQL "
                "(DATABASE_URL=postgresql://...)."
            ) from error
        yield
