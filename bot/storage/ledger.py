"""The books: what is reserved, what is spent, and the only way from one to the other."""

from collections.abc import Sequence

from bot.clock import Clock
from bot.money import Micros
from bot.quotas import Limit
from bot.storage.database import Database
from bot.storage.models import HeldJob, NewJob, Output, Settlement, Swept


class Ledger:
    """Reserves, settles and releases money.

    Every method raises `LedgerUnavailable` when the database cannot record. A caller that is
    cancelled leaves no half write: settle, release and mark_unknown complete all the same, and a
    hold is taken back.
    """

    def __init__(self, db: Database, *, clock: Clock, secret: bytes, process_id: int) -> None:
        """`secret` keys the members' counters; `process_id` from `make_id`, new at each start."""
        raise NotImplementedError

    async def hold(self, job: NewJob, limits: Sequence[Limit] = ()) -> HeldJob:
        """Reserve `job.ceiling` for each picture, all or nothing, within every limit.

        Raises:
            QuotaExceeded: with the limit that binds; nothing was held.
            DuplicateJob: this `idem` was held before, whatever became of it.
        """
        raise NotImplementedError

    async def dispatch(self, charge_id: int, *, lease_ms: int) -> bool:
        """Mark a held charge as sent. False: nothing was updated, so send nothing."""
        raise NotImplementedError

    async def settle(
        self, charge_id: int, *, actual: Micros, outputs: Sequence[Output] = ()
    ) -> Settlement:
        """Record what a sent charge did cost, once, however late, with the pictures."""
        raise NotImplementedError

    async def release(self, charge_id: int, *, reason: str) -> bool:
        """Give back the hold of a charge that certainly cost nothing; False if it was closed."""
        raise NotImplementedError

    async def mark_unknown(
        self, charge_id: int, *, reason: str, outputs: Sequence[Output] = ()
    ) -> bool:
        """Record that a sent charge's cost is not known; its hold stays. False if not sent."""
        raise NotImplementedError

    async def heartbeat(self) -> None:
        """Say that this process lives; call it before the first hold, then every 20 s."""
        raise NotImplementedError

    async def sweep(self, *, adopt_all: bool = False) -> Swept:
        """Close what dead processes and expired leases left; call it at start and every minute.

        `adopt_all=True`: every other process is dead (SQLite, at start).
        """
        raise NotImplementedError

    async def spend(
        self, user_id: int, *, guild_id: int | None = None, since_ms: int | None = None
    ) -> Micros:
        """Settled and presumed spending of a person, of jobs made since then; None: everywhere."""
        raise NotImplementedError

    async def pending(
        self, user_id: int, *, guild_id: int | None = None, since_ms: int | None = None
    ) -> Micros:
        """Unknown outcomes of a person, at the held amounts, of jobs made since then."""
        raise NotImplementedError
