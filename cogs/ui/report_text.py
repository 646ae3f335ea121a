"""The sentences that tell a report: its head, what to make of it, and a table of its parts. Pure.

People, roles and channels are shown as mentions, which Discord turns into names for whoever looks;
whoever posts this lets it mention nobody.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from bot.money import format_usd, format_usd_short
from bot.quotas import Window
from bot.reports import Report
from bot.storage import NOBODY, Group, Part, Sums
from cogs.ui.text import plain

PAGE: Final = 15
"""Lines of a table that are shown at once."""
_MOST_NAME: Final = 80
_NOTHING: Final = "Nothing was spent. Pictures that are made from now on appear here by themselves."

GROUPS: Final = {
    Group.MEMBER: "By member",
    Group.ROLE: "By role",
    Group.MODEL: "By model",
    Group.CHANNEL: "By channel",
    Group.COMMAND: "By command",
    Group.DAY: "By day",
}
_MENTIONS: Final = {Group.MEMBER: "<@{}>", Group.ROLE: "<@&{}>", Group.CHANNEL: "<#{}>"}
_NOBODYS: Final = {
    Group.MEMBER: "Members who were erased",
    Group.ROLE: "No role's allowance",
    Group.CHANNEL: "Direct messages",
}
_WINDOWS: Final = {
    Window.DAY: ("today", "of the day", "the day before"),
    Window.WEEK: ("this week", "of the week", "the week before"),
    Window.MONTH: ("this month", "of the month", "the month before"),
}
"""Of each window: what it is while it runs, whose end, and what was before it."""


def head(made: Report) -> str:
    """Say in two lines which period it is about, and what was spent."""
    return f"### {title(made)}\n{spent(made)}"


def title(made: Report) -> str:
    """Name the period: `Spending in July 2026`."""
    return f"Spending {period_name(made)}"


def period_name(made: Report) -> str:
    """Name the period as part of a sentence, such as `in July 2026` or `on 30 July 2026`."""
    label, window = made.period.label, made.period.window
    if window is Window.MONTH:
        return f"in {date.fromisoformat(f'{label}-01'):%B %Y}"
    if window is Window.DAY:
        return f"on {_day(label)}"
    if window is Window.WEEK:
        year, _, week = label.partition("-W")
        return f"in week {int(week)} of {year}"
    first, _, last = label.partition(" to ")
    return f"from {_day(first)} to {_day(last)}"


def _day(label: str) -> str:
    day = date.fromisoformat(label)
    return f"{day.day} {day:%B %Y}"


def spent(made: Report) -> str:
    """Say what was spent, of which budget, on how many pictures."""
    told = f"**{format_usd(made.total.spent)}**"
    if made.answer.budget is not None:
        told += f" of a budget of {format_usd(made.answer.budget)}"
        if made.of_budget is not None:
            told += f" ({made.of_budget:.0%})"
    return f"{told} · {_counted(made.total.pictures, 'picture')}"


def summary(made: Report) -> list[str]:
    """Say what to make of it, a line each: only what can be told."""
    lines = list[str]()
    outcomes = made.answer.outcomes
    if outcomes.jobs or made.total.charges:
        told = f"**Jobs:** {outcomes.jobs:,}"
        if made.success is not None:
            told += f" · {made.success:.1%} of what was sent brought a picture"
        lines.append(told)
    if made.average is not None:
        lines.append(f"**A picture:** {format_usd_short(made.average)} on average")
    if (change := _change(made)) is not None:
        lines.append(change)
    if made.forecast:
        lines.append(_forecast(made))
    if outcomes.pending:
        lines.append(
            f"**Not known yet:** up to {format_usd(outcomes.pending)} for what runs or is unclear"
        )
    return lines


def _change(made: Report) -> str | None:
    before = made.answer.spent_before
    if not before and not made.total.spent:
        return None
    names = None if made.period.window is None else _WINDOWS.get(made.period.window)
    than = "in as many days before" if names is None else names[2]
    if made.is_running and names is not None:
        than = f"by this time {than}"
    if made.change is None:
        return f"**Change:** nothing was spent {than}"
    if made.change == 0:
        return f"**Change:** as much as {than}"
    more = "more" if made.change > 0 else "less"
    share = f"{abs(made.change):.0%}" if abs(made.change) < _MANY else f"{made.change:,.0%}"
    return f"**Change:** {share} {more} than {than} ({format_usd(before)})"


_MANY: Final = 10.0


def _forecast(made: Report) -> str:
    names = None if made.period.window is None else _WINDOWS.get(made.period.window)
    end = "at its end" if names is None else f"at the end {names[1]}"
    told = f"**Forecast:** about {format_usd_short(made.forecast or 0)} {end}"
    budget = made.answer.budget
    if budget is not None and (made.forecast or 0) > budget >= made.total.spent:
        told += ", **above the budget**, which will stop it"
    return told


def pages(made: Report) -> int:
    """Count the pages of the table; one where nothing was spent."""
    return max(1, -(-len(made.answer.parts) // PAGE))


def table(made: Report, *, page: int = 1, most: int = PAGE) -> str:
    """Tell the parts of a page (from 1), a line each, or that nothing was spent.

    `most` lines; where there are more pages than the first, whoever shows it says so.
    """
    parts = made.answer.parts[(page - 1) * most : page * most]
    if not parts:
        return _NOTHING
    first = (page - 1) * most + 1
    return "\n".join(_line(part, made, rank=first + number) for number, part in enumerate(parts))


def _line(part: Part, made: Report, *, rank: int) -> str:
    marker = "-" if made.group is Group.DAY else f"{rank}."
    facts = [f"**{format_usd(part.sums.spent)}**"]
    if made.total.spent:
        facts.append(_share(part.sums, made.total))
    facts.append(_counted(part.sums.pictures, "picture"))
    return f"{marker} {name_of(part, made.group)} · {' · '.join(facts)}"


def _share(part: Sums, total: Sums) -> str:
    share = part.spent / total.spent
    return "<1%" if 0 < share < _LEAST else f"{share:.0%}"


_LEAST: Final = 0.01


def _counted(number: int, what: str) -> str:
    return f"one {what}" if number == 1 else f"{number:,} {what}s"


def name_of(part: Part, group: Group) -> str:
    """Name a part as Discord shows it: a mention, or its name letter by letter."""
    if part.key == NOBODY:
        return _NOBODYS.get(group, "None")
    if group in _MENTIONS:
        return _MENTIONS[group].format(part.key)
    if group is Group.DAY:
        return _day(str(part.key))
    name = plain(str(part.key), most=_MOST_NAME)
    return f"`/{part.key}`" if group is Group.COMMAND else name


def more(made: Report, *, shown: int) -> str:
    """Say how many parts are left out where only the first are shown; empty when none are."""
    rest: Sequence[Part] = made.answer.parts[shown:]
    if not rest:
        return ""
    left = sum(part.sums.spent for part in rest)
    return f"-# and {len(rest):,} more, for {format_usd(left)} together"
