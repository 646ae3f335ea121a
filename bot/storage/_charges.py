"""One guarded change of a charge, with everything that follows from it in the same transaction."""

from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfoNotFoundError

from msgspec import Struct
from msgspec.structs import replace

from bot.clock import Clock
from bot.ids import make_ids
from bot.money import MAX_MICROS, Micros
from bot.requests import NO_GUILD
from bot.storage._buckets import Pins, adjust, free_slot, is_pressed
from bot.storage._today import spent_today
from bot.storage._transitions import COUNTED, RESERVED, SOURCES, Effect, effect
from bot.storage.models import ChargeState, Delivery, Output, Settlement
from bot.storage.rows import Row, Tx, first, insert

SUMS: Final = ("charges", "pictures", "spent")
"""The columns of both roll-ups: what counts as spent."""
OUTCOMES: Final = ("jobs", "finished", "succeeded")
"""Those of the days alone."""

UNCHANGED = Settlement(changed=False, overrun=0, job_closed=False)


class Move(Struct, frozen=True):
    """A change that somebody wants."""

    charge_id: int
    to: ChargeState
    now_ms: int
    only_from: ChargeState | None = None
    """The state in which it was seen: another process may have moved it since."""
    actual: Micros | None = None
    """What it costs; None for states in which nothing is spent, and for `presumed`: the hold."""
    reason: str = ""
    lease_until: int | None = None
    outputs: Sequence[Output] = ()
    tells_today: bool = False
    """Whether `Settlement.spent_today` is wanted."""


class _Moved(Struct, frozen=True):
    """A change that was made, and what is left of it: to move the counters."""

    change: Effect
    pins: Pins
    job_closed: bool
    user_id: int
    guild_id: int


async def move(tx: Tx, wanted: Move, *, clock: Clock) -> Settlement:
    """Make a change if the charge is in a state that it may start from; else do nothing.

    The guarded UPDATE decides: of many that try, one gets the row, and only it moves the counters.
    """
    moved = await _change(tx, wanted, clock=clock)
    if moved is None:
        return UNCHANGED
    done = await _count(tx, moved)
    if not wanted.tells_today:
        return done
    try:
        today = await spent_today(tx, moved.user_id, moved.guild_id, now_ms=wanted.now_ms)
    except ZoneInfoNotFoundError:
        return done  # this machine knows the guild's zone no longer; no cost waits for that
    return replace(done, spent_today=today)


async def move_all(tx: Tx, wanted: Sequence[Move], *, clock: Clock) -> None:
    """Make changes to the charges of one job that nobody else changes.

    The counters of all come last: between them and the days of a second charge, somebody who has
    these and waits for those would wait for ever.
    """
    changes = [await _change(tx, each, clock=clock) for each in wanted]
    for moved in changes:
        if moved is not None:
            await _count(tx, moved)


async def _change(tx: Tx, wanted: Move, *, clock: Clock) -> _Moved | None:
    """Write down a change everywhere but in the counters; None where there is none."""
    if wanted.actual is not None and not 0 <= wanted.actual <= MAX_MICROS:
        raise ValueError(f"not an amount: {wanted.actual}")
    charge = await _update(tx, wanted)
    if charge is None:
        return None
    actual = charge.maybe_integer("actual") or 0
    change = effect(
        ChargeState(charge.text("prior_state")),
        wanted.to,
        held=charge.integer("held"),
        actual=actual,
    )
    job = await _update_job(tx, charge.integer("job_id"), change)
    closed = change.open_charges < 0 and job.integer("open_charges") == 0
    await record(tx, [(wanted.charge_id, wanted.to.value, change.settled)], wanted.now_ms, clock)
    await _keep_outputs(tx, charge, job, wanted)
    pictures = _new_pictures(charge, change, wanted) if wanted.to in COUNTED else 0
    sums = (change.charges, pictures, change.settled)
    if wanted.to in COUNTED:
        user, month = job.integer("user_id"), job.text("month_label")
        await add_to_month(tx, job.integer("guild_id"), month, user, sums)
    outcome = (int(closed), await _finished(tx, charge, wanted), _succeeded(charge, wanted))
    if wanted.to in COUNTED or any(outcome):
        await _add_to_day(tx, charge, job, (*sums, *outcome))
    pins = Pins.read(job.text("pins"))
    return _Moved(change, pins, closed, job.integer("user_id"), job.integer("guild_id"))


async def _count(tx: Tx, moved: _Moved) -> Settlement:
    """Move the counters; last, since everybody waits for those that everybody shares."""
    change, pins = moved.change, moved.pins
    if change.held or change.settled or change.overrun:
        await adjust(tx, pins, held=change.held, settled=change.settled, overrun=change.overrun)
    if moved.job_closed:
        await free_slot(tx, pins)
    pressed = change.settled > 0 and await is_pressed(tx, pins)
    return Settlement(
        changed=True, overrun=change.overrun, job_closed=moved.job_closed, presses_budget=pressed
    )


async def _update(tx: Tx, wanted: Move) -> Row | None:
    """Change the charge's own row; `prior_state` in the result tells where it came from.

    A reason may quote what was sent: of somebody who has been erased it is not kept.
    """
    allowed = (wanted.only_from,) if wanted.only_from else SOURCES[wanted.to]
    sources = ", ".join(f"'{source}'" for source in allowed)
    spends = "COALESCE(CAST($3 AS BIGINT), held)" if wanted.to in COUNTED else "CAST($3 AS BIGINT)"
    return await first(
        tx,
        f"UPDATE charge SET prior_state = state, state = $2, actual = {spends}, "
        f"overrun = CASE WHEN {spends} IS NULL THEN 0 WHEN state = 'released' THEN {spends} "
        f"WHEN {spends} > held THEN {spends} - held ELSE 0 END, "
        "pictures = pictures + $4, "
        "reason = CASE WHEN user_id < 0 THEN '' ELSE CAST($5 AS TEXT) END, "
        "lease_until = $6, changed_at = $7, closed_at = $8 "
        f"WHERE id = $1 AND state IN ({sources}) "
        "RETURNING id, job_id, channel_id, command, model, limit_role, prior_state, held, actual, "
        "pictures",
        wanted.charge_id,
        wanted.to.value,
        wanted.actual,
        len(wanted.outputs),
        wanted.reason,
        wanted.lease_until,
        wanted.now_ms,
        None if wanted.to in RESERVED else wanted.now_ms,
    )


async def _update_job(tx: Tx, job_id: int, change: Effect) -> Row:
    (job,) = await tx.fetch(
        "UPDATE job SET open_charges = open_charges + $2 WHERE id = $1 "
        "RETURNING id, guild_id, user_id, is_private, delivery, open_charges, "
        "day_label, month_label, pins",
        job_id,
        change.open_charges,
    )
    return job


async def record(
    tx: Tx, changes: Sequence[tuple[int, str, Micros]], now_ms: int, clock: Clock
) -> None:
    """Write the audit trail: (charge, what happened, what it added to `actual`)."""
    await insert(
        tx,
        "entry",
        ("id", "charge_id", "kind", "delta", "created_at"),
        [
            (entry_id, charge_id, kind, delta, now_ms)
            for entry_id, (charge_id, kind, delta) in zip(
                make_ids(clock, len(changes)), changes, strict=True
            )
        ],
    )


def _new_pictures(charge: Row, change: Effect, wanted: Move) -> int:
    """Count the pictures that the roll-ups have not: all of them once the charge counts."""
    return charge.integer("pictures") if change.charges else len(wanted.outputs)


async def _finished(tx: Tx, charge: Row, wanted: Move) -> int:
    """Return 1 when a request that was sent has come to its end by this."""
    prior = charge.text("prior_state")
    if wanted.to in RESERVED or prior == ChargeState.PRESUMED:
        return 0
    if wanted.to is ChargeState.RELEASED:
        return int(prior != ChargeState.HELD)
    if prior == ChargeState.RELEASED:  # late truth: counted before, if it had been sent
        sql = "SELECT id FROM entry WHERE charge_id = $1 AND kind = 'dispatched'"
        return int(await first(tx, sql, wanted.charge_id) is None)
    return 1


def _succeeded(charge: Row, wanted: Move) -> int:
    return int(wanted.to is ChargeState.SETTLED and charge.integer("pictures") > 0)


def _added(table: str, names: Sequence[str]) -> str:
    """Write what an insertion does where there is a row already: its sums are raised."""
    return "DO UPDATE SET " + ", ".join(
        f"{name} = {table}.{name} + excluded.{name}" for name in names
    )


_MONTH: Final = (
    f"INSERT INTO usage_month (guild_id, month, user_id, {', '.join(SUMS)}) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (guild_id, month, user_id) "
    + _added("usage_month", SUMS)
)
_DAY: Final = (
    f"INSERT INTO usage_day (guild_id, kind, day, name, {', '.join((*SUMS, *OUTCOMES))}) VALUES "
    + ", ".join(
        f"($1, '{kind}', $2, ${number}, $3, $4, $5, $6, $7, $8)"
        for number, kind in enumerate(("channel", "command", "model", "role"), start=9)
    )
    + " ON CONFLICT (guild_id, kind, day, name) "
    + _added("usage_day", (*SUMS, *OUTCOMES))
)
"""One statement for all that a day is listed by, always in this order: that of locking."""


async def add_to_month(
    tx: Tx, guild_id: int, month: str, user_id: int, sums: Sequence[int]
) -> None:
    """Add `SUMS` to a member's month."""
    await tx.fetch(_MONTH, guild_id, month, user_id, *sums)


async def _add_to_day(tx: Tx, charge: Row, job: Row, sums: Sequence[int]) -> None:
    """Add `SUMS` and `OUTCOMES` to a day, without channels that would name a person: their DMs."""
    guild = job.integer("guild_id")
    names = (
        str(charge.integer("channel_id") if guild != NO_GUILD else 0),
        charge.text("command"),
        charge.text("model"),
        str(charge.maybe_integer("limit_role") or 0),
    )
    await tx.fetch(_DAY, guild, job.text("day_label"), *sums, *names)


async def _keep_outputs(tx: Tx, charge: Row, job: Row, wanted: Move) -> None:
    """Store what a restart would need to deliver: never of private jobs, nor of closed ones."""
    if job.integer("is_private") or job.text("delivery") != Delivery.OPEN:
        return
    before = charge.integer("pictures") - len(wanted.outputs)
    await insert(
        tx,
        "job_output",
        ("charge_id", "place", "url", "data", "media_type"),
        [
            (wanted.charge_id, before + number, output.url, output.data, output.media_type)
            for number, output in enumerate(wanted.outputs)
        ],
    )
