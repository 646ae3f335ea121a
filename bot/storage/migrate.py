"""Migrations: numbered SQL files that bring a database to what the code expects.

A file and the record of it commit together, inside the one writing transaction, so a crash midway
leaves nothing and two starters cannot both apply it. Written for both engines; imports no driver.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct

from bot.clock import Clock
from bot.storage.errors import MigrationError
from bot.storage.rows import Reader, Store, Tx

MIGRATIONS: Final = Path(__file__).resolve().parents[2] / "migrations"

_LIMIT_S: Final = 600.0
_NAME: Final = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_PIECE: Final = re.compile(
    r"""
      '(?:[^']|'')*'      # text
    | "(?:[^"]|"")*"      # a name
    | --[^\n]*            # a comment to the end of the line
    | /\*.*?\*/           # a comment
    | [^'"/;-]+           # anything plain
    | .                   # a semicolon, a lone sign, or a quote that nothing closes
    """,
    re.VERBOSE | re.DOTALL,
)
_ENDS_TRANSACTIONS: Final = re.compile(
    r"\s*(?:BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|ABORT|START|ATTACH|DETACH|PRAGMA|VACUUM)\b",
    re.IGNORECASE,
)


class Migration(Struct, frozen=True):
    """One file."""

    version: int
    name: str
    sha256: str
    """Of its text with `\\n` line ends, so that a checkout on Windows is the same file."""
    statements: tuple[str, ...]


def load(folder: Path) -> tuple[Migration, ...]:
    """Read `NNNN_name.sql` files, in order.

    Raises:
        MigrationError: none, a gap or a repeated number, or SQL that cannot be cut safely.
    """
    files = sorted(folder.glob("*.sql"))
    if not files:
        raise MigrationError(f"No migrations were found in {folder}; the installation is damaged.")
    migrations = []
    for version, file in enumerate(files, start=1):
        match = _NAME.fullmatch(file.name)
        if match is None or int(match[1]) != version:
            raise MigrationError(f"Migration {file.name} should be number {version:04d}.")
        text = file.read_text(encoding="utf-8")
        digest = hashlib.sha256(text.encode()).hexdigest()
        migrations.append(Migration(version, file.name, digest, split(text, name=file.name)))
    return tuple(migrations)


def split(text: str, *, name: str) -> tuple[str, ...]:
    """Cut SQL into statements at the semicolons outside of texts, names and comments.

    Raises:
        MigrationError: an open quote or comment, or a statement that would end the transaction.
    """
    statements, current = [], ""
    for piece in _PIECE.findall(text):
        if piece in {"'", '"'} or (piece.startswith("*") and current.endswith("/")):
            raise MigrationError(f"Migration {name} has a quote or comment that nothing closes.")
        if piece == ";":
            statements.append(current)
            current = ""
        else:
            current += " " if piece.startswith(("--", "/*")) else piece
    if current.strip():
        raise MigrationError(f"Migration {name} does not end with a semicolon.")
    found = tuple(statement.strip() for statement in statements if statement.strip())
    for statement in found:
        if _ENDS_TRANSACTIONS.match(statement):
            raise MigrationError(f"Migration {name} may not run {statement.split()[0]}.")
    return found


async def migrate(
    store: Store,
    files: Sequence[Migration],
    *,
    clock: Clock,
    before_change: Callable[[int], Awaitable[None]] | None = None,
) -> None:
    """Apply the files that the database does not have yet.

    `before_change` is awaited with the database's version when there is something to lose: files
    to apply, to a database that is not new.

    Raises:
        MigrationError: the database is newer than the code, or an applied file was edited.
        LedgerUnavailable: a statement failed; the database is as it was before that file.
    """
    version = await store.write(partial(_current, files))
    if version == len(files):
        return
    if version and before_change is not None:
        await before_change(version)
    for file in files[version:]:
        apply = partial(_apply, files, file, clock.now_ms())
        await store.write(apply, limit_s=_LIMIT_S)


async def check(store: Reader, files: Sequence[Migration]) -> None:
    """Make sure that a database is just what the code expects; changes nothing.

    Raises:
        MigrationError: it is older or newer than the code, or an applied file was edited.
        LedgerUnavailable: it cannot be read, or is no database of the bot's.
    """
    if await store.read(partial(_known, files)) < len(files):
        raise MigrationError(
            "The database is that of an earlier version of the bot. Start the bot once, which "
            "brings it up to date."
        )


async def _current(files: Sequence[Migration], tx: Tx) -> int:
    """Return what `_known` does, also of a database that has nothing yet."""
    await tx.fetch(
        "CREATE TABLE IF NOT EXISTS migration (version BIGINT NOT NULL PRIMARY KEY, "
        "name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at BIGINT NOT NULL)"
    )
    return await _known(files, tx)


async def _known(files: Sequence[Migration], tx: Tx) -> int:
    """Return how many of the files the database has, having checked that they are the same."""
    rows = await tx.fetch("SELECT version, name, sha256 FROM migration ORDER BY version")
    if len(rows) > len(files):
        raise MigrationError(
            f"The database has migration {rows[-1].text('name')}, which this version of the bot "
            "does not know. Run the newer version, or restore the backup made before it."
        )
    for row, file in zip(rows, files, strict=False):
        if row.integer("version") != file.version or row.text("sha256") != file.sha256:
            raise MigrationError(
                f"Migration {file.name} was changed after it had been applied. "
                "Restore the file as it was, and put the change in a new migration."
            )
    return len(rows)


async def _apply(files: Sequence[Migration], file: Migration, now_ms: int, tx: Tx) -> None:
    """Run one file and record it, unless somebody else has done so meanwhile."""
    if await _current(files, tx) >= file.version:
        return
    for statement in file.statements:
        await tx.fetch(statement)
    await tx.fetch(
        "INSERT INTO migration (version, name, sha256, applied_at) VALUES ($1, $2, $3, $4)",
        file.version,
        file.name,
        file.sha256,
        now_ms,
    )
