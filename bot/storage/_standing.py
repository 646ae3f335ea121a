"""How every limit stands for somebody, read on one snapshot and without spending anything."""

from msgspec import Struct

from bot.money import Micros
from bot.quotas import FOREVER_MS, Defaults, Headroom, Limit, Rules, Scope, Window, limits_for
from bot.requests import Actor
from bot.storage._buckets import Counter, counters_of
from bot.storage._rules import read_rules
from bot.storage.policy_models import Standing, Tally
from bot.storage.rows import Tx, placeholders


class Question(Struct, frozen=True):
    """Who asks, where, and about which job."""

    actor: Actor
    price: Micros
    count: int
    now_ms: int


async def read_standing(
    tx: Tx, question: Question, *, secret: bytes, defaults: Defaults
) -> Standing:
    """Read the rules and the counters that concern a job, and compare them."""
    actor, now_ms = question.actor, question.now_ms
    rules = await read_rules(tx, actor, secret=secret, defaults=defaults)
    counters = counters_of(secret, actor, now_ms=now_ms, zones=rules.zones)
    tallies = await read_tallies(tx, counters)
    return Standing(
        actor=actor,
        price=question.price,
        count=question.count,
        limits=_headrooms(rules, question, tallies),
        tallies={key: tally for key, tally in tallies.items() if key[1] is not Window.OPEN},
        rules=rules,
    )


async def read_tallies(tx: Tx, counters: tuple[Counter, ...]) -> dict[tuple[Scope, Window], Tally]:
    """Read how counters stand; those that nothing was added to yet are at 0."""
    marks = placeholders(len(counters), 4, types=("TEXT", "TEXT", "TEXT", "BIGINT"))
    rows = await tx.fetch(
        "SELECT scope, period, settled, held FROM bucket "
        f"WHERE (scope, subject, period, start_at) IN (VALUES {marks})",
        *(
            value
            for c in counters
            for value in (c.scope.value, c.subject, c.window.value, c.bounds.start_ms)
        ),
    )
    found = {
        (row.text("scope"), row.text("period")): (row.integer("settled"), row.integer("held"))
        for row in rows
    }
    return {
        (c.scope, c.window): Tally(*found.get((c.scope, c.window), (0, 0)), bounds=c.bounds)
        for c in counters
    }


def _headrooms(
    rules: Rules, question: Question, tallies: dict[tuple[Scope, Window], Tally]
) -> tuple[Headroom, ...]:
    limits = limits_for(rules, question.actor, now_ms=question.now_ms)
    return tuple(_headroom(limit, question, tallies) for limit in limits)


def _headroom(
    limit: Limit, question: Question, tallies: dict[tuple[Scope, Window], Tally]
) -> Headroom:
    if limit.window is Window.IMAGE:
        return Headroom(limit, used=0, needed=question.price, starts_ms=0, ends_ms=FOREVER_MS)
    tally = tallies[limit.scope, limit.window]
    needed = 1 if limit.window is Window.OPEN else question.price * question.count
    bounds = tally.bounds
    return Headroom(limit, tally.used, needed, bounds.start_ms, bounds.end_ms)
