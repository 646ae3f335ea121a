"""What a transaction function works with: statements in, typed rows out. No driver, no state."""

from collections.abc import Callable, Coroutine, Sequence
from functools import lru_cache
from typing import Final, Protocol, TypeAlias, TypeVar

T = TypeVar("T")

LIMIT_S: Final = 10.0
"""Longest that one transaction function may take, unless its caller says otherwise."""

Value: TypeAlias = int | str | bytes | None
"""What a column holds. Money is micro-USD, times are epoch ms, yes and no are 1 and 0."""


class RawRow(Protocol):
    """A driver's row: values by column name."""

    def __getitem__(self, name: str, /) -> object: ...


class Row:
    """A row whose columns are read by name and type; a value of another type is a `TypeError`."""

    __slots__ = ("_raw",)

    def __init__(self, raw: RawRow) -> None:
        self._raw = raw

    def integer(self, name: str) -> int:
        """Return a BIGINT NOT NULL."""
        value = self._raw[name]
        return value if isinstance(value, int) else self._typed(name, int)

    def text(self, name: str) -> str:
        """Return a TEXT NOT NULL."""
        value = self._raw[name]
        return value if isinstance(value, str) else self._typed(name, str)

    def maybe_integer(self, name: str) -> int | None:
        """Return a BIGINT."""
        return None if self._raw[name] is None else self._typed(name, int)

    def maybe_text(self, name: str) -> str | None:
        """Return a TEXT."""
        return None if self._raw[name] is None else self._typed(name, str)

    def maybe_blob(self, name: str) -> bytes | None:
        """Return a BYTEA."""
        return None if self._raw[name] is None else self._typed(name, bytes)

    def _typed(self, name: str, kind: type[T]) -> T:
        value = self._raw[name]
        if not isinstance(value, kind):
            raise TypeError(f"column {name} holds {type(value).__name__}, not {kind.__name__}")
        return value


class Tx(Protocol):
    """An open transaction. It lives as long as the function that got it runs."""

    async def fetch(self, sql: str, *values: Value) -> list[Row]:
        """Run one statement with `$1`, `$2`, ... and return its rows."""
        ...

    async def fetch_tuples(self, sql: str, *values: Value) -> list[tuple[object, ...]]:
        """Do the same for rows in their thousands, where an object for each is what takes long.

        Whoever reads them checks their types.
        """
        ...


Transaction: TypeAlias = Callable[[Tx], Coroutine[object, object, T]]
"""A function that awaits only its `tx`, may be run again, and catches no error of a statement.

What it raises rolls everything back that it did. It may run outside the event loop's thread, so it
touches only what it was given.
"""


class Reader(Protocol):
    """A database that is only read."""

    async def read(self, run: Transaction[T], *, limit_s: float = ...) -> T:
        """Run a transaction function that only reads, on one snapshot, beside the writers.

        Raises:
            LedgerUnavailable: it cannot be read now.
        """
        ...


class Store(Reader, Protocol):
    """A database, as the ledger and the job store see it."""

    async def write(
        self, run: Transaction[T], *, undo: Transaction[object] | None = None, limit_s: float = ...
    ) -> T:
        """Run a transaction function that may write, and return what it returns once committed.

        It is run and committed even when the caller is cancelled meanwhile; `undo` then runs after
        it, whether or not it committed anything. `limit_s` bounds the time it may take.

        Raises:
            LedgerUnavailable: nothing was recorded; or, when a server vanished in the middle of a
                commit and did not come back in time, nobody knows, and `undo` runs once it is back.
        """
        ...


async def first(tx: Tx, sql: str, *values: Value) -> Row | None:
    """Run one statement and return its first row, if there is one."""
    rows = await tx.fetch(sql, *values)
    return rows[0] if rows else None


async def insert(
    tx: Tx, table: str, columns: Sequence[str], rows: Sequence[Sequence[Value]]
) -> None:
    """Insert rows in one statement. Names come from our own code, never from outside."""
    if not rows:
        return
    statement = insertion(table, tuple(columns), len(rows))
    await tx.fetch(statement, *(value for row in rows for value in row))


@lru_cache(maxsize=128)
def insertion(table: str, columns: tuple[str, ...], rows: int) -> str:
    """Write the statement that inserts so many rows."""
    marks = placeholders(rows, len(columns))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {marks}"


@lru_cache(maxsize=128)
def placeholders(rows: int, columns: int, *, types: tuple[str, ...] = ()) -> str:
    """Write `($1, $2), ($3, $4)`, each cast to its column's type where `types` are given."""
    marks = [f"${number}" for number in range(1, rows * columns + 1)]
    if types:
        marks = [f"CAST({mark} AS {types[number % columns]})" for number, mark in enumerate(marks)]
    return ", ".join(
        f"({', '.join(marks[start : start + columns])})" for start in range(0, len(marks), columns)
    )
