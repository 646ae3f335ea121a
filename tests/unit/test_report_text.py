"""What a report says: each sentence where it can be told, and none where it can't."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.errors import InvalidOption
from bot.reports import Report, Span, named_period, period_of_days
from bot.storage import Answer, Group, Outcomes, Part, Sums
from cogs.ui import report_text
from cogs.ui.report_downloads import batched
from cogs.ui.report_query import Query, parse_day, query_of


def ms(when: str) -> int:
    return int(datetime.fromisoformat(when).replace(tzinfo=UTC).timestamp()) * 1000


NOW = ms("2026-07-16T12:00")


def report(
    *,
    spent: int = 0,
    parts: tuple[Part, ...] = (),
    outcomes: Outcomes = Outcomes(),  # noqa: B008 - it cannot be changed
    before: int = 0,
    budget: int | None = None,
    span: Span = Span.MONTH,
    group: Group = Group.MEMBER,
) -> Report:
    period = named_period(span, now_ms=NOW, zones=())
    total = Sums(4 if spent else 0, 4 if spent else 0, spent)
    return Report(77, period, group, NOW, Answer(total, parts, outcomes, before, budget))


@pytest.mark.parametrize(
    ("span", "name"),
    [
        (Span.TODAY, "on 16 July 2026"),
        (Span.WEEK, "in week 29 of 2026"),
        (Span.MONTH, "in July 2026"),
        (Span.LAST_MONTH, "in June 2026"),
    ],
)
def test_periods_have_names(span: Span, name: str) -> None:
    assert report_text.period_name(report(span=span)) == name


def test_days_are_named_from_the_first_to_the_last() -> None:
    period = period_of_days(date(2026, 7, 2), date(2026, 7, 9), now_ms=NOW, zones=())
    made = Report(77, period, Group.DAY, NOW, Answer(Sums(), (), Outcomes(), 0, None))
    assert report_text.title(made) == "Spending from 2 July 2026 to 9 July 2026"


def test_nothing_spent_says_so_and_nothing_else() -> None:
    made = report()
    assert report_text.summary(made) == []
    assert report_text.table(made).startswith("Nothing was spent.")


@pytest.mark.parametrize(
    ("spent", "before", "told"),
    [
        (2_000_000, 1_000_000, "100% more than by this time the month before ($1.00)"),
        (500_000, 1_000_000, "50% less than by this time the month before ($1.00)"),
        (1_000_000, 1_000_000, "as much as by this time the month before"),
        (30_000_000, 1_000_000, "2,900% more than by this time the month before ($1.00)"),
        (1, 0, "nothing was spent by this time the month before"),
        (0, 1_000_000, "100% less than by this time the month before ($1.00)"),
    ],
)
def test_the_change_is_told_against_as_much_of_the_period_before(
    spent: int, before: int, told: str
) -> None:
    assert f"**Change:** {told}" in report_text.summary(report(spent=spent, before=before))


def test_a_forecast_above_the_budget_is_a_warning() -> None:
    lines = report_text.summary(report(spent=1_000_000, budget=1_500_000))
    assert "**Forecast:** about $2.00 at the end of the month, **above the budget**" in "".join(
        lines
    )
    lines = report_text.summary(report(spent=1_000_000, budget=3_000_000))
    assert "above" not in "".join(lines)


def test_what_is_pending_is_told_apart_from_what_is_spent() -> None:
    outcomes = Outcomes(jobs=3, finished=2, succeeded=1, pending=80_000)
    lines = report_text.summary(report(spent=1_000_000, outcomes=outcomes))
    assert lines[0] == "**Jobs:** 3 · 50.0% of what was sent brought a picture"
    assert lines[-1].startswith("**Not known yet:** up to $0.08 ")


@pytest.mark.parametrize(
    ("group", "key", "name"),
    [
        (Group.MEMBER, 11, "<@11>"),
        (Group.MEMBER, 0, "Members who were erased"),
        (Group.ROLE, 12, "<@&12>"),
        (Group.ROLE, 0, "No role's allowance"),
        (Group.CHANNEL, 13, "<#13>"),
        (Group.CHANNEL, 0, "Direct messages"),
        (Group.MODEL, "a_b/c*d", r"a\_b/c\*d"),
        (Group.COMMAND, "edit", "`/edit`"),
        (Group.DAY, "2026-07-05", "5 July 2026"),
    ],
)
def test_parts_have_the_names_that_discord_shows(group: Group, key: int | str, name: str) -> None:
    assert report_text.name_of(Part(key, Sums()), group) == name


def test_tables_are_cut_into_pages_and_the_rest_is_counted() -> None:
    parts = tuple(Part(number, Sums(1, 1, 100_000)) for number in range(1, 41))
    made = report(spent=4_000_000, parts=parts)
    pages = [report_text.table(made, page=page).splitlines() for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [15, 15, 10]
    assert pages[2][-1] == "40. <@40> · **$0.10** · 3% · one picture".replace("3%", "2%")
    assert report_text.pages(made) == 3
    assert report_text.more(made, shown=15) == "-# and 25 more, for $2.50 together"
    assert report_text.more(made, shown=40) == ""


def test_a_page_of_the_longest_lines_fits_into_a_message() -> None:
    parts = tuple(Part("*" * 300, Sums(10**6, 10**6, 10**12)) for _ in range(99))
    made = report(spent=10**15, parts=parts, group=Group.MODEL, before=10**14, budget=10**15)
    told = [report_text.head(made), *report_text.summary(made), report_text.table(made, page=6)]
    assert len("\n".join(told)) < 3_500


# Queries


@pytest.mark.parametrize("group", Group)
@pytest.mark.parametrize("days", [None, (date(2026, 7, 1), date(2026, 7, 2))])
@pytest.mark.parametrize("whose", [None, 0, 2**63 - 1])
def test_a_query_is_read_back_from_its_state(
    group: Group, days: tuple[date, date] | None, whose: int | None
) -> None:
    span = Span.LAST_MONTH if days is None else Span.MONTH
    query = Query(span, days, group, page=9999, whose=whose)
    assert query_of(query.state) == query
    assert len(f"report:period:{query.state}") <= 100


@pytest.mark.parametrize("state", ["", ":x:m:1", ":m:x:1", ":20260230-20260301:m:1", "a:m:m:1"])
def test_states_that_are_none_are_refused(state: str) -> None:
    with pytest.raises(InvalidOption):
        query_of(state)


def test_an_empty_day_is_none() -> None:
    assert parse_day(" ", option="from") is None
    assert parse_day(" 2026-07-01 ", option="from") == date(2026, 7, 1)


def test_files_are_sent_in_as_few_messages_as_take_them() -> None:
    large = [(Path(f"large-{number}"), 10 << 20) for number in range(5)]
    assert [len(batch) for batch in batched(large)] == [2, 2, 1]
    small = [(Path(f"small-{number}"), 1) for number in range(23)]
    assert [len(batch) for batch in batched(small)] == [10, 10, 3]
    assert list(batched([])) == []
