"""One guarded change of a charge, with everything that follows from it in the same transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.clock import Clock
from bot.ids import make_ids
from bot.money import MAX_MICROS, Micros
from bot.storage._buckets import Pins, adjust, free_slot, is_pressed
from bot.storage._transitions import COUNTED, RESERVED, SOURCES, Effect, effect
from bot.storage.models import ChargeState, Delivery, Output, Settlement
from bot.storage.rows import Row, Tx, first, insert

UNCHANGED = Settlement(changed=False, overrun=0, job_closed=False)


@dataclass(frozen=True, slots=True)
class Move:
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


async def move(tx: Tx, wanted: Move, *, clock: Clock) -> Settlement:
    """Make a change if the charge is in a state that it may start from; else do nothing.

    The guarded UPDATE decides: of many that try, one gets the row, and only it moves the counters.
    """
    if wanted.actual is not None and not 0 <= wanted.actual <= MAX_MICROS:
        raise ValueError(f"not an amount: {wanted.actual}")
    charge = await _update(tx, wanted)
    if charge is None:
        return UNCHANGED
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
    if wanted.to in COUNTED:
        pictures = _new_pictures(charge, change, wanted)
        await _roll_up(tx, job, change, model=charge.text("model"), pictures=pictures)
    # Last, since everybody waits for the counters that everybody shares.
    pins = Pins.read(job.text("pins"))
    if change.held or change.settled or change.overrun:
        await adjust(tx, pins, held=change.held, settled=change.settled, overrun=change.overrun)
    if closed:
        await free_slot(tx, pins)
    pressed = change.settled > 0 and await is_pressed(tx, pins)
    return Settlement(
        changed=True, overrun=change.overrun, job_closed=closed, presses_budget=pressed
    )


async def _update(tx: Tx, wanted: Move) -> Row | None:
    """Change the charge's own row; `prior_state` in the result tells where it came from."""
    allowed = (wanted.only_from,) if wanted.only_from else SOURCES[wanted.to]
    sources = ", ".join(f"'{source}'" for source in allowed)
    spends = "COALESCE(CAST($3 AS BIGINT), held)" if wanted.to in COUNTED else "CAST($3 AS BIGINT)"
    return await first(
        tx,
        f"UPDATE charge SET prior_state = state, state = $2, actual = {spends}, "
        f"overrun = CASE WHEN {spends} IS NULL THEN 0 WHEN state = 'released' THEN {spends} "
        f"WHEN {spends} > held THEN {spends} - held ELSE 0 END, "
        "pictures = pictures + $4, reason = $5, lease_until = $6, changed_at = $7, closed_at = $8 "
        f"WHERE id = $1 AND state IN ({sources}) "
        "RETURNING id, job_id, model, prior_state, held, actual, pictures",
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


async def _roll_up(tx: Tx, job: Row, change: Effect, *, model: str, pictures: int) -> None:
    """Add to the sums that reports read, under the dates on which the job was asked for."""
    added = (change.charges, pictures, change.settled)
    update = (
        "DO UPDATE SET charges = {0}.charges + excluded.charges, "
        "pictures = {0}.pictures + excluded.pictures, spent = {0}.spent + excluded.spent"
    )
    guild = job.integer("guild_id")
    await tx.fetch(
        "INSERT INTO usage_month (guild_id, month, user_id, model, charges, pictures, spent) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (guild_id, month, user_id, model) "
        + update.format("usage_month"),
        *(guild, job.text("month_label"), job.integer("user_id"), model, *added),
    )
    await tx.fetch(
        "INSERT INTO usage_day (guild_id, day, model, charges, pictures, spent) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (guild_id, day, model) "
        + update.format("usage_day"),
        *(guild, job.text("day_label"), model, *added),
    )


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
