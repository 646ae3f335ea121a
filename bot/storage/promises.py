"""Answers that people wait for before there is a job: what a process that ends owes them.

Owns the table `promise`. A job that is held takes its answer over; until then a row here says that
somebody sees "thinking ...", and by which token they can be told otherwise.
"""

from msgspec import Struct

from bot.clock import Clock
from bot.requests import ReplyRoute
from bot.storage._sweeper import ALIVE, alive_since
from bot.storage.rows import Row, Store, Tx, Value, insert


class Promise(Struct, frozen=True):
    """An answer that nobody is going to give any more."""

    user_id: int
    private: bool
    reply: ReplyRoute


class Promises:
    """Every method may raise `LedgerUnavailable`."""

    def __init__(self, db: Store, *, clock: Clock, process_id: int) -> None:
        """`process_id`: the same as the ledger's."""
        self._db = db
        self._clock = clock
        self._process_id = process_id

    async def give(self, user_id: int, reply: ReplyRoute, *, private: bool) -> None:
        """Note that a person waits; done again for the same answer, it stays one."""
        columns: dict[str, Value] = {
            "message_id": reply.message_id,
            "process": self._process_id,
            "user_id": user_id,
            "is_private": int(private),
            "application_id": reply.application_id,
            "token": reply.token,
            "channel_id": reply.channel_id,
            "upload_limit": reply.upload_limit,
            "expires_at": reply.expires_at_ms,
        }

        async def run(tx: Tx) -> None:
            await fulfil(tx, reply)
            await insert(tx, "promise", tuple(columns), [tuple(columns.values())])

        await self._db.write(run)

    async def keep(self, reply: ReplyRoute) -> None:
        """Forget a promise: its person has been told."""

        async def run(tx: Tx) -> None:
            await fulfil(tx, reply)

        await self._db.write(run)

    async def broken(self) -> list[Promise]:
        """List what dead processes have promised, which is ours to keep from now on.

        After a sweep. Those whose token has expired are forgotten: Discord itself has told.
        """
        now_ms = self._clock.now_ms()

        async def run(tx: Tx) -> list[Promise]:
            await tx.fetch("DELETE FROM promise WHERE expires_at <= $1", now_ms)
            rows = await tx.fetch(
                "UPDATE promise SET process = $2 "
                f"WHERE process <> $2 AND process NOT IN ({ALIVE}) RETURNING *",
                alive_since(now_ms),
                self._process_id,
            )
            return [_promise(row) for row in rows]

        return await self._db.write(run)


async def fulfil(tx: Tx, reply: ReplyRoute) -> None:
    """Forget the promise of an answer, if there is one."""
    await tx.fetch("DELETE FROM promise WHERE message_id = $1", reply.message_id)


def _promise(row: Row) -> Promise:
    return Promise(
        user_id=row.integer("user_id"),
        private=bool(row.integer("is_private")),
        reply=ReplyRoute(
            application_id=row.integer("application_id"),
            token=row.text("token"),
            expires_at_ms=row.integer("expires_at"),
            channel_id=row.integer("channel_id"),
            message_id=row.integer("message_id"),
            upload_limit=row.integer("upload_limit"),
        ),
    )
