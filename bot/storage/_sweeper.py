"""Closing what nobody closes any more: charges of dead processes, and leases that ran out."""

import asyncio
from functools import partial
from typing import Final

from msgspec import Struct

from bot.clock import Clock
from bot.storage._charges import Move, move
from bot.storage.models import ChargeState, Settlement, Swept
from bot.storage.rows import Store, Tx

HEARTBEAT_S: Final = 20
"""How often a process says that it lives, in seconds."""
DEAD_AFTER_MS: Final = 90_000
"""A process that was silent for so long is dead: four heartbeats missed."""
PRESUMED_AFTER_MS: Final = 15 * 60_000
"""How long an unknown outcome waits for the truth before it counts as spent."""
_BATCH: Final = 100
"""Charges at once, so that a long sweep keeps nobody waiting."""

ALIVE: Final = "SELECT id FROM process WHERE seen_at > $1"
"""Ids of living processes; `$1` is `alive_since()`."""


def alive_since(now_ms: int) -> int:
    """Return the time of the oldest heartbeat that still counts (epoch ms)."""
    return now_ms - DEAD_AFTER_MS


async def beat(tx: Tx, process_id: int, now_ms: int) -> None:
    """Write a process's heartbeat."""
    await tx.fetch(
        "INSERT INTO process (id, started_at, seen_at) VALUES ($1, $2, $2) "
        "ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
        process_id,
        now_ms,
    )


class Sweeper(Struct, frozen=True):
    """A sweep on behalf of one process."""

    process_id: int
    clock: Clock

    async def bury_others(self, tx: Tx) -> None:
        """Forget every other process's heartbeat: they are dead."""
        await tx.fetch("DELETE FROM process WHERE id <> $1", self.process_id)

    async def sweep(self, store: Store) -> Swept:
        """Close everything that is due: each charge in a transaction of its own.

        Several in one would lock counters and then want the next charge, while whoever closes that
        one has it and wants the counters. SQLite puts many of them into one commit all the same.
        """
        now_ms = self.clock.now_ms()
        released: set[int] = set()
        unknown: list[int] = []
        presumed: list[int] = []
        pressing: set[int] = set()
        await store.write(partial(self._begin, now_ms))
        while due := await store.read(partial(_due, now_ms)):
            moves = [partial(self._close, row, now_ms) for row in due]
            changed = await asyncio.gather(*(store.write(move) for move in moves))
            for row, change in zip(due, changed, strict=True):
                to, _ = _NEXT[row.state]
                if not change.changed:
                    continue
                if change.presses_budget:
                    pressing.add(row.job_id)
                if to is ChargeState.RELEASED:
                    released.add(row.job_id)
                else:
                    (unknown if to is ChargeState.UNKNOWN else presumed).append(row.charge_id)
        return Swept(
            tuple(sorted(released)), tuple(unknown), tuple(presumed), tuple(sorted(pressing))
        )

    async def _begin(self, now_ms: int, tx: Tx) -> None:
        """Be alive before anybody else is judged dead."""
        await beat(tx, self.process_id, now_ms)
        await self._forget_tokens(tx, now_ms)

    async def _close(self, due: "_Due", now_ms: int, tx: Tx) -> Settlement:
        """Move a charge on, if it is still in the state in which it was found."""
        to, reason = _NEXT[due.state]
        wanted = Move(due.charge_id, to, now_ms, only_from=due.state, reason=reason)
        return await move(tx, wanted, clock=self.clock)

    async def _forget_tokens(self, tx: Tx, now_ms: int) -> None:
        """Delete the tokens of interactions that are over: they are of no use but to a thief."""
        await tx.fetch(
            "UPDATE job SET reply_token = NULL "
            "WHERE reply_token IS NOT NULL AND reply_expires_at <= $1",
            now_ms,
        )


class _Due(Struct, frozen=True):
    """A charge that somebody has to close."""

    charge_id: int
    job_id: int
    state: ChargeState


async def _due(now_ms: int, tx: Tx) -> list[_Due]:
    """Find up to `_BATCH` charges that are due."""
    rows = await tx.fetch(
        "SELECT id, job_id, state FROM charge WHERE closed_at IS NULL AND ("
        f"(state IN ('held', 'dispatched') AND process NOT IN ({ALIVE})) "
        "OR (state = 'dispatched' AND lease_until <= $2) "
        "OR (state = 'unknown' AND changed_at <= $3)) ORDER BY id LIMIT $4",
        alive_since(now_ms),
        now_ms,
        now_ms - PRESUMED_AFTER_MS,
        _BATCH,
    )
    return [
        _Due(row.integer("id"), row.integer("job_id"), ChargeState(row.text("state")))
        for row in rows
    ]


_NEXT: Final = {
    ChargeState.HELD: (ChargeState.RELEASED, "its process ended before it was sent"),
    ChargeState.DISPATCHED: (ChargeState.UNKNOWN, "nobody awaits its answer any more"),
    ChargeState.UNKNOWN: (ChargeState.PRESUMED, "its outcome stayed unknown"),
}
