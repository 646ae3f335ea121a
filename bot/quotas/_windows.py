"""Where a day, a week or a month begins and ends, in every time zone and across its changes."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct

FOREVER_MS: Final = 253_402_300_800_000
"""When a window without an end ends: the year 10000 (epoch ms)."""

UTC_ZONE: Final = "UTC"


class Window(StrEnum):
    """What a limit counts over."""

    DAY = "day"
    WEEK = "week"
    """From Monday."""
    MONTH = "month"
    TOTAL = "total"
    """Since ever, without a reset."""
    OPEN = "open"
    """Not time: jobs open at this moment (waiting or running). Only for MEMBER and DM."""
    IMAGE = "image"
    """Not time, and no counter: the highest price of one picture, judged by "at most"."""


SPANS: Final = (Window.DAY, Window.WEEK, Window.MONTH, Window.TOTAL)
"""The windows in which money is counted."""
_CALENDAR: Final = frozenset({Window.DAY, Window.WEEK, Window.MONTH})


class Bounds(Struct, frozen=True):
    """One stretch of time that a counter covers: from `start_ms` until before `end_ms`."""

    start_ms: int
    end_ms: int
    label: str
    """In the calendar of its zone: `2026-07-30`, `2026-W31`, `2026-07`, or the name of
    a window that never ends, such as `total`."""


class ZoneChange(Struct, frozen=True):
    """From `at_ms` (epoch ms) on, people there want the time zone of this IANA name."""

    at_ms: int
    zone: str


@lru_cache(maxsize=1)
def known_zones() -> frozenset[str]:
    """Return the names of all time zones; read from disk the first time, so it takes a moment."""
    return frozenset(available_timezones())


def window_at(window: Window, now_ms: int, changes: Sequence[ZoneChange] = ()) -> Bounds:
    """Find the stretch that `now_ms` counts in, where the time zone was UTC and changed since.

    A changed zone applies from the end of the running window. What is left until the new zone's
    first boundary joins the window after it: so windows follow each other without a gap, none is
    shorter than its calendar period, and flipping zones never refills a quota.

    Args:
        window: what kind of stretch.
        now_ms: epoch ms.
        changes: in any order; those later than `now_ms` are ignored.
    """
    if window not in _CALENDAR:
        return Bounds(0, FOREVER_MS, window.value)
    zone = UTC_ZONE
    since: int | None = None
    waiting = sorted((c for c in changes if c.at_ms <= now_ms), key=lambda change: change.at_ms)
    while waiting:
        running = _running(window, waiting[0].at_ms, zone=zone, since=since)
        if now_ms < running.end_ms:
            return running
        made = [change for change in waiting if change.at_ms < running.end_ms]
        waiting = waiting[len(made) :]
        if made[-1].zone != zone:
            zone, since = made[-1].zone, running.end_ms
    return _running(window, now_ms, zone=zone, since=since)


def _running(window: Window, at_ms: int, *, zone: str, since: int | None) -> Bounds:
    """Find the window in a zone that applies from `since`, the first one joined to the stub."""
    natural = _natural(window, at_ms, zone)
    if since is None:
        return natural
    stub = _natural(window, since, zone)
    if stub.start_ms == since:
        return natural
    if at_ms < stub.end_ms:
        natural = _natural(window, stub.end_ms, zone)
    if natural.start_ms == stub.end_ms:
        return Bounds(since, natural.end_ms, natural.label)
    return natural


_latest: Final[dict[tuple[Window, str], Bounds]] = {}
"""What `_natural` found last for each kind and zone: the present is asked for again and again."""


def _natural(window: Window, at_ms: int, zone: str) -> Bounds:
    """Find the calendar day, week or month of a zone that contains an instant."""
    latest = _latest.get((window, zone))
    if latest is None or not latest.start_ms <= at_ms < latest.end_ms:
        latest = _latest[window, zone] = _work_out(window, at_ms, zone)
    return latest


def _work_out(window: Window, at_ms: int, zone: str) -> Bounds:
    local = datetime.fromtimestamp(at_ms // 1000, ZoneInfo(zone)).date()
    first = _first_day(window, local)
    # Where clocks go back over midnight, the local date does not tell which side of it we are on.
    while _day_start_ms(first, zone) > at_ms:
        first = _first_day(window, first - timedelta(days=1))
    while (end_ms := _day_start_ms(_next_first_day(window, first), zone)) <= at_ms:
        first = _next_first_day(window, first)
    return Bounds(_day_start_ms(first, zone), end_ms, _label(window, first))


def _first_day(window: Window, day: date) -> date:
    """Return the first day of the period that holds `day`."""
    if window is Window.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if window is Window.MONTH else day


def _next_first_day(window: Window, first: date) -> date:
    """Return the first day of the period after the one that begins with `first`."""
    if window is Window.MONTH:
        return (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=7 if window is Window.WEEK else 1)


def _label(window: Window, first: date) -> str:
    if window is Window.WEEK:
        year, week, _ = first.isocalendar()
        return f"{year}-W{week:02d}"
    return first.isoformat()[:7] if window is Window.MONTH else first.isoformat()


@lru_cache(maxsize=4096)
def _day_start_ms(day: date, zone: str) -> int:
    """Return the first instant (epoch ms) at which the local date is `day` or later.

    Midnight may happen twice (the first one counts) or not at all: then the day starts where the
    clocks jump over it, which for a day that was skipped whole is where the next one starts.
    """
    info = ZoneInfo(zone)
    midnight = datetime.combine(day, time(), tzinfo=info)
    late = int(midnight.timestamp())
    if datetime.fromtimestamp(late, info).replace(tzinfo=None) == datetime.combine(day, time()):
        return late * 1000
    early = int(midnight.replace(fold=1).timestamp())
    while early + 1 < late:
        middle = (early + late) // 2
        if datetime.fromtimestamp(middle, UTC).astimezone(info).date() < day:
            early = middle
        else:
            late = middle
    return late * 1000
