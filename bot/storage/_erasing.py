"""The order for an erasure: whom it is about, and the row of `setting` that remembers it."""

from enum import StrEnum
from typing import Final

from msgspec import Struct

from bot.storage.rows import Row, Tx, first

MARKER: Final = "erasure."
"""Before a user's id, or `guild.` and a guild's: the name of the row that remembers an erasure."""
_GUILD: Final = "guild."


class Erasable(StrEnum):
    """What is erased."""

    PERSON = "user"
    GUILD = "guild"

    @property
    def column(self) -> str:
        """Where its id stands in jobs, charges and months."""
        return "user_id" if self is Erasable.PERSON else "guild_id"


class Order(Struct, frozen=True):
    """An erasure that is not finished."""

    kind: Erasable
    subject_id: int
    tombstone: int
    asked_ms: int
    removal_id: int | None = None


def marker_of(kind: Erasable, subject_id: int) -> str:
    """Name the row that remembers an erasure."""
    return f"{MARKER}{_GUILD if kind is Erasable.GUILD else ''}{subject_id}"


def subject_of_marker(name: str) -> tuple[Erasable, int]:
    """Read the name of such a row."""
    subject = name.removeprefix(MARKER)
    if subject.startswith(_GUILD):
        return Erasable.GUILD, int(subject.removeprefix(_GUILD))
    return Erasable.PERSON, int(subject)


async def mark(tx: Tx, order: Order) -> Order:
    """Write the marker; of an erasure that is not finished, the tombstone stays.

    A later one widens it, and so does one that wants the links to messages as well.
    """
    (row,) = await tx.fetch(
        "INSERT INTO setting (name, content, changed_at) VALUES ($1, $2, $3) "
        "ON CONFLICT (name) DO UPDATE SET changed_at = "
        "CASE WHEN setting.changed_at > excluded.changed_at "
        "THEN setting.changed_at ELSE excluded.changed_at END RETURNING content, changed_at",
        marker_of(order.kind, order.subject_id),
        _content(order.tombstone, order.removal_id),
        order.asked_ms,
    )
    known = _order(order.kind, order.subject_id, row)
    if order.removal_id is None or order.removal_id == known.removal_id:
        return known
    await tx.fetch(
        "UPDATE setting SET content = $2 WHERE name = $1",
        marker_of(order.kind, order.subject_id),
        _content(known.tombstone, order.removal_id),
    )
    return Order(known.kind, known.subject_id, known.tombstone, known.asked_ms, order.removal_id)


async def read(tx: Tx, kind: Erasable, subject_id: int) -> Order | None:
    """Read the marker, if there is one."""
    row = await first(
        tx, "SELECT content, changed_at FROM setting WHERE name = $1", marker_of(kind, subject_id)
    )
    return None if row is None else _order(kind, subject_id, row)


async def locked(tx: Tx, kind: Erasable, subject_id: int) -> Order | None:
    """Read the marker and keep others out: of two processes that erase somebody, one waits."""
    row = await first(
        tx,
        "UPDATE setting SET content = content WHERE name = $1 RETURNING content, changed_at",
        marker_of(kind, subject_id),
    )
    return None if row is None else _order(kind, subject_id, row)


async def unmark(tx: Tx, order: Order) -> None:
    """Forget that there was something to be erased."""
    await tx.fetch("DELETE FROM setting WHERE name = $1", marker_of(order.kind, order.subject_id))


def _content(tombstone: int, removal_id: int | None) -> str:
    return str(tombstone) if removal_id is None else f"{tombstone} {removal_id}"


def _order(kind: Erasable, subject_id: int, row: Row) -> Order:
    tombstone, _, removal = row.text("content").partition(" ")
    removal_id = int(removal) if removal else None
    return Order(kind, subject_id, int(tombstone), row.integer("changed_at"), removal_id)
