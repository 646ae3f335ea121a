"""Counters: which ones a job counts in, and the one statement that admits it to all of them."""

import hmac
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, Self

from msgspec import Struct

from bot.clock import Clock
from bot.ids import make_ids
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
from bot.storage.rows import Tx, Value, placeholders

UNLIMITED: Final = 1 << 62
WORTH_A_LOOK: Final[Micros] = 250_000
"""What a member's day comes to before anybody asks whether it is unusual (micro-USD)."""
_LOCAL: Final = frozenset({Scope.MEMBER, Scope.CHANNEL, Scope.GUILD})
_KEYS: Final = ("scope", "subject", "period", "start_at", "end_at", "label")
_COLUMNS: Final = ("id", *_KEYS, "cap", "held", "settled", "overrun")
_GIVEN: Final = ("id", *_KEYS, "cap", "held")
"""What an admission knows of a new counter; nothing is settled in it."""
_TYPES: Final = tuple(
    "TEXT" if column in {"scope", "subject", "period", "label"} else "BIGINT" for column in _GIVEN
)


class Counter(NamedTuple):
    """One counter that a job is added to."""

    scope: Scope
    subject: str
    window: Window
    bounds: Bounds
    key: tuple[str | int, ...]
    """The same as `_KEYS` are stored."""
    name: str
    """What tells it from the others of its job."""

    @classmethod
    def of(cls, scope: Scope, subject: str, window: Window, bounds: Bounds) -> Self:
        """Return the counter of a subject for one stretch of time."""
        limits = (bounds.start_ms, bounds.end_ms, bounds.label)
        key = (scope.value, subject, window.value, *limits)
        return cls(scope, subject, window, bounds, key, f"{scope.value} {window.value}")

    @property
    def is_slot(self) -> bool:
        """Whether it counts open jobs instead of money."""
        return self.window is Window.OPEN


class Pins(Struct, frozen=True):
    """The ids of the counters that a job was admitted to, as `job.pins` keeps them."""

    money: tuple[int, ...]
    """In the order in which they are locked."""
    slot: int
    """Counts the open jobs of its member."""

    @classmethod
    def of(cls, counters: "Sequence[Counter]", ids: Mapping[str, int]) -> Self:
        """Put the ids of counters, by their names, into the order of locking."""
        *money, slot = [ids[counter.name] for counter in counters]
        return cls(tuple(money), slot)

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what `write` wrote."""
        *money, slot = map(int, text.split())
        return cls(tuple(money), slot)

    def write(self) -> str:
        """Write them into one text: they are never asked for apart from each other."""
        return " ".join(map(str, (*self.money, self.slot)))


def subject_of(secret: bytes, scope: Scope, actor: Actor) -> str:
    """Name whose counter it is; people by a keyed hash, which outlives the erasure of their id."""
    if scope is Scope.BOT:
        return ""
    if scope is Scope.CHANNEL:
        return str(actor.channel_id)
    if scope in {Scope.GUILD, Scope.CEILING}:
        return str(actor.guild_id)
    place = "everywhere" if scope is Scope.PERSON else str(actor.guild_id)
    return _hashed(secret, f"{place}:{actor.user_id}")


@lru_cache(maxsize=4096)
def _hashed(secret: bytes, whose: str) -> str:
    return hmac.digest(secret, whose.encode(), "sha256").hex()[:32]


def counters_of(
    secret: bytes, actor: Actor, *, now_ms: int, zones: Sequence[ZoneChange]
) -> tuple[Counter, ...]:
    """List every counter of a job that is asked for now, in the global order of locking.

    All of them, limited or not, so that a rule made at noon knows the morning. Money comes before
    slots and what everybody shares comes last; settling goes through them in the same order.
    """
    utc = tuple([window_at(window, now_ms) for window in SPANS])
    local = tuple([window_at(window, now_ms, zones) for window in SPANS]) if zones else utc
    open_jobs = window_at(Window.OPEN, now_ms)
    where = Actor(actor.user_id, actor.guild_id, actor.channel_id)
    return _counters(secret, where, utc, local, open_jobs)


@lru_cache(maxsize=256)
def _counters(
    secret: bytes,
    actor: Actor,
    utc: tuple[Bounds, ...],
    local: tuple[Bounds, ...],
    open_jobs: Bounds,
) -> tuple[Counter, ...]:
    """List counters; remembered, since whoever asks for one picture asks for more within the day.

    `utc` and `local` are the bounds of `SPANS`.
    """
    in_guild = actor.guild_id != NO_GUILD
    personal = Scope.MEMBER if in_guild else Scope.DM
    shared = (Scope.CHANNEL, Scope.GUILD, Scope.CEILING) if in_guild else ()
    counters = []
    for scope in (personal, *shared, Scope.PERSON, Scope.BOT):
        subject = subject_of(secret, scope, actor)
        bounds = local if scope in _LOCAL else utc
        counters += [
            Counter.of(scope, subject, window, at) for window, at in zip(SPANS, bounds, strict=True)
        ]
    counters.append(Counter.of(personal, counters[0].subject, Window.OPEN, open_jobs))
    return tuple(counters)


_RAISE: Final = (
    "DO UPDATE SET held = bucket.held + excluded.held, cap = excluded.cap "
    "WHERE excluded.held = 0 OR bucket.settled + bucket.held + excluded.held <= excluded.cap"
)


@lru_cache(maxsize=8)
def _admission(count: int) -> str:
    """Write the statement that raises `count` counters, each only as far as its limit.

    What costs nothing passes any limit on money: it takes nothing from it.
    """
    columns = ", ".join(_COLUMNS)
    values = placeholders(count, len(_GIVEN), types=_TYPES)
    chosen = ", ".join(f"column{number}" for number in range(1, len(_GIVEN) + 1))
    cap, held = f"column{_GIVEN.index('cap') + 1}", f"column{_GIVEN.index('held') + 1}"
    return (
        f"INSERT INTO bucket ({columns}) SELECT {chosen}, 0, 0 FROM (VALUES {values}) AS wanted "
        f"WHERE {held} <= {cap} "
        f"ON CONFLICT (scope, subject, period, start_at) {_RAISE} "
        "RETURNING id, scope || ' ' || period AS name"
    )


@lru_cache(maxsize=8)
def _readmission(count: int) -> str:
    """Write the same for counters whose ids are known: none of them is inserted.

    No counter is ever deleted, and what is more than its limit does not fit into any.
    """
    money = [f"(${n}, '', '', '', ${n}, 0, '', ${n + 1}, $1, 0, 0)" for n in range(2, 2 * count, 2)]
    slot = f"(${2 * count}, '', '', '', ${2 * count}, 0, '', ${2 * count + 1}, 1, 0, 0)"
    return (
        f"INSERT INTO bucket ({', '.join(_COLUMNS)}) VALUES {', '.join((*money, slot))} "
        f"ON CONFLICT (id) {_RAISE} RETURNING id"
    )


async def admit(
    tx: Tx,
    counters: Sequence[Counter],
    *,
    known: Pins | None,
    amount: Micros,
    about: Micros | None,
    limits: Sequence[Limit],
    clock: Clock,
) -> Pins:
    """Add a job to all its counters, to which it is then pinned; `about` is its usual cost.

    `known`: what a committed admission to the same counters was pinned to, which says where they
    are. Without it they are looked for by what they count, and made where there are none yet.

    Raises:
        QuotaExceeded: one of them has no room; what was added must be rolled back.
        ValueError: a limit that none of the counters is for, and that would silently not hold.
    """
    given = _caps(limits)
    if stray := given.keys() - {(counter.scope, counter.window) for counter in counters}:
        raise ValueError(f"limits that do not apply to this job: {stray}")
    caps = [given.get((counter.scope, counter.window), UNLIMITED) for counter in counters]
    if known is None:
        raised = await _raise_any(tx, counters, caps, amount, clock)
    else:
        raised = await _raise_known(tx, counters, caps, amount, known)
    if len(raised) < len(counters):
        full = [counter for counter in counters if counter.name not in raised]
        raise await _refusal(tx, full, amount=amount, about=about, limits=limits)
    return known or Pins.of(counters, raised)


async def _raise_any(
    tx: Tx, counters: Sequence[Counter], caps: Sequence[int], amount: Micros, clock: Clock
) -> dict[str, int]:
    """Raise counters, old or new; return the ids of those that had room, by name."""
    values: list[Value] = []
    new_ids = make_ids(clock, len(counters))
    for counter, cap, new_id in zip(counters, caps, new_ids, strict=True):
        values += (new_id, *counter.key, cap, 1 if counter.is_slot else amount)
    rows = await tx.fetch(_admission(len(counters)), *values)
    return {row.text("name"): row.integer("id") for row in rows}


async def _raise_known(
    tx: Tx, counters: Sequence[Counter], caps: Sequence[int], amount: Micros, known: Pins
) -> dict[str, int]:
    """The same for counters of which it is known where they are."""
    ids = (*known.money, known.slot)
    values = [each for pair in zip(ids, caps, strict=True) for each in pair]
    rows = await tx.fetch(_readmission(len(counters)), amount, *values)
    raised = {row.integer("id") for row in rows}
    return {c.name: at for c, at in zip(counters, ids, strict=True) if at in raised}


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
            *counter.key[:4],
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


@lru_cache(maxsize=8)
def _adjustment(count: int) -> str:
    """Write the statement that adds to `count` counters in a given order.

    Written as the admission is, since an UPDATE locks its rows in any order, and two that lock the
    same rows in another order wait for each other. No counter is ever deleted, so that none of the
    rows that are wanted here is inserted.
    """
    rows = ", ".join(
        f"(${number}, '', '', '', ${number}, 0, '', 0, 0, 0, 0)" for number in range(4, count + 4)
    )
    return (
        f"INSERT INTO bucket ({', '.join(_COLUMNS)}) VALUES {rows} ON CONFLICT (id) DO UPDATE "
        "SET held = bucket.held + $1, settled = bucket.settled + $2, overrun = bucket.overrun + $3"
    )


async def adjust(tx: Tx, pins: Pins, *, held: Micros, settled: Micros, overrun: Micros) -> None:
    """Add to the money counters that a job is pinned to, in the order in which it was admitted."""
    await tx.fetch(_adjustment(len(pins.money)), held, settled, overrun, *pins.money)


async def is_pressed(tx: Tx, pins: Pins) -> bool:
    """Whether half or more is spent of a pooled budget that a job counts in, or much by its member.

    Judged by the limits at the latest admission, so cheaply that every settlement may ask.
    """
    count = len(pins.money)
    rows = await tx.fetch(
        f"SELECT 1 AS pressed FROM bucket WHERE id IN {placeholders(1, count)} "
        "AND (settled * 2 >= cap AND scope IN ('channel', 'guild', 'ceiling', 'bot') "
        f"OR settled >= ${count + 1} AND scope = 'member' AND period = 'day') LIMIT 1",
        *pins.money,
        WORTH_A_LOOK,
    )
    return bool(rows)


async def free_slot(tx: Tx, pins: Pins) -> None:
    """Take a job that has nothing open any more from its member's open jobs."""
    await tx.fetch("UPDATE bucket SET held = held - 1 WHERE id = $1", pins.slot)
