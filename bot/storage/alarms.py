"""What the operator is told once, until it is well again, however many processes notice it.

An alarm that is raised is a claim to tell it, with a lease as those on budgets have: who did not
live to say that it is told loses it, and whoever notices the trouble next raises it anew.
"""

from msgspec import Struct

from bot.clock import Clock
from bot.storage._alert_claims import CLAIM_MS
from bot.storage.rows import Store, Tx


class Alarm(Struct, frozen=True):
    """How something that is watched stands."""

    raised_ms: int | None
    """Since when it is not well; None when it is."""
    well_ms: int
    """When it got well last; 0 if it was never anything else."""
    is_told: bool = False
    """The operator has been told of it."""

    def stands(self, now_ms: int) -> bool:
        """Whether it is somebody's: it is told, or whoever raised it has time left to do so."""
        if self.raised_ms is None:
            return False
        return self.is_told or self.raised_ms > now_ms - CLAIM_MS


class Alarms:
    """Raises and ends alarms by name. Every method may raise `LedgerUnavailable`."""

    def __init__(self, db: Store, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def take_turn(self, what: str, *, every_ms: int) -> bool:
        """Whether it is time to look again: of many processes that ask, one gets True."""
        now = self._clock.now_ms()

        async def run(tx: Tx) -> bool:
            # A time that is still to come was written before the clock was set back.
            rows = await tx.fetch(
                "INSERT INTO alarm (what, looked_at, well_at) VALUES ($1, $2, 0) "
                "ON CONFLICT (what) DO UPDATE SET looked_at = excluded.looked_at "
                "WHERE alarm.looked_at <= $3 OR alarm.looked_at > $4 RETURNING what",
                what,
                now,
                now - every_ms,
                now,
            )
            return bool(rows)

        return await self._db.write(run)

    async def all(self) -> dict[str, Alarm]:
        """Return everything of which there was an alarm once, by name."""

        async def run(tx: Tx) -> dict[str, Alarm]:
            rows = await tx.fetch("SELECT what, raised_at, told_at, well_at FROM alarm")
            return {
                row.text("what"): Alarm(
                    row.maybe_integer("raised_at"),
                    row.integer("well_at"),
                    is_told=row.maybe_integer("told_at") is not None,
                )
                for row in rows
            }

        return await self._db.read(run)

    async def start(self, what: str) -> bool:
        """Raise an alarm; False when it stands already, so that others tell it or have done so.

        Whoever gets True has ten minutes to tell it, and to call `told` or `give_back`.
        """
        now = self._clock.now_ms()

        async def run(tx: Tx) -> bool:
            rows = await tx.fetch(
                "INSERT INTO alarm (what, looked_at, raised_at, well_at) VALUES ($1, 0, $2, 0) "
                "ON CONFLICT (what) DO UPDATE SET raised_at = excluded.raised_at "
                "WHERE alarm.raised_at IS NULL "
                "OR (alarm.told_at IS NULL AND alarm.raised_at <= $3) RETURNING what",
                what,
                now,
                now - CLAIM_MS,
            )
            return bool(rows)

        return await self._db.write(run)

    async def told(self, what: str) -> None:
        """Note that an alarm which was raised is told."""
        now = self._clock.now_ms()

        async def run(tx: Tx) -> None:
            await tx.fetch(
                "UPDATE alarm SET told_at = $2 WHERE what = $1 AND raised_at IS NOT NULL",
                what,
                now,
            )

        await self._db.write(run)

    async def give_back(self, what: str) -> None:
        """Take an alarm back of which nobody could be told; it may be raised again at once."""

        async def run(tx: Tx) -> None:
            await tx.fetch("UPDATE alarm SET raised_at = NULL WHERE what = $1", what)

        await self._db.write(run)

    async def end(self, what: str) -> None:
        """It is well again, if it was not: the next time is told anew."""
        now = self._clock.now_ms()

        async def run(tx: Tx) -> None:
            await tx.fetch(
                "UPDATE alarm SET raised_at = NULL, told_at = NULL, well_at = $2 "
                "WHERE what = $1 AND raised_at IS NOT NULL",
                what,
                now,
            )

        await self._db.write(run)
