"""The books: what is reserved, what is spent, and the only way from one to the other.

`_transitions` draws the states of a charge, `_buckets` owns the counters, `_sweeper` closes what
dead processes left. Delivery is no matter of money: see `jobs`.
"""

from collections.abc import Sequence
from functools import partial

from bot.clock import Clock
from bot.money import MAX_MICROS, Micros
from bot.quotas import Defaults, Limit
from bot.requests import Actor
from bot.storage._charges import Move, move, move_all
from bot.storage._hold import Holder
from bot.storage._sweeper import Sweeper, beat
from bot.storage._today import spent_a_day, spent_today
from bot.storage.models import (
    MAX_CHARGES_PER_JOB,
    ChargeState,
    HeldJob,
    NewJob,
    Output,
    Settlement,
    Swept,
)
from bot.storage.rows import Store, Tx, Value


class Ledger:
    """Reserves, settles and releases money.

    Every method raises `LedgerUnavailable` when the database cannot record. A caller that is
    cancelled leaves no half write: settle, release and mark_unknown complete all the same, and a
    hold is taken back.
    """

    def __init__(
        self, db: Store, *, clock: Clock, secret: bytes, process_id: int, defaults: Defaults
    ) -> None:
        """`secret` keys the members' counters; `process_id` from `make_id`, new at each start.

        `defaults` is what holds where nobody has set a rule.
        """
        self._db = db
        self._clock = clock
        self._process_id = process_id
        self._holder = Holder(secret, process_id, clock, defaults)

    async def check(self, actor: Actor, *, price: Micros) -> None:
        """Refuse what `hold` would refuse later, before anything long is begun for it.

        `price`: the most that any one picture may cost. Nothing is held, and counters are not read:
        what is used up now may be free by then.

        Raises:
            Blocked, Paused, PictureTooDear: as `hold`.
        """
        now_ms = self._clock.now_ms()
        await self._db.read(partial(self._holder.check, actor, price, now_ms))

    async def hold(
        self,
        job: NewJob,
        limits: Sequence[Limit] | None = None,
        *,
        dispatch_lease_ms: int | None = None,
    ) -> HeldJob:
        """Reserve the ceiling of each of a job's charges, all or nothing, within every limit.

        The rules are read in the same transaction, so one that is committed binds the next hold.
        `limits` stand in for all of them: for tests and benchmarks of the counters alone.

        With `dispatch_lease_ms` the charges are `dispatched` for so long in the same transaction:
        for a job whose turn has come, which saves it a commit.

        When the caller is cancelled, the hold is given back, while the job stays to be delivered:
        its person is still told that it cost nothing, after a restart at the latest.

        Raises:
            QuotaExceeded: with the limit that binds; nothing was held.
            PictureTooDear: one picture may cost more than a limit on prices allows.
            Blocked, Paused: nothing may be asked for at all.
            NeedsConfirmation: it would fit, but the person must say yes first (`job.agreed`).
            PolicyChanged: the guild's rules on models are not those that it was judged by.
            DuplicateJob: this `idem` was held before, whatever became of it.
            ValueError: amounts or counts beyond reason, or a limit that cannot apply to this job.
        """
        _check_amounts(job)
        now_ms = self._clock.now_ms()
        admission = await self._db.write(
            partial(
                self._holder.hold,
                job,
                None if limits is None else tuple(limits),
                now_ms,
                dispatch_lease_ms,
            ),
            undo=partial(self._take_back, job.id, now_ms),
        )
        self._holder.remember(admission)
        return admission.job

    async def _take_back(self, job_id: int, now_ms: int, tx: Tx) -> None:
        rows = await tx.fetch(
            "SELECT id, state FROM charge WHERE job_id = $1 AND state IN ('held', 'dispatched')",
            job_id,
        )
        wanted = [
            Move(
                row.integer("id"),
                ChargeState.RELEASED,
                now_ms,
                only_from=ChargeState(row.text("state")),
                reason="cancelled",
            )
            for row in rows
        ]
        await move_all(tx, wanted, clock=self._clock)

    async def dispatch(self, charge_id: int, *, lease_ms: int) -> bool:
        """Mark a held charge as sent, for `lease_ms` at most.

        Returns False when nothing was updated: it was released, or sent before. Then send nothing.
        """
        now_ms = self._clock.now_ms()
        lease_until = now_ms + lease_ms
        change = await self._move(
            Move(charge_id, ChargeState.DISPATCHED, now_ms, lease_until=lease_until)
        )
        return change.changed

    async def settle(
        self, charge_id: int, *, actual: Micros, outputs: Sequence[Output] = (), reason: str = ""
    ) -> Settlement:
        """Record what a sent charge did cost, once, however late, with its pictures.

        `reason`: why none came, where it was charged all the same.
        """
        return await self._move(
            Move(
                charge_id,
                ChargeState.SETTLED,
                self._clock.now_ms(),
                actual=actual,
                reason=reason,
                outputs=tuple(outputs),
                tells_today=True,
            )
        )

    async def release(self, charge_id: int, *, reason: str) -> bool:
        """Give back the hold of a charge that certainly cost nothing.

        Returns False when it was closed already.
        """
        now_ms = self._clock.now_ms()
        change = await self._move(Move(charge_id, ChargeState.RELEASED, now_ms, reason=reason))
        return change.changed

    async def mark_unknown(
        self, charge_id: int, *, reason: str, outputs: Sequence[Output] = ()
    ) -> bool:
        """Record that nobody knows what a sent charge cost; its hold stays, its slot is freed.

        Returns False when it was not sent, or is closed already.
        """
        now_ms = self._clock.now_ms()
        change = await self._move(
            Move(charge_id, ChargeState.UNKNOWN, now_ms, reason=reason, outputs=tuple(outputs))
        )
        return change.changed

    async def _move(self, wanted: Move) -> Settlement:
        return await self._db.write(lambda tx: move(tx, wanted, clock=self._clock))

    async def heartbeat(self) -> None:
        """Say that this process lives: before its first hold, then every `HEARTBEAT_S` seconds."""
        now_ms = self._clock.now_ms()
        await self._db.write(lambda tx: beat(tx, self._process_id, now_ms))

    async def sweep(self, *, adopt_all: bool = False) -> Swept:
        """Close what dead processes and expired leases left; call it at start and every minute.

        A dead process's held charges are released and its sent ones become unknown; so do sent
        ones past their lease; unknown ones count as spent after `PRESUMED_AFTER_MS`.

        Args:
            adopt_all: every other process is dead, whatever its heartbeat says. True at start on
                SQLite, which only one process can have open.
        """
        sweeper = Sweeper(self._process_id, self._clock)
        if adopt_all:
            await self._db.write(sweeper.bury_others)
        return await sweeper.sweep(self._db)

    async def spend(
        self, user_id: int, *, guild_id: int | None = None, since_ms: int | None = None
    ) -> Micros:
        """Sum up what a person spent: settled and presumed, of jobs held since then.

        No `guild_id`: everywhere. No `since_ms`: ever (from the roll-ups).
        """
        if since_ms is None:
            return await self._sum(
                "SELECT CAST(COALESCE(SUM(spent), 0) AS BIGINT) AS total FROM usage_month "
                "WHERE user_id = $1 AND (guild_id = $2 OR CAST($2 AS BIGINT) IS NULL)",
                user_id,
                guild_id,
            )
        return await self._sum(
            "SELECT CAST(COALESCE(SUM(actual), 0) AS BIGINT) AS total FROM charge "
            "WHERE user_id = $1 AND created_at >= $3 "
            "AND (guild_id = $2 OR CAST($2 AS BIGINT) IS NULL)",
            user_id,
            guild_id,
            since_ms,
        )

    async def pending(
        self, user_id: int, *, guild_id: int | None = None, since_ms: int | None = None
    ) -> Micros:
        """Sum up a person's unknown outcomes, at the held amounts, of jobs held since then."""
        return await self._sum(
            "SELECT CAST(COALESCE(SUM(held), 0) AS BIGINT) AS total FROM charge WHERE user_id = $1 "
            "AND (guild_id = $2 OR CAST($2 AS BIGINT) IS NULL) AND created_at >= $3 "
            "AND closed_at IS NULL AND state = 'unknown'",
            user_id,
            guild_id,
            since_ms or 0,
        )

    async def spent_today(self, actor: Actor) -> Micros:
        """Sum up what a person spent everywhere since midnight, in the zone of their guild.

        In direct messages since midnight UTC. The same day as that of `/usage`.
        """
        now_ms = self._clock.now_ms()
        return await self._db.read(
            lambda tx: spent_today(tx, actor.user_id, actor.guild_id, now_ms=now_ms)
        )

    async def pace(self) -> Micros | None:
        """Return what the bot has spent on a day (UTC) lately; None when it has spent nothing.

        On the last seven whole days, or as many as there are since the first job among them.
        """
        return await self._db.read(partial(spent_a_day, now_ms=self._clock.now_ms()))

    async def _sum(self, sql: str, *values: Value) -> Micros:
        async def total(tx: Tx) -> Micros:
            (row,) = await tx.fetch(sql, *values)
            return row.integer("total")

        return await self._db.read(total)


def _check_amounts(job: NewJob) -> None:
    count, ceilings = job.request.count, [charge.ceiling for charge in job.charges]
    if len(ceilings) != count or not 0 < count <= MAX_CHARGES_PER_JOB:
        raise ValueError(f"cannot hold {len(ceilings)} charges for {count} pictures")
    if not 0 <= min(ceilings) <= max(ceilings) <= MAX_MICROS:
        raise ValueError(f"cannot hold {ceilings} micro-USD")
