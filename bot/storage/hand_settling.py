"""Settling one charge by hand, and the life of a charge: for the operator.

Goes through the ledger's one guarded transition, so that counters, roll-ups and the audit trail are
what they would be had ImageRouter's answer come, and so that a charge is settled once, whoever else
tries. Its line in the trail of changes is written in the same transaction.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

from msgspec import Struct

from bot.clock import Clock
from bot.errors import RequestError
from bot.money import Micros
from bot.storage._audit import Change, record_change
from bot.storage._charges import Move, move
from bot.storage.models import ChargeState, Settlement
from bot.storage.policy_models import Kind
from bot.storage.reconciliations import DOUBTFUL
from bot.storage.rows import Row, Store, Tx, first

MOST_CANDIDATES: Final = 25
_RELEASED_MS: Final = 7 * 24 * 3600 * 1000
"""For how long a charge that was released is offered; by its id it is found for ever."""
_ORDER: Final = (
    ChargeState.HELD,
    ChargeState.DISPATCHED,
    ChargeState.UNKNOWN,
    ChargeState.RELEASED,
    ChargeState.PRESUMED,
    ChargeState.SETTLED,
)
_SETTLEABLE: Final = (ChargeState.UNKNOWN, ChargeState.PRESUMED, ChargeState.RELEASED)


class NotSettleable(RequestError):
    """A charge can't be settled by hand: it is settled already, still open, or was never sent.

    `state` is where it stands; None: there is no such charge.
    """

    def __init__(self, charge_id: int, state: ChargeState | None) -> None:
        super().__init__(f"charge {charge_id} is {state}")
        self.charge_id = charge_id
        self.state = state


class AboveHold(RequestError):
    """More than was held for the charge, and nobody has said that it is no slip."""

    def __init__(self, cost: Micros, held: Micros) -> None:
        super().__init__(f"{cost} of {held}")
        self.cost = cost
        self.held = held


class Entry(Struct, frozen=True):
    """A line of a charge's audit trail."""

    at_ms: int
    kind: ChargeState
    """The state that it came into."""
    delta: Micros
    """What that added to what counts as spent."""


class ChargeStory(Struct, frozen=True):
    """A charge as the operator sees it: nobody's words are in it."""

    id: int
    job_id: int
    guild_id: int
    user_id: int
    """0 once erased."""
    model: str
    state: ChargeState
    prior: ChargeState | None
    """The state before; None while it is as it was made."""
    held: Micros
    actual: Micros | None
    overrun: Micros
    pictures: int
    created_ms: int
    entries: tuple[Entry, ...] = ()

    @property
    def was_sent(self) -> bool:
        """Whether its request may have reached ImageRouter."""
        released = self.state is ChargeState.RELEASED
        return self.state is not ChargeState.HELD and not (
            released and self.prior is ChargeState.HELD
        )


class SettledByHand(Struct, frozen=True):
    """What settling by hand did."""

    before: ChargeStory
    settlement: Settlement


class HandSettling:
    """Settles by hand. Every method may raise `LedgerUnavailable`."""

    def __init__(self, db: Store, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def settle(
        self, charge_id: int, *, actual: Micros, by: int, reason: str, above_hold: bool = False
    ) -> SettledByHand:
        """Record what a charge did cost, as an operator knows it, once.

        `above_hold`: a cost above what was held is no slip.

        Raises:
            NotSettleable: there is nothing to settle; nothing was changed.
            AboveHold: the cost is more than was held.
            ValueError: an amount beyond reason.
        """
        return await self._db.write(
            partial(self._settle, charge_id, actual, by, reason, above_hold)
        )

    async def _settle(
        self,
        charge_id: int,
        actual: Micros,
        by: int,
        reason: str,
        above_hold: bool,  # noqa: FBT001 - for `partial`
        tx: Tx,
    ) -> SettledByHand:
        # Locked, so that neither the truth nor the sweeper nor another operator is in between.
        locked = await first(
            tx, "UPDATE charge SET state = state WHERE id = $1 RETURNING *", charge_id
        )
        if locked is None:
            raise NotSettleable(charge_id, None)
        before = _story(locked, ())
        if before.state not in _SETTLEABLE or not before.was_sent:
            raise NotSettleable(charge_id, before.state)
        if actual > before.held and not above_hold:
            raise AboveHold(actual, before.held)
        wanted = Move(
            charge_id,
            ChargeState.SETTLED,
            self._clock.now_ms(),
            actual=actual,
            reason="settled by hand",
        )
        settlement = await move(tx, wanted, clock=self._clock)
        counted = before.held if before.state is ChargeState.UNKNOWN else before.actual or 0
        change = Change(
            Kind.CHARGE,
            before.guild_id,
            by,
            subject_id=charge_id,
            reason=reason,
            by_operator=True,
        )
        told = f"{before.state.value} {counted}"
        await record_change(tx, change, before=told, after=actual, clock=self._clock)
        return SettledByHand(before, settlement)

    async def find(self, charge_id: int) -> ChargeStory | None:
        """Return a charge with its audit trail; None when there is none of that id."""
        return await self._db.read(partial(_find, charge_id))

    async def candidates(self, typed: str = "") -> list[ChargeStory]:
        """List charges that can be settled by hand, for whoever types the beginning of an id.

        Unknown and presumed ones first, then what was sent and released within the last week.
        """
        released_since = self._clock.now_ms() - _RELEASED_MS
        return await self._db.read(partial(_candidates, typed.strip(), released_since))


async def _find(charge_id: int, tx: Tx) -> ChargeStory | None:
    row = await first(tx, "SELECT * FROM charge WHERE id = $1", charge_id)
    if row is None:
        return None
    entries = await tx.fetch(
        "SELECT kind, delta, created_at FROM entry WHERE charge_id = $1", charge_id
    )
    return _story(row, entries)


async def _candidates(typed: str, released_since: int, tx: Tx) -> list[ChargeStory]:
    """A few statements, each of which reads an index backwards and stops early."""
    found: list[Row] = []
    for where, since in (
        ("closed_at IS NULL AND state = 'unknown' AND changed_at >= $3", 0),
        (f"state = 'presumed' AND {DOUBTFUL} AND closed_at >= $3", 0),
        ("state = 'released' AND prior_state <> 'held' AND closed_at >= $3", released_since),
    ):
        left = MOST_CANDIDATES - len(found)
        if left > 0:
            found += await tx.fetch(
                f"SELECT * FROM charge WHERE {where} AND CAST(id AS TEXT) LIKE $1 "
                "ORDER BY closed_at DESC, id DESC LIMIT $2",
                f"{typed}%" if typed.isdigit() else "%",
                left,
                since,
            )
    return [_story(row, ()) for row in found]


def _story(row: Row, entries: Sequence[Row]) -> ChargeStory:
    prior = row.text("prior_state")
    return ChargeStory(
        id=row.integer("id"),
        job_id=row.integer("job_id"),
        guild_id=row.integer("guild_id"),
        user_id=max(0, row.integer("user_id")),
        model=row.text("model"),
        state=ChargeState(row.text("state")),
        prior=ChargeState(prior) if prior else None,
        held=row.integer("held"),
        actual=row.maybe_integer("actual"),
        overrun=row.integer("overrun"),
        pictures=row.integer("pictures"),
        created_ms=row.integer("created_at"),
        entries=tuple(sorted(map(_entry, entries), key=_place)),
    )


def _entry(row: Row) -> Entry:
    return Entry(row.integer("created_at"), ChargeState(row.text("kind")), row.integer("delta"))


def _place(entry: Entry) -> tuple[int, int]:
    """Within a millisecond a charge comes into its states in one order only."""
    return entry.at_ms, _ORDER.index(entry.kind)
