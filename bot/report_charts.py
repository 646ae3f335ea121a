"""Which sums of a report its chart shows; how it looks is `bot.charts`' business."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from bot.aside import aside
from bot.charts import MOST_MEMBERS, MOST_SERIES, Chart, Series
from bot.money import Micros
from bot.quotas import Window, ZoneChange, window_at
from bot.reports import Report, make_report
from bot.storage import DayOfModel, Group, Part, Reports, Stretch

OTHER_MODELS: Final = "other models"


def days_of(stretch: Stretch, zones: Sequence[ZoneChange]) -> tuple[str, ...]:
    """Return every day that begins in a stretch, in the calendar of a guild."""
    days = list[str]()
    bounds = window_at(Window.DAY, stretch.start_ms, zones)
    while bounds.start_ms < stretch.end_ms:
        days.append(bounds.label)
        bounds = window_at(Window.DAY, bounds.end_ms, zones)
    return tuple(days)


def fold_models(rows: Iterable[DayOfModel], days: Sequence[str]) -> tuple[Series, ...]:
    """Return a series for each model, dearest first, and one for all that there is no room for.

    The sums of the series are those of the rows, day by day.
    """
    totals, spent = Counter[str](), Counter[tuple[str, str]]()
    for row in rows:
        totals[row.model] += row.spent
        spent[row.model, row.day] += row.spent
    # Equal ones by name, so that the same report always looks the same.
    models = sorted(totals, key=lambda model: (-totals[model], model))
    shown = models if len(models) <= MOST_SERIES else models[: MOST_SERIES - 1]
    series = [Series(model, tuple(spent[model, day] for day in days)) for model in shown]
    if rest := models[len(shown) :]:
        sums = tuple(sum(spent[model, day] for model in rest) for day in days)
        series.append(Series(OTHER_MODELS, sums))
    return tuple(series)


def fold_members(
    parts: Sequence[Part], name_of: Callable[[Part], str]
) -> tuple[tuple[str, Micros], ...]:
    """Return the dearest members by name, and one sum for all that there is no room for."""
    spenders = [part for part in parts if part.sums.spent]
    shown = spenders if len(spenders) <= MOST_MEMBERS else spenders[: MOST_MEMBERS - 1]
    top = [(name_of(part), part.sums.spent) for part in shown]
    if rest := spenders[len(shown) :]:
        top.append((f"{len(rest)} others", sum(part.sums.spent for part in rest)))
    return tuple(top)


async def make_chart(
    reports: Reports,
    report: Report,
    zones: Sequence[ZoneChange],
    *,
    title: str,
    name_of: Callable[[Part], str],
) -> Chart:
    """Read from the books what the chart of a report shows; `name_of` names a member.

    Raises:
        LedgerUnavailable: they cannot be read now.
    """
    stretch = report.period.stretch
    rows = await reports.days_by_model(report.guild_id, stretch)
    by_member = report
    if report.group is not Group.MEMBER:
        by_member = await make_report(
            reports, report.guild_id, report.period, Group.MEMBER, now_ms=report.now_ms
        )
    # Years of many models are more than the event loop has time for.
    days = await aside(days_of, stretch, zones)
    series = await aside(fold_models, rows, days)
    today = window_at(Window.DAY, report.now_ms, zones).label
    return Chart(
        title=title,
        days=days,
        series=series,
        top=fold_members(by_member.answer.parts, name_of),
        budget=report.answer.budget,
        forecast=report.forecast,
        days_gone=bisect_right(days, today),
    )
