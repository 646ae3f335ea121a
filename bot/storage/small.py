"""Two small tables: settings that the bot remembers for itself, and offers behind buttons."""

from bot.clock import Clock
from bot.storage.rows import Store, Tx, first


class Remembered:
    """Names and texts that outlive a restart, such as which commands were sent to Discord."""

    def __init__(self, db: Store, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def get(self, name: str) -> str | None:
        """Return what was remembered under `name`."""

        async def run(tx: Tx) -> str | None:
            row = await first(tx, "SELECT content FROM setting WHERE name = $1", name)
            return row.text("content") if row else None

        return await self._db.read(run)

    async def set(self, name: str, content: str) -> None:
        """Remember `content` under `name`, instead of what was there."""
        now = self._clock.now_ms()

        async def run(tx: Tx) -> None:
            await tx.fetch(
                "INSERT INTO setting (name, content, changed_at) VALUES ($1, $2, $3) "
                "ON CONFLICT (name) DO UPDATE SET content = excluded.content, "
                "changed_at = excluded.changed_at",
                name,
                content,
                now,
            )

        await self._db.write(run)


class OfferStore:
    """What was offered to whom, as JSON, until it expires."""

    def __init__(self, db: Store, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def add(self, offer_id: int, *, user_id: int, content: str, expires_ms: int) -> None:
        """Keep an offer, and forget those that have expired."""
        now = self._clock.now_ms()

        async def run(tx: Tx) -> None:
            await tx.fetch("DELETE FROM offer WHERE expires_at <= $1", now)
            await tx.fetch(
                "INSERT INTO offer (id, user_id, content, expires_at) VALUES ($1, $2, $3, $4)",
                offer_id,
                user_id,
                content,
                expires_ms,
            )

        await self._db.write(run)

    async def get(self, offer_id: int) -> str | None:
        """Return what was offered; None once it has expired."""
        now = self._clock.now_ms()

        async def run(tx: Tx) -> str | None:
            row = await first(
                tx, "SELECT content FROM offer WHERE id = $1 AND expires_at > $2", offer_id, now
            )
            return row.text("content") if row else None

        return await self._db.read(run)
