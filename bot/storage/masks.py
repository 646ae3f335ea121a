"""Painted masks: PNG files of at most a few megabytes, kept until they expire.

Owns the table `mask`. What a mask means, and whether its bytes are a picture at all, is judged by
whoever reads it.
"""

from bot.clock import Clock
from bot.ids import make_id
from bot.storage.rows import Store, Tx, first


class MaskStore:
    """Keeps masks. Every method may raise `LedgerUnavailable`."""

    def __init__(self, db: Store, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def add(self, *, user_id: int, data: bytes, expires_ms: int) -> int:
        """Keep a mask until `expires_ms` (epoch ms), and return its id."""
        mask_id = make_id(self._clock)

        async def run(tx: Tx) -> None:
            await tx.fetch(
                "INSERT INTO mask (id, user_id, data, expires_at) VALUES ($1, $2, $3, $4)",
                mask_id,
                user_id,
                data,
                expires_ms,
            )

        await self._db.write(run)
        return mask_id

    async def get(self, mask_id: int) -> bytes | None:
        """Return a mask's bytes; None once it has expired."""
        now = self._clock.now_ms()

        async def run(tx: Tx) -> bytes | None:
            row = await first(
                tx, "SELECT data FROM mask WHERE id = $1 AND expires_at > $2", mask_id, now
            )
            return row.maybe_blob("data") if row else None

        return await self._db.read(run)

    async def keep(self, mask_id: int, *, until_ms: int) -> None:
        """Let a mask live until `until_ms` (epoch ms)."""

        async def run(tx: Tx) -> None:
            await tx.fetch("UPDATE mask SET expires_at = $2 WHERE id = $1", mask_id, until_ms)

        await self._db.write(run)

    async def drop(self, mask_id: int) -> None:
        """Forget a mask; fine if it is gone already."""

        async def run(tx: Tx) -> None:
            await tx.fetch("DELETE FROM mask WHERE id = $1", mask_id)

        await self._db.write(run)

    async def sweep(self) -> None:
        """Forget the masks that have expired."""
        now = self._clock.now_ms()

        async def run(tx: Tx) -> None:
            await tx.fetch("DELETE FROM mask WHERE expires_at <= $1", now)

        await self._db.write(run)
