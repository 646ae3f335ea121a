"""Which digest is due: pure rules, over `bot.quotas`' windows. No clock, no SQL, no Discord.

A guild's days, weeks and months follow each other without a gap, whatever its time zone does. A
digest is about the latest one that has ended, and covers everything until its end: so none is
posted twice, and those that nobody was there to post are told of as one gap.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from bot.quotas import Bounds, Window, ZoneChange, window_at
from bot.reports import Period
from bot.storage import Stretch

SETTLING_MS: Final = 5 * 60_000
"""How long after its end a period is reported: what was asked for in its last minutes still runs
until then."""


class Due(Struct, frozen=True):
    """A period that has ended and is not reported."""

    bounds: Bounds
    gap: Stretch | None
    """What was not reported before it, because nobody was there to do it."""


def due(window: Window, zones: Sequence[ZoneChange], *, covered_ms: int, now_ms: int) -> Due | None:
    """Find the period to be reported now, if there is one.

    Args:
        window: a day, a week or a month.
        zones: every time zone that the guild has had.
        covered_ms: until when everything is reported, or was not wanted yet (epoch ms).
        now_ms: epoch ms; it may have jumped.
    """
    running = window_at(window, now_ms - SETTLING_MS, zones)
    if running.start_ms <= covered_ms:
        return None
    return that_ended(window, zones, end_ms=running.start_ms, covered_ms=covered_ms)


def covered_by_now(covered_ms: int, reported_ms: int | None, *, now_ms: int) -> int:
    """Return until when everything is covered, whatever the clock has done since that was written.

    Nothing is covered before it has ended. Where it says so, the clock was ahead: then no more
    is covered than what was reported, however early that was, so that nothing is reported twice.
    Without this, a clock that was a year ahead once would end digests for a year.
    """
    if covered_ms <= now_ms + SETTLING_MS:
        return covered_ms
    return now_ms if reported_ms is None else reported_ms


def that_ended(window: Window, zones: Sequence[ZoneChange], *, end_ms: int, covered_ms: int) -> Due:
    """Return the period that ended at `end_ms`, where all until `covered_ms` was reported."""
    bounds = window_at(window, end_ms - 1, zones)
    missed = bounds.start_ms > covered_ms
    return Due(bounds, Stretch(covered_ms, bounds.start_ms) if missed else None)


def period_of(window: Window, bounds: Bounds, zones: Sequence[ZoneChange]) -> Period:
    """Return what a report on a window that has ended is about."""
    before = window_at(window, bounds.start_ms - 1, zones)
    return Period(
        Stretch(bounds.start_ms, bounds.end_ms),
        bounds.label,
        Stretch(before.start_ms, before.end_ms),
        window,
    )
