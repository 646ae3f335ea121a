"""What somebody wants a report on, and how that fits into a `custom_id`.

Pure. What comes back in a `custom_id` is as hostile as any input: the pattern bounds it, and what
is no day is refused like a typed one.
"""

import re
from datetime import date
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bot.errors import InvalidOption
from bot.ids import MOST_ID
from bot.reports import Span
from bot.storage import Group

STATE: Final = (
    r"(?P<state>(?P<whose>[0-9]{0,20}):(?P<period>[twml]|[0-9]{8}-[0-9]{8}):(?P<group>[mrocad])"
    r":(?P<page>[0-9]{1,4}))"
)
"""A query in a `custom_id`: 45 characters at most."""
MOST_DATE: Final = 10
_MOST_PAGE: Final = 9999
_SPANS: Final = {"t": Span.TODAY, "w": Span.WEEK, "m": Span.MONTH, "l": Span.LAST_MONTH}
_GROUPS: Final = {
    "m": Group.MEMBER,
    "r": Group.ROLE,
    "o": Group.MODEL,
    "c": Group.CHANNEL,
    "a": Group.COMMAND,
    "d": Group.DAY,
}
_SPAN_LETTERS: Final = {span: letter for letter, span in _SPANS.items()}
_GROUP_LETTERS: Final = {group: letter for letter, group in _GROUPS.items()}
_HINT: Final = "a date such as 2026-07-30"


class Query(Struct, frozen=True):
    """A page of a report."""

    span: Span = Span.MONTH
    """Where there are no days."""
    days: tuple[date, date] | None = None
    """The first and the last."""
    group: Group = Group.MEMBER
    page: int = 1
    whose: int | None = None
    """A guild that the operator looks at from elsewhere; None: the one where it is asked."""

    @property
    def state(self) -> str:
        """The query as it stands in a `custom_id`."""
        whose = "" if self.whose is None else str(self.whose)
        group = _GROUP_LETTERS[self.group]
        return f"{whose}:{self.period}:{group}:{self.page}"

    @property
    def period(self) -> str:
        """The period as it stands in a `custom_id`, and as a choice of a menu."""
        if self.days is None:
            return _SPAN_LETTERS[self.span]
        return "-".join(f"{day:%Y%m%d}" for day in self.days)

    def at(self, page: int) -> "Query":
        """Return the same report at another page."""
        return replace(self, page=min(max(page, 1), _MOST_PAGE))

    def during(self, period: str) -> "Query":
        """Return the first page of another period, as `period` writes it.

        Raises:
            InvalidOption: it is none.
        """
        if period in _SPANS:
            return replace(self, span=_SPANS[period], days=None, page=1)
        try:
            first, last = (date.fromisoformat(part) for part in period.split("-"))
        except ValueError:
            raise InvalidOption("period", period, "one of the periods that are offered") from None
        return replace(self, days=(first, last), page=1)

    def by(self, group: Group) -> "Query":
        """Return the first page of another table."""
        return replace(self, group=group, page=1)


def query_of(state: str) -> Query:
    """Read a query out of a `custom_id`.

    Raises:
        InvalidOption: its days are none.
    """
    match = re.fullmatch(STATE, state, flags=re.ASCII)
    if match is None:
        raise InvalidOption("report", state, _HINT)
    whose = min(int(match["whose"]), MOST_ID) if match["whose"] else None
    query = Query(group=_GROUPS[match["group"]], whose=whose)
    return query.during(match["period"]).at(int(match["page"]))


def parse_day(typed: str | None, *, option: str) -> date | None:
    """Read `2026-07-30`; None where nothing was typed.

    Raises:
        InvalidOption: it is no such day.
    """
    if typed is None or not typed.strip():
        return None
    try:
        return date.fromisoformat(typed.strip())
    except ValueError:
        raise InvalidOption(option, typed, _HINT) from None
