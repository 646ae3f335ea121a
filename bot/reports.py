"""What a report is about and what follows from its sums: periods, forecasts, changes. No SQL.

`bot.storage.Reports` reads the sums; `bot.exports` writes them to files.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bot.money import Micros
from bot.quotas import Bounds, Window, ZoneChange, window_at
from bot.storage import Answer, Group, Query, Reports, Stretch, Sums

MOST_DAYS: Final = 3_700
"""Ten years: no report is about more."""
_EARLIEST: Final = date(2015, 1, 1)
"""Discord's own first year."""
_LATEST: Final = date(9000, 1, 1)
_FORECAST_FROM: Final = 50
"""A forecast needs a fiftieth of its window to go by: half an hour of a day."""


class NoSuchPeriod(ValueError):
    """These days are no period; the message is a sentence for whoever named them."""


class Span(StrEnum):
    """A period by name."""

    TODAY = "today"
    WEEK = "week"
    MONTH = "month"
    LAST_MONTH = "last month"


_WINDOWS: Final = {Span.TODAY: Window.DAY, Span.WEEK: Window.WEEK, Span.MONTH: Window.MONTH}


class Period(Struct, frozen=True):
    """A stretch of a guild's own time, what it is called, and what it is compared with."""

    stretch: Stretch
    label: str
    """`2026-07-30`, `2026-W31`, `2026-07`, or `2026-07-01 to 2026-07-12`."""
    before: Stretch
    """The period before; as much of it as has gone by of one that still runs."""
    window: Window | None
    """The window that it is, if it is one."""


def named_period(span: Span, *, now_ms: int, zones: Sequence[ZoneChange]) -> Period:
    """Find today, this week, this month or the last, in the calendar of a guild."""
    if span is Span.LAST_MONTH:
        this = window_at(Window.MONTH, now_ms, zones)
        window, bounds = Window.MONTH, window_at(Window.MONTH, this.start_ms - 1, zones)
    else:
        window = _WINDOWS[span]
        bounds = window_at(window, now_ms, zones)
    previous = window_at(window, bounds.start_ms - 1, zones)
    return Period(
        Stretch(bounds.start_ms, bounds.end_ms),
        bounds.label,
        _as_far(Stretch(previous.start_ms, previous.end_ms), bounds, now_ms),
        window,
    )


def period_of_days(first: date, last: date, *, now_ms: int, zones: Sequence[ZoneChange]) -> Period:
    """Find the stretch from one day to another, both included, in the calendar of a guild.

    A single day, and the days of a month, are the windows that they are.

    Raises:
        NoSuchPeriod: the days are in the wrong order, or beyond reason.
    """
    if last < first:
        raise NoSuchPeriod(f"{last} is before {first}.")
    count = (last - first).days + 1
    if count > MOST_DAYS or not _EARLIEST <= first <= last <= _LATEST:
        raise NoSuchPeriod(f"A report is about {MOST_DAYS} days at most, from {_EARLIEST} on.")
    start_ms = _day_start_ms(first, zones)
    stretch = Stretch(start_ms, _day_start_ms(last + timedelta(days=1), zones))
    previous = Stretch(_day_start_ms(first - timedelta(days=count), zones), start_ms)
    for window in (Window.DAY, Window.WEEK, Window.MONTH):
        found = window_at(window, start_ms, zones)
        if (found.start_ms, found.end_ms) == (stretch.start_ms, stretch.end_ms):
            earlier = window_at(window, start_ms - 1, zones)
            previous = Stretch(earlier.start_ms, earlier.end_ms)
            return Period(stretch, found.label, _as_far(previous, stretch, now_ms), window)
    return Period(stretch, f"{first} to {last}", _as_far(previous, stretch, now_ms), None)


def days_wanted(
    first: date | None, last: date | None, *, now_ms: int, zones: Sequence[ZoneChange]
) -> tuple[date, date] | None:
    """Return the days that somebody names; None when they name none.

    Without a last one until today; without a first one, the last one alone.
    """
    if first is None and last is None:
        return None
    last = last or date.fromisoformat(window_at(Window.DAY, now_ms, zones).label)
    return first or last, last


def period_wanted(
    span: Span, days: tuple[date, date] | None, *, now_ms: int, zones: Sequence[ZoneChange]
) -> Period:
    """Find the days where there are any, else the period by name.

    Raises:
        NoSuchPeriod: the days are in the wrong order, or beyond reason.
    """
    if days is None:
        return named_period(span, now_ms=now_ms, zones=zones)
    return period_of_days(*days, now_ms=now_ms, zones=zones)


def _day_start_ms(day: date, zones: Sequence[ZoneChange]) -> int:
    """Return when a day begins; the day after, where a changed zone has skipped it."""
    utc_ms = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
    bounds = window_at(Window.DAY, utc_ms - 2 * 86_400_000, zones)
    while bounds.label < day.isoformat():
        bounds = window_at(Window.DAY, bounds.end_ms, zones)
    return bounds.start_ms


def _as_far(previous: Stretch, current: Bounds | Stretch, now_ms: int) -> Stretch:
    """Cut the period before where the current one is now, so that like is compared with like."""
    if now_ms >= current.end_ms:
        return previous
    gone_by = max(0, now_ms - current.start_ms)
    return Stretch(previous.start_ms, min(previous.end_ms, previous.start_ms + gone_by))


class Report(Struct, frozen=True):
    """What a guild has spent in a period, and what to make of it."""

    guild_id: int
    period: Period
    group: Group
    now_ms: int
    answer: Answer

    @property
    def total(self) -> Sums:
        """Everything that counts as spent."""
        return self.answer.total

    @property
    def is_running(self) -> bool:
        """Whether the period is not over yet."""
        return self.period.stretch.start_ms <= self.now_ms < self.period.stretch.end_ms

    @property
    def average(self) -> Micros | None:
        """What a picture did cost, rounded to the nearest; None without pictures."""
        pictures = self.total.pictures
        return (2 * self.total.spent + pictures) // (2 * pictures) if pictures else None

    @property
    def success(self) -> float | None:
        """Of what was sent and is known, the share that brought a picture (0 to 1)."""
        outcomes = self.answer.outcomes
        return outcomes.succeeded / outcomes.finished if outcomes.finished else None

    @property
    def forecast(self) -> Micros | None:
        """What it comes to at the end if it goes on like this; None when that can't be told."""
        stretch = self.period.stretch
        gone_by, length = self.now_ms - stretch.start_ms, stretch.end_ms - stretch.start_ms
        if not self.is_running or gone_by * _FORECAST_FROM < length:
            return None
        return -(-self.total.spent * length // gone_by)

    @property
    def change(self) -> float | None:
        """Against the period before: 0.5 is half as much again; None when nothing was spent."""
        before = self.answer.spent_before
        return (self.total.spent - before) / before if before else None

    @property
    def of_budget(self) -> float | None:
        """The share of the guild's budget that is spent; None without one that is above 0."""
        budget = self.answer.budget
        return self.total.spent / budget if budget else None


async def make_report(
    reports: Reports, guild_id: int, period: Period, group: Group, *, now_ms: int
) -> Report:
    """Read a report from the books.

    Raises:
        LedgerUnavailable: they cannot be read now.
    """
    query = Query(guild_id, period.stretch, group, period.before, period.window)
    answer = await reports.ask(query, now_ms=now_ms)
    return Report(guild_id, period, group, now_ms, answer)
