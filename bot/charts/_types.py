"""What a chart shows: plain data, which whoever has read the books fills in.

Money is micro-USD. Names are anybody's words, and need no cleaning before they come here.
"""

from typing import Final

from msgspec import Struct

from bot.money import Micros

MOST_SERIES: Final = 8
"""Colours that can be told apart."""
MOST_MEMBERS: Final = 6
"""Bars of members that a phone has room for."""


class ChartUnavailable(Exception):
    """There is no chart now: show the numbers without one. Why stands in the log."""


class Series(Struct, frozen=True):
    """What one model did cost."""

    name: str
    spent: tuple[Micros, ...]
    """For each of the chart's days."""


class Chart(Struct, frozen=True, kw_only=True):
    """What was spent in a period."""

    title: str
    days: tuple[str, ...]
    """Every day of the period in order, such as `2026-07-30`, in the guild's calendar."""
    series: tuple[Series, ...]
    """Models, dearest first, the rest together as the last; `MOST_SERIES` at most."""
    top: tuple[tuple[str, Micros], ...]
    """Members by name, dearest first, the rest together as the last; `MOST_MEMBERS` at most."""
    budget: Micros | None
    """Of the whole period, if there is one."""
    forecast: Micros | None
    """What will be spent at the period's end; None when that can't be told, or it is over."""
    days_gone: int
    """How many of `days` have begun."""
