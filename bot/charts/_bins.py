"""Days put together where there are too many for a bar each. Pure."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from msgspec import Struct

_MOST_DAYS: Final = 62
_MOST_DAYS_BY_WEEK: Final = 400

_MOST_MARKS: Final = 5
"""Names of days below the bars."""

_Key = Callable[[date], tuple[int, int]]


class Bins(Struct, frozen=True):
    """Where each bar begins and ends, counted in days from the period's first."""

    unit: str
    """What a bar is: `day`, `week` or `month`."""
    edges: tuple[int, ...]
    """One more than there are bars. The first and last week or month may be cut."""

    def sums(self, values: Sequence[int]) -> list[int]:
        """Add up what belongs to each bar."""
        pairs = zip(self.edges, self.edges[1:], strict=False)
        return [sum(values[first:last]) for first, last in pairs]


def bins(days: Sequence[date]) -> Bins:
    """Choose bars that are wide enough to be seen on a phone."""
    if len(days) <= _MOST_DAYS:
        return Bins("day", tuple(range(len(days) + 1)))
    if len(days) <= _MOST_DAYS_BY_WEEK:
        return Bins("week", _edges(days, lambda day: day.isocalendar()[:2]))
    return Bins("month", _edges(days, _month))


def _month(day: date) -> tuple[int, int]:
    return (day.year, day.month)


def _edges(days: Sequence[date], key: _Key) -> tuple[int, ...]:
    starts = [
        number for number, day in enumerate(days) if not number or key(day) != key(days[number - 1])
    ]
    return (*starts, len(days))


def marks(days: Sequence[date]) -> list[tuple[int, str]]:
    """Return the days that are named below the bars, by their number, and what they are called."""
    count = len(days)
    if count <= _MOST_DAYS:
        step = next(step for step in (1, 2, 3, 5, 7, 10, 14) if count <= step * _MOST_MARKS)
        chosen = list(range(0, count - count // 12, step))
        return [(number, f"{days[number].day} {days[number]:%b}") for number in chosen]
    # None so near the end that its name would reach beyond it.
    firsts = [number for number in range(count - count // 7) if days[number].day == 1]
    step = next(step for step in (1, 2, 3, 4, 6, 12, 24, 36) if len(firsts) <= step * _MOST_MARKS)
    chosen = [number for number in firsts if _months(days[number]) % step == 0]
    return [(number, f"{days[number]:%b %Y}") for number in chosen]


def _months(day: date) -> int:
    return 12 * day.year + day.month - 1
