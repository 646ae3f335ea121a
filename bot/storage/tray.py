"""Pictures that a person has put aside for one edit, from several messages.

Owns the table `tray_picture`. What a picture is, and whether it can still be read, is judged by
whoever reads it.
"""

import json
from collections.abc import Collection, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import asdict

from bot.clock import Clock
from bot.ids import make_id
from bot.requests import Source
from bot.storage.rows import LIMIT_S, Row, Store, Tx, insert, placeholders

MOST_IN_TRAY: Final = 16
"""As many as one edit may start from."""
TRAY_MS: Final = 7 * 86_400_000
"""How long a picture stays (ms)."""


class TrayPicture(Struct, frozen=True):
    """One picture of a tray; `id` is what drops it."""

    id: int
    source: Source


class Added(Struct, frozen=True):
    """What became of pictures that were to be put into a tray."""

    tray: tuple[TrayPicture, ...]
    """The whole tray now, oldest first."""
    new: int
    known: int
    """How many were there already."""
    left_out: int
    """How many found no room."""


class Tray:
    """One tray a person, the same everywhere. Every method may raise `LedgerUnavailable`."""

    def __init__(self, db: Store, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def add(self, user_id: int, sources: Sequence[Source]) -> Added:
        """Put pictures aside, as long as there is room, and forget those of everybody's last week.

        A picture that is in the tray already is not added again.
        """
        now = self._clock.now_ms()
        # Made in one millisecond, ids are in no order of their own.
        ids = sorted(make_id(self._clock) for _ in sources)

        async def run(tx: Tx) -> Added:
            await tx.fetch("DELETE FROM tray_picture WHERE added_at <= $1", now - TRAY_MS)
            there = await _list(tx, user_id, now)
            places = {each.source.place for each in there}
            wanted = {each.place: each for each in sources if each.place not in places}
            fitting = list(wanted.values())[: max(0, MOST_IN_TRAY - len(there))]
            new = [TrayPicture(*pair) for pair in zip(ids, fitting, strict=False)]
            await insert(
                tx,
                "tray_picture",
                ("id", "user_id", "source", "added_at"),
                [(each.id, user_id, json.dumps(asdict(each.source)), now) for each in new],
            )
            known = len(sources) - len(wanted)
            return Added((*there, *new), len(new), known, len(wanted) - len(new))

        return await self._db.write(run)

    async def list(self, user_id: int, *, limit_s: float = LIMIT_S) -> tuple[TrayPicture, ...]:
        """Return the tray, oldest first; `limit_s` bounds the time that it may take."""
        now = self._clock.now_ms()

        async def run(tx: Tx) -> tuple[TrayPicture, ...]:
            return await _list(tx, user_id, now)

        return await self._db.read(run, limit_s=limit_s)

    async def drop(self, user_id: int, ids: Collection[int]) -> tuple[TrayPicture, ...]:
        """Take pictures out of a person's own tray, and return what is left."""
        now = self._clock.now_ms()

        async def run(tx: Tx) -> tuple[TrayPicture, ...]:
            if ids:
                marks = placeholders(1, 1 + len(ids)).removeprefix("($1, ").removesuffix(")")
                await tx.fetch(
                    f"DELETE FROM tray_picture WHERE user_id = $1 AND id IN ({marks})",
                    user_id,
                    *ids,
                )
            return await _list(tx, user_id, now)

        return await self._db.write(run)

    async def clear(self, user_id: int) -> None:
        """Empty a person's tray."""

        async def run(tx: Tx) -> None:
            await tx.fetch("DELETE FROM tray_picture WHERE user_id = $1", user_id)

        await self._db.write(run)


async def _list(tx: Tx, user_id: int, now_ms: int) -> tuple[TrayPicture, ...]:
    # The limit: two processes may have added at the same moment, each seeing room.
    rows = await tx.fetch(
        "SELECT id, source FROM tray_picture WHERE user_id = $1 AND added_at > $2 "
        "ORDER BY id LIMIT CAST($3 AS BIGINT)",
        user_id,
        now_ms - TRAY_MS,
        MOST_IN_TRAY,
    )
    return tuple(_picture(row) for row in rows)


def _picture(row: Row) -> TrayPicture:
    return TrayPicture(row.integer("id"), Source(**json.loads(row.text("source"))))
