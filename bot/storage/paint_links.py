"""Links to the mask painter: who was given which, for what, and the job that used it up.

Owns the table `paint_link`, and reads how a link's job stands. Signatures and times are judged by
`bot.painting`.
"""

from msgspec import Struct

from bot.clock import Clock
from bot.requests import Actor, ReplyRoute
from bot.storage.models import Delivery
from bot.storage.rows import Row, Store, Tx, first


class PaintLink(Struct, frozen=True):
    """One link. Its member, places and picture never change."""

    id: int
    actor: Actor
    """Who asked, and where it counts; without roles, which are read anew."""
    private: bool
    draft: str
    """The request as JSON, without the prompt if it is private; empty once the link is used."""
    reply: ReplyRoute
    """Where the result is posted; it has no token."""
    parent_id: int | None
    created_ms: int
    expires_ms: int
    mask_id: int | None = None
    """What was painted when Generate was pressed last."""
    job_id: int | None = None
    """The job that used the link up."""


class JobState(Struct, frozen=True):
    """How far a job is, in a few figures."""

    delivery: Delivery
    waiting: int
    """Charges that have not been sent."""
    guild_id: int
    reply_channel_id: int
    message_channel_id: int | None
    message_id: int | None


class PaintLinks:
    """Keeps links until they are swept. Every method may raise `LedgerUnavailable`."""

    def __init__(self, db: Store, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def add(self, link: PaintLink) -> None:
        """Keep a new link."""

        async def run(tx: Tx) -> None:
            await tx.fetch(
                "INSERT INTO paint_link (id, user_id, guild_id, channel_id, is_private, draft, "
                "application_id, reply_channel, upload_limit, parent_id, created_at, expires_at) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
                link.id,
                link.actor.user_id,
                link.actor.guild_id,
                link.actor.channel_id,
                int(link.private),
                link.draft,
                link.reply.application_id,
                link.reply.channel_id,
                link.reply.upload_limit,
                link.parent_id,
                link.created_ms,
                link.expires_ms,
            )

        await self._db.write(run)

    async def get(self, link_id: int) -> PaintLink | None:
        """Return a link, used, expired or neither; None once it has been swept."""

        async def run(tx: Tx) -> PaintLink | None:
            row = await first(tx, "SELECT * FROM paint_link WHERE id = $1", link_id)
            return _link(row) if row else None

        return await self._db.read(run)

    async def paint(self, link_id: int, mask_id: int) -> int | None:
        """Put a mask to a link that is not used yet, and return the one that was there before."""

        async def run(tx: Tx) -> int | None:
            # PostgreSQL: the row is kept from others between the two statements.
            row = await first(
                tx,
                "UPDATE paint_link SET job_id = job_id WHERE id = $1 AND job_id IS NULL "
                "RETURNING mask_id",
                link_id,
            )
            if row is None:
                return None
            await tx.fetch("UPDATE paint_link SET mask_id = $2 WHERE id = $1", link_id, mask_id)
            return row.maybe_integer("mask_id")

        return await self._db.write(run)

    async def use(self, link_id: int, job_id: int) -> bool:
        """Let a job use the link up, and forget what was asked for. False: it was used before."""

        async def run(tx: Tx) -> bool:
            return bool(
                await tx.fetch(
                    "UPDATE paint_link SET job_id = $2, draft = '' "
                    "WHERE id = $1 AND job_id IS NULL RETURNING id",
                    link_id,
                    job_id,
                )
            )

        return await self._db.write(run)

    async def sweep(self) -> None:
        """Forget the links that have expired."""
        now = self._clock.now_ms()

        async def run(tx: Tx) -> None:
            await tx.fetch("DELETE FROM paint_link WHERE expires_at <= $1", now)

        await self._db.write(run)

    async def job_state(self, job_id: int) -> JobState | None:
        """Tell how far a job is; asked every second or two, so no picture is read for it."""

        async def run(tx: Tx) -> JobState | None:
            row = await first(
                tx,
                "SELECT delivery, guild_id, reply_channel, message_channel, message_id, "
                "(SELECT COUNT(*) FROM charge WHERE job_id = job.id AND state = 'held') AS waiting "
                "FROM job WHERE id = $1",
                job_id,
            )
            if row is None:
                return None
            return JobState(
                delivery=Delivery(row.text("delivery")),
                waiting=row.integer("waiting"),
                guild_id=row.integer("guild_id"),
                reply_channel_id=row.maybe_integer("reply_channel") or 0,
                message_channel_id=row.maybe_integer("message_channel"),
                message_id=row.maybe_integer("message_id"),
            )

        return await self._db.read(run)


def _link(row: Row) -> PaintLink:
    return PaintLink(
        id=row.integer("id"),
        actor=Actor(row.integer("user_id"), row.integer("guild_id"), row.integer("channel_id")),
        private=bool(row.integer("is_private")),
        draft=row.text("draft"),
        reply=ReplyRoute(
            application_id=row.integer("application_id"),
            token="",
            expires_at_ms=0,
            channel_id=row.integer("reply_channel"),
            message_id=0,
            upload_limit=row.integer("upload_limit"),
        ),
        parent_id=row.maybe_integer("parent_id"),
        created_ms=row.integer("created_at"),
        expires_ms=row.integer("expires_at"),
        mask_id=row.maybe_integer("mask_id"),
        job_id=row.maybe_integer("job_id"),
    )
