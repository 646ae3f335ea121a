"""How models have fared: how long each request took and what came of it, and what was made.

Reads what the ledger has written anyway, so nothing is added to the way of a job.
"""

from typing import Final

from msgspec import Struct

from bot.clock import Clock
from bot.storage.models import ChargeState
from bot.storage.rows import Row, Store, Tx

KEPT_MS: Final = 30 * 86_400_000
"""How far back a model's record goes (ms)."""
TOOK: Final = (
    "CASE WHEN prior_state = 'dispatched' AND state = 'settled' THEN closed_at - "
    "(SELECT MIN(created_at) FROM entry "
    "WHERE charge_id = charge.id AND kind = 'dispatched') END AS took"
)
"""A column: from sending a charge's request to its answer (ms). An answer that came late, after an
outcome was unknown, says nothing about that."""
_MOST_TRIES: Final = 5_000
_MOST_EXAMPLES: Final = 10


class Try(Struct, frozen=True):
    """One request that has ended."""

    charge_id: int
    model: str
    closed_ms: int
    made: bool
    """It came to a picture."""
    paid: bool
    """What it cost is known, and was charged."""
    reason: str
    """Why not: the name of an error; empty when that is not known any more."""
    took_ms: int | None
    """From sending it to its answer; None where that was not measured."""


class Example(Struct, frozen=True):
    """A message in a guild that shows what a model has made."""

    channel_id: int
    message_id: int


class Records:
    """Reads what became of requests. Every method may raise `LedgerUnavailable`."""

    def __init__(self, db: Store, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def tries(self, *, since_ms: int) -> list[Try]:
        """Return the newest requests that ended at `since_ms` or later, newest first."""
        oldest = max(since_ms, self._clock.now_ms() - KEPT_MS)

        async def run(tx: Tx) -> list[Try]:
            rows = await tx.fetch(
                f"SELECT id, model, state, pictures, reason, closed_at, {TOOK} "
                "FROM charge WHERE closed_at >= $1 ORDER BY closed_at DESC LIMIT $2",
                oldest,
                _MOST_TRIES,
            )
            return [_try(row) for row in rows]

        return await self._db.read(run)

    async def examples(self, guild_id: int, model: str) -> list[Example]:
        """Return public results of a model in a guild that can still be seen, newest first.

        Where several were compared, the message is no example of one.
        """

        async def run(tx: Tx) -> list[Example]:
            rows = await tx.fetch(
                "SELECT message_channel, message_id FROM job WHERE guild_id = $1 AND model = $2 "
                "AND is_private = 0 AND message_id IS NOT NULL AND message_channel IS NOT NULL "
                "AND NOT EXISTS (SELECT 1 FROM charge "
                "WHERE charge.job_id = job.id AND charge.model <> job.model) "
                "ORDER BY created_at DESC LIMIT $3",
                guild_id,
                model,
                _MOST_EXAMPLES,
            )
            return [
                Example(row.integer("message_channel"), row.integer("message_id")) for row in rows
            ]

        return await self._db.read(run)


def _try(row: Row) -> Try:
    return Try(
        charge_id=row.integer("id"),
        model=row.text("model"),
        closed_ms=row.integer("closed_at"),
        made=row.integer("pictures") > 0,
        paid=row.text("state") == ChargeState.SETTLED,
        reason=row.text("reason"),
        took_ms=row.maybe_integer("took"),
    )
