"""The bot's messages that somebody who was erased wants deleted from Discord.

A removal knows nothing of its person: which messages, and where it is told how far that is. It and
its links are gone after a day, whatever became of them.
"""

from typing import Final

from msgspec import Struct

from bot.clock import Clock
from bot.requests import ReplyRoute
from bot.storage.rows import Row, Store, Tx, first

REMOVAL_MS: Final = 86_400_000
"""How long a removal is tried, and its links are kept (ms)."""
LEASE_MS: Final = 120_000
"""How long a process may be silent before another one goes on with its removal."""


class Removal(Struct, frozen=True):
    """How far one is."""

    id: int
    reply: ReplyRoute
    """Where that is told: its message is 0 where there is none."""
    deleted: int
    refused: int
    """Messages that the bot may not delete, or could not within a day."""
    left: int


class Removals:
    """Keeps them. Every method may raise `LedgerUnavailable`."""

    def __init__(self, db: Store, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def begin(self, removal_id: int, reply: ReplyRoute) -> None:
        """Make room for the messages; an erasure brings them."""
        now = self._clock.now_ms()

        async def run(tx: Tx) -> None:
            await tx.fetch(
                "INSERT INTO removal (id, asked_at, reply_application, reply_token, "
                "reply_expires_at, reply_channel, reply_message) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                removal_id,
                now,
                reply.application_id,
                reply.token,
                reply.expires_at_ms,
                reply.channel_id,
                reply.message_id,
            )

        await self._db.write(run)

    async def show_in(self, removal_id: int, message_id: int) -> None:
        """Tell how far it is in this private message."""

        async def run(tx: Tx) -> None:
            await tx.fetch(
                "UPDATE removal SET reply_message = $2 WHERE id = $1", removal_id, message_id
            )

        await self._db.write(run)

    async def due(self) -> list[int]:
        """List removals that have messages left and on which nobody works; forget those of before.

        What could not be deleted in a day is given up, and tokens that are over are deleted.
        """
        now = self._clock.now_ms()

        async def run(tx: Tx) -> list[int]:
            old = "SELECT id FROM removal WHERE asked_at <= $1"
            await tx.fetch(
                f"DELETE FROM removal_message WHERE removal_id IN ({old})", now - REMOVAL_MS
            )
            await tx.fetch("DELETE FROM removal WHERE asked_at <= $1", now - REMOVAL_MS)
            await tx.fetch(
                "UPDATE removal SET reply_token = '' WHERE reply_token <> '' "
                "AND reply_expires_at <= $1",
                now,
            )
            rows = await tx.fetch(
                "SELECT id FROM removal WHERE leased_until <= $1 AND EXISTS "
                "(SELECT 1 FROM removal_message WHERE removal_id = removal.id) ORDER BY id",
                now,
            )
            return [row.integer("id") for row in rows]

        return await self._db.write(run)

    async def claim(self, removal_id: int) -> bool:
        """Become the process that works on a removal; False while another one does."""
        now = self._clock.now_ms()

        async def run(tx: Tx) -> bool:
            return bool(
                await tx.fetch(
                    "UPDATE removal SET leased_until = $2 WHERE id = $1 AND leased_until <= $3 "
                    "RETURNING id",
                    removal_id,
                    now + LEASE_MS,
                    now,
                )
            )

        return await self._db.write(run)

    async def keep(self, removal_id: int) -> Removal | None:
        """Stay the process that works on a removal, and tell how far it is."""
        return await self._lease(removal_id, self._clock.now_ms() + LEASE_MS)

    async def let_go(self, removal_id: int) -> Removal | None:
        """Let others work on a removal, and tell how far it is."""
        return await self._lease(removal_id, 0)

    async def _lease(self, removal_id: int, until_ms: int) -> Removal | None:
        async def run(tx: Tx) -> Removal | None:
            row = await first(
                tx,
                "UPDATE removal SET leased_until = $2 WHERE id = $1 RETURNING *",
                removal_id,
                until_ms,
            )
            return None if row is None else await _removal(tx, row)

        return await self._db.write(run)

    async def messages(self, removal_id: int, *, before: int, limit: int) -> list[tuple[int, int]]:
        """Return some that are left, as channel and message, newest first, `before` a message."""

        async def run(tx: Tx) -> list[tuple[int, int]]:
            rows = await tx.fetch(
                "SELECT channel_id, message_id FROM removal_message WHERE removal_id = $1 "
                "AND message_id < $2 ORDER BY message_id DESC LIMIT $3",
                removal_id,
                before,
                limit,
            )
            return [(row.integer("channel_id"), row.integer("message_id")) for row in rows]

        return await self._db.read(run)

    async def done(self, removal_id: int, message_id: int, *, deleted: bool) -> None:
        """Forget a message that is deleted, or (not `deleted`) that never will be; counts once."""
        column = "deleted" if deleted else "refused"

        async def run(tx: Tx) -> None:
            gone = await tx.fetch(
                "DELETE FROM removal_message WHERE removal_id = $1 AND message_id = $2 "
                "RETURNING message_id",
                removal_id,
                message_id,
            )
            if gone:
                await tx.fetch(
                    f"UPDATE removal SET {column} = {column} + 1 WHERE id = $1", removal_id
                )

        await self._db.write(run)


async def _removal(tx: Tx, row: Row) -> Removal:
    (left,) = await tx.fetch(
        "SELECT COUNT(*) AS many FROM removal_message WHERE removal_id = $1", row.integer("id")
    )
    return Removal(
        id=row.integer("id"),
        reply=ReplyRoute(
            application_id=row.integer("reply_application"),
            token=row.text("reply_token"),
            expires_at_ms=row.integer("reply_expires_at"),
            channel_id=row.integer("reply_channel"),
            message_id=row.integer("reply_message"),
            upload_limit=0,
        ),
        deleted=row.integer("deleted"),
        refused=row.integer("refused"),
        left=left.integer("many"),
    )
