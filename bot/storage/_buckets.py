"""Counters: which ones a job counts in, and the one statement that admits it to all of them."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bot.clock import Clock
from bot.ids import make_id
from bot.money import Micros
from bot.quotas import (
    SPANS,
    Bounds,
    Headroom,
    Limit,
    QuotaExceeded,
    Scope,
    Window,
    ZoneChange,
    pressing,
    window_at,
)
from bot.requests import NO_GUILD, Actor
from bot.storage.rows import Tx, insert, placeholders

UNLIMITED: Final = 1 << 62
_LOCAL: Final = frozenset({Scope.MEMBER, Scope.CHANNEL, Scope.GUILD})
_KEYS: Final = ("scope", "subject", "period", "start_at", "end_at", "label")
_COLUMNS: Final = ("id", *_KEYS, "cap", "held", "settled", "overrun")
_TYPES: Final = tuple(
    "TEXT" if column in {"scope", "subject", "period", "label"} else "BIGINT" for column in _COLUMNS
)


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter that a job is added to."""

    scope: Scope
    subject: str
    window: Window
    bounds: Bounds

    @property
    def is_slot(self) -> bool:
        """Whether it counts open jobs instead of money."""
        return self.window is Window.OPEN


def subject_of(secret: bytes, scope: Scope, actor: Actor) -> str:
    """Name whose counter it is; people by a keyed hash, which outlives the erasure of their id."""
    if scope is Scope.BOT:
        return ""
    if scope is Scope.CHANNEL:
        return str(actor.channel_id)
    if scope in {Scope.GUILD, Scope.CEILING}:
        return str(actor.guild_id)
    place = "everywhere" if scope is Scope.PERSON else str(actor.guild_id)
    digest = hmac.new(secret, f"{place}:{actor.user_id}".encode(), hashlib.sha256)
    return digest.hexdigest()[:32]


def counters_of(
    secret: bytes, actor: Actor, *, now_ms: int, zones: Sequence[ZoneChange]
) -> tuple[Counter, ...]:
    """List every counter of a job that is asked for now, in the global order of locking.

    All of them, limited or not, so that a rule made at noon knows the morning. Money comes before
    slots and what everybody shares comes last; settling goes through them in the same order.
    """
    utc = {window: window_at(window, now_ms) for window in Window}
    local = {window: window_at(window, now_ms, zones) for window in Window} if zones else utc
    in_guild = actor.guild_id != NO_GUILD
    personal = Scope.MEMBER if in_guild else Scope.DM
    shared = (Scope.CHANNEL, Scope.GUILD, Scope.CEILING) if in_guild else ()
    counters = []
    for scope in (personal, *shared, Scope.PERSON, Scope.BOT):
        subject = subject_of(secret, scope, actor)
        bounds = local if scope in _LOCAL else utc
        counters += [Counter(scope, subject, window, bounds[window]) for window in SPANS]
    slot_of = subject_of(secret, personal, actor)
    counters.append(Counter(personal, slot_of, Window.OPEN, utc[Window.OPEN]))
    return tuple(counters)


@lru_cache(maxsize=8)
def _admission(count: int) -> str:
    """Write the statement that raises `count` counters, each only as far as its limit.

    What costs nothing passes any limit on money: it takes nothing from it.
    """
    columns = ", ".join(_COLUMNS)
    values = placeholders(count, len(_COLUMNS), types=_TYPES)
    chosen = ", ".join(f"column{number}" for number in range(1, len(_COLUMNS) + 1))
    cap, held = f"column{_COLUMNS.index('cap') + 1}", f"column{_COLUMNS.index('held') + 1}"
    return (
        f"INSERT INTO bucket ({columns}) SELECT {chosen} FROM (VALUES {values}) AS wanted "
        f"WHERE {held} <= {cap} "
        "ON CONFLICT (scope, subject, period, start_at) DO UPDATE "
        "SET held = bucket.held + excluded.held, cap = excluded.cap "
        "WHERE excluded.held = 0 "
        "OR bucket.settled + bucket.held + excluded.held <= excluded.cap "
        "RETURNING id, scope, period"
    )


async def admit(
    tx: Tx,
    counters: Sequence[Counter],
    *,
    job_id: int,
    amount: Micros,
    about: Micros | None,
    limits: Sequence[Limit],
    clock: Clock,
) -> None:
    """Add a job to all its counters and pin them to it; `about` is what it usually costs.

    Raises:
        QuotaExceeded: one of them has no room; what was added must be rolled back.
        ValueError: a limit that none of the counters is for, and that would silently not hold.
    """
    caps = _caps(limits)
    if stray := caps.keys() - {(counter.scope, counter.window) for counter in counters}:
        raise ValueError(f"limits that do not apply to this job: {stray}")
    rows = await tx.fetch(
        _admission(len(counters)),
        *(
            value
            for counter in counters
            for value in (
                make_id(clock),
                *_key(counter),
                caps.get((counter.scope, counter.window), UNLIMITED),
                1 if counter.is_slot else amount,
                0,
                0,
            )
        ),
    )
    ids = {(row.text("scope"), row.text("period")): row.integer("id") for row in rows}
    if len(ids) < len(counters):
        full = [c for c in counters if (c.scope, c.window) not in ids]
        raise await _refusal(tx, full, amount=amount, about=about, limits=limits)
    await insert(
        tx,
        "job_bucket",
        ("job_id", "place", "bucket_id", "is_slot"),
        [
            (job_id, place, ids[counter.scope, counter.window], int(counter.is_slot))
            for place, counter in enumerate(counters)
        ],
    )


def _key(counter: Counter) -> tuple[str | int, ...]:
    bounds = counter.bounds
    window = counter.window.value
    start, end, label = bounds.start_ms, bounds.end_ms, bounds.label
    return (counter.scope.value, counter.subject, window, start, end, label)


def _caps(limits: Sequence[Limit]) -> dict[tuple[str, str], int]:
    """Return the lowest limit for each kind of counter."""
    caps: dict[tuple[str, str], int] = {}
    for limit in limits:
        key = (limit.scope, limit.window)
        caps[key] = min(limit.amount, caps.get(key, UNLIMITED))
    return caps


async def _refusal(
    tx: Tx,
    full: Sequence[Counter],
    *,
    amount: Micros,
    about: Micros | None,
    limits: Sequence[Limit],
) -> QuotaExceeded:
    """Say which limit binds."""
    states = []
    for counter in full:
        found = await tx.fetch(
            "SELECT held, settled FROM bucket "
            "WHERE scope = $1 AND subject = $2 AND period = $3 AND start_at = $4",
            *_key(counter)[:4],
        )
        used = sum(row.integer("held") + row.integer("settled") for row in found)
        same = [x for x in limits if (x.scope, x.window) == (counter.scope, counter.window)]
        limit = min(same, key=lambda limit: limit.amount)
        needed = 1 if counter.is_slot else amount
        bounds = counter.bounds
        states.append(Headroom(limit, used, needed, bounds.start_ms, bounds.end_ms))
    binds = min(states, key=pressing)
    return QuotaExceeded(
        binds.limit,
        left=binds.left,
        needed=binds.needed,
        resets_at_ms=binds.resets_at_ms,
        about=about,
    )


async def adjust(tx: Tx, job_id: int, *, held: Micros, settled: Micros, overrun: Micros) -> None:
    """Add to the money counters that a job is pinned to, in the order in which it was admitted.

    Written as the admission is, since an UPDATE locks its rows in any order, and two that lock the
    same rows in another order wait for each other. Every row is there: the one that would be
    inserted (under an id that none has) never is.
    """
    await tx.fetch(
        "INSERT INTO bucket (id, scope, subject, period, start_at, end_at, label, cap, "
        "held, settled, overrun) "
        "SELECT -b.id, b.scope, b.subject, b.period, b.start_at, b.end_at, b.label, b.cap, 0, 0, 0 "
        "FROM job_bucket p JOIN bucket b ON b.id = p.bucket_id "
        "WHERE p.job_id = $1 AND p.is_slot = 0 ORDER BY p.place "
        "ON CONFLICT (scope, subject, period, start_at) DO UPDATE "
        "SET held = bucket.held + $2, settled = bucket.settled + $3, "
        "overrun = bucket.overrun + $4",
        job_id,
        held,
        settled,
        overrun,
    )


async def is_pressed(tx: Tx, job_id: int) -> bool:
    """Whether half or more is spent of a pooled budget that a job counts in.

    Judged by the limits at the latest admission, so cheaply that every settlement may ask.
    """
    rows = await tx.fetch(
        "SELECT 1 AS pressed FROM job_bucket JOIN bucket ON bucket.id = bucket_id "
        "WHERE job_id = $1 AND is_slot = 0 AND settled * 2 >= cap "
        "AND scope IN ('channel', 'guild', 'ceiling', 'bot') LIMIT 1",
        job_id,
    )
    return bool(rows)


async def free_slot(tx: Tx, job_id: int) -> None:
    """Take a job that has nothing open any more from its member's open jobs."""
    await tx.fetch(
        "UPDATE bucket SET held = held - 1 "
        "WHERE id IN (SELECT bucket_id FROM job_bucket WHERE job_id = $1 AND is_slot = 1)",
        job_id,
    )
