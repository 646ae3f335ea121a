"""`python -m bot report`: what a guild has spent, in a terminal, while the bot runs or not.

Reads the database beside the bot, needs no account, and knows people and places by their ids only.
What shows progress is loaded here only, and only where somebody can see it.
"""

import argparse
import asyncio
import io
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import BinaryIO, Final, TextIO

from msgspec import Struct

from bot.charts import Charts, ChartUnavailable
from bot.clock import Clock, SystemClock
from bot.errors import LedgerUnavailable
from bot.exports import Format, Lines, plain
from bot.money import format_usd
from bot.quotas import ZoneChange
from bot.reconcile_report import reconcile
from bot.report_charts import make_chart
from bot.report_rows import CHARGE_COLUMNS, charge_cells, sum_cells, sum_columns
from bot.reports import (
    NoSuchPeriod,
    Period,
    Report,
    Span,
    days_wanted,
    make_report,
    period_wanted,
)
from bot.settings import EXIT_CONFIG, Settings
from bot.storage import (
    NOBODY,
    Group,
    Part,
    Reports,
    StorageError,
    read_database,
    sqlite_path,
)

EVERY_CHARGE: Final = "charge"
"""Instead of a `Group`: no sums, but each charge by itself."""
TABLE: Final = "table"
PNG: Final = "png"
EXIT_USAGE: Final = 2
EXIT_NO_CHART: Final = 1
NOT_INTO_A_TERMINAL: Final = (
    "A terminal can't show a chart: write it to a file, by adding > chart.png to the command."
)


class Wanted(Struct, frozen=True):
    """What was asked for on the command line."""

    guild_id: int
    span: Span
    first: date | None
    last: date | None
    by: str
    """A `Group`, or `EVERY_CHARGE`."""
    form: str
    """A `Format`, `TABLE` or `PNG`."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the subcommand's options."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--guild", type=int, metavar="ID", help="whose; 0: direct messages")
    what.add_argument("--reconcile", action="store_true", help="compare with ImageRouter instead")
    parser.add_argument("--key", metavar="NAME", help="this bot's key, for --reconcile")
    spans = [span.value.replace(" ", "-") for span in Span]
    parser.add_argument("--period", choices=spans, default="month", help="instead of --from, --to")
    parser.add_argument("--from", dest="first", type=date.fromisoformat, metavar="YYYY-MM-DD")
    parser.add_argument("--to", dest="last", type=date.fromisoformat, metavar="YYYY-MM-DD")
    groups = [*(group.value for group in Group), EVERY_CHARGE]
    parser.add_argument("--by", choices=groups, default=Group.MEMBER.value)
    formats = [TABLE, *(form.value for form in Format), PNG]
    parser.add_argument(
        "--format",
        dest="form",
        choices=formats,
        default=TABLE,
        help="png is a chart of days, models and members, whatever --by says",
    )


def wanted_of(chosen: argparse.Namespace) -> Wanted:
    """Return the options that were given."""
    return Wanted(
        guild_id=chosen.guild,
        span=Span(chosen.period.replace("-", " ")),
        first=chosen.first,
        last=chosen.last,
        by=chosen.by,
        form=chosen.form,
    )


def report(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print a report; returns the exit code."""
    wanted = wanted_of(chosen)
    if wanted.form == PNG and sys.stdout.isatty():
        sys.stderr.write(f"{NOT_INTO_A_TERMINAL}\n")
        return EXIT_USAGE
    # What Windows takes a pipe for could not write every name.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    try:
        if chosen.reconcile:
            return reconcile(settings, chosen.key)
        if wanted.form == PNG:
            out = sys.stdout.buffer
            return asyncio.run(print_chart(settings, wanted, out=out, faults=sys.stderr))
        return asyncio.run(print_report(settings, wanted, out=sys.stdout, faults=sys.stderr))
    except BrokenPipeError:  # who reads has seen enough; nothing is left to be flushed to them
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


async def print_report(
    settings: Settings,
    wanted: Wanted,
    *,
    out: TextIO,
    faults: TextIO,
    clock: Clock | None = None,
) -> int:
    """Write a report to `out`, and what stands in its way to `faults`; returns the exit code."""

    async def run(reports: Reports, zones: Sequence[ZoneChange], now_ms: int) -> int:
        period = _period(wanted, now_ms, zones)
        if wanted.by == EVERY_CHARGE:
            await _print_charges(reports, wanted, period, now_ms, out=out, progress=faults)
            return 0
        made = await make_report(reports, wanted.guild_id, period, Group(wanted.by), now_ms=now_ms)
        if wanted.form == TABLE:
            out.writelines(f"{line}\n" for line in table(made))
        else:
            _print_rows(Format(wanted.form), made, out)
        return 0

    return await _with_reports(settings, wanted, run, faults=faults, clock=clock)


async def print_chart(
    settings: Settings,
    wanted: Wanted,
    *,
    out: BinaryIO,
    faults: TextIO,
    clock: Clock | None = None,
) -> int:
    """Write a report's chart to `out`, as a PNG; returns the exit code."""

    async def run(reports: Reports, zones: Sequence[ZoneChange], now_ms: int) -> int:
        period = _period(wanted, now_ms, zones)
        made = await make_report(reports, wanted.guild_id, period, Group.MEMBER, now_ms=now_ms)
        chart = await make_chart(
            reports,
            made,
            zones,
            title=f"{_place(made)}, {period.label}",
            name_of=lambda part: str(_name(part, Group.MEMBER)),
        )
        out.write(await charts.draw(chart))
        return 0

    path = sqlite_path(settings.database_url)
    async with Charts(cache=path and path.with_suffix(".charts")) as charts:
        try:
            return await _with_reports(settings, wanted, run, faults=faults, clock=clock)
        except ChartUnavailable as error:
            print(f"The chart could not be drawn: {error}.", file=faults)
            return EXIT_NO_CHART


async def _with_reports(
    settings: Settings,
    wanted: Wanted,
    run: Callable[[Reports, Sequence[ZoneChange], int], Awaitable[int]],
    *,
    faults: TextIO,
    clock: Clock | None,
) -> int:
    """Do something with the books, and say what stands in its way; returns the exit code."""
    now_ms = (clock or SystemClock()).now_ms()
    try:
        async with read_database(settings.database_url) as database:
            reports = Reports(database, defaults=settings.spending_defaults)
            return await run(reports, await reports.zones(wanted.guild_id), now_ms)
    except NoSuchPeriod as error:
        print(error, file=faults)
        return EXIT_USAGE
    except (StorageError, LedgerUnavailable) as error:
        print(error, file=faults)
        return EXIT_CONFIG


def _period(wanted: Wanted, now_ms: int, zones: Sequence[ZoneChange]) -> Period:
    days = days_wanted(wanted.first, wanted.last, now_ms=now_ms, zones=zones)
    return period_wanted(wanted.span, days, now_ms=now_ms, zones=zones)


def table(made: Report) -> Iterator[str]:
    """Write a report for people to read, line by line."""
    place = _place(made)
    yield f"Spent in {place[0].lower()}{place[1:]}, {made.period.label}"
    yield ""
    facts = list(_facts(made))
    width = max(len(name) for name, _ in facts)
    for name, told in facts:
        yield f"{name.ljust(width)}  {told}"
    yield ""
    if not made.answer.parts:
        yield "Nothing was spent."
        return
    rows = [(made.group.value, "charges", "pictures", "spent", "share")]
    rows += [_told(part, made) for part in made.answer.parts]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for name, *numbers in rows:
        cells = [number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True)]
        yield "  ".join([name.ljust(widths[0]), *cells])


def _place(made: Report) -> str:
    return f"Server {made.guild_id}" if made.guild_id else "Direct messages"


def _facts(made: Report) -> Iterator[tuple[str, str]]:
    budget = made.answer.budget
    of_budget = (
        f", {made.of_budget:.0%} of {format_usd(budget)}" if budget and made.of_budget else ""
    )
    yield "Spent", f"{format_usd(made.total.spent)}{of_budget}"
    if made.change is not None:
        yield "Before", f"{format_usd(made.answer.spent_before)} ({made.change:+.0%})"
    if made.forecast is not None:
        yield "Forecast", f"about {format_usd(made.forecast)} at the end"
    if made.answer.outcomes.pending:
        yield "Pending", format_usd(made.answer.outcomes.pending)
    each = "" if made.average is None else f", {format_usd(made.average)} each"
    yield "Pictures", f"{made.total.pictures:,}{each}"
    yield "Jobs", f"{made.answer.outcomes.jobs:,}"
    if made.success is not None:
        yield "Success", f"{made.success:.1%}"


def _told(part: Part, made: Report) -> tuple[str, str, str, str, str]:
    share = part.sums.spent / made.total.spent if made.total.spent else 0.0
    return (
        plain(str(_name(part, made.group))),
        f"{part.sums.charges:,}",
        f"{part.sums.pictures:,}",
        format_usd(part.sums.spent),
        f"{share:.1%}",
    )


def _name(part: Part, group: Group) -> str:
    """Return an id or name, or what it means that there is none."""
    if part.key != NOBODY:
        return str(part.key)
    return "(erased)" if group is Group.MEMBER else "(none)"


def _print_rows(form: Format, made: Report, out: TextIO) -> None:
    lines = Lines(form, sum_columns(made.group))
    rows = enumerate(map(sum_cells, made.answer.parts))
    out.write(lines.head)
    out.writelines(lines.record(cells, is_first=number == 0) for number, cells in rows)
    out.write(lines.tail)


async def _print_charges(
    reports: Reports,
    wanted: Wanted,
    period: Period,
    now_ms: int,
    *,
    out: TextIO,
    progress: TextIO,
) -> None:
    """Write every charge, however many: a page of them is in memory at a time."""
    lines = Lines(Format.CSV if wanted.form == TABLE else Format(wanted.form), CHARGE_COLUMNS)
    stretch = period.stretch
    out.write(lines.head)
    count = 0
    # Where the charges themselves are to be read, a bar would be in their way.
    watched = progress if progress.isatty() and not out.isatty() else None
    with _bar(watched, stretch.start_ms, min(stretch.end_ms, now_ms)) as told:
        async for page in reports.charges(wanted.guild_id, stretch):
            for line in page:
                out.write(lines.record(charge_cells(line), is_first=count == 0))
                count += 1
            told(page[-1].created_ms, count)
    out.write(lines.tail)


@contextmanager
def _bar(
    terminal: TextIO | None, start_ms: int, end_ms: int
) -> Iterator[Callable[[int, int], None]]:
    """Show on a terminal how far the charges are written: up to which time, and how many."""
    if terminal is None:
        yield lambda _time, _count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("Writing charges"),
        BarColumn(),
        TextColumn("{task.percentage:.0f}%, {task.fields[count]:,} charges"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(file=terminal)) as progress:
        task = progress.add_task("", total=max(1, end_ms - start_ms), count=0)

        def told(time_ms: int, count: int) -> None:
            progress.update(task, completed=time_ms - start_ms, count=count)

        yield told
        progress.update(task, completed=max(1, end_ms - start_ms))
