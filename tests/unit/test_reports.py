from datetime import UTC, date, datetime

import pytest

from bot.quotas import Window, ZoneChange
from bot.reports import NoSuchPeriod, Period, Report, Span, named_period, period_of_days
from bot.storage import Answer, Group, Outcomes, Stretch, Sums

HOUR = 3_600_000
NOON = 1_785_412_800_000  # 2026-07-30T12:00:00Z, a Thursday
BERLIN = (ZoneChange(0, "Europe/Berlin"),)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def report(
    period: Period, *, now: int = NOON, spent: int = 0, before: int = 0, budget: int | None = None
) -> Report:
    answer = Answer(
        total=Sums(charges=4, pictures=3, spent=spent),
        parts=(),
        outcomes=Outcomes(jobs=3, finished=5, succeeded=3),
        spent_before=before,
        budget=budget,
    )
    return Report(77, period, Group.MEMBER, now, answer)


def test_a_day_begins_at_midnight_of_the_guild() -> None:
    period = named_period(Span.TODAY, now_ms=NOON, zones=BERLIN)
    assert period.label == "2026-07-30"
    assert period.stretch == Stretch(ms("2026-07-29T22:00"), ms("2026-07-30T22:00"))


def test_a_month_that_runs_is_compared_with_as_much_of_the_month_before() -> None:
    period = named_period(Span.MONTH, now_ms=ms("2026-07-10T12:00"), zones=())
    assert period.before == Stretch(ms("2026-06-01"), ms("2026-06-10T12:00"))
    assert period.window is Window.MONTH


def test_a_long_month_is_compared_with_all_of_a_short_one_at_most() -> None:
    period = named_period(Span.MONTH, now_ms=ms("2026-03-31T12:00"), zones=())
    assert period.before == Stretch(ms("2026-02-01"), ms("2026-03-01"))


def test_last_month_is_compared_with_the_one_before_it() -> None:
    period = named_period(Span.LAST_MONTH, now_ms=NOON, zones=())
    assert (period.label, period.window) == ("2026-06", Window.MONTH)
    assert period.before == Stretch(ms("2026-05-01"), ms("2026-06-01"))


def test_the_days_of_a_month_are_that_month() -> None:
    period = period_of_days(date(2026, 6, 1), date(2026, 6, 30), now_ms=NOON, zones=())
    assert (period.label, period.window) == ("2026-06", Window.MONTH)


def test_some_days_are_compared_with_as_many_before_them() -> None:
    period = period_of_days(date(2026, 7, 11), date(2026, 7, 20), now_ms=NOON, zones=())
    assert (period.label, period.window) == ("2026-07-11 to 2026-07-20", None)
    assert period.before == Stretch(ms("2026-07-01"), ms("2026-07-11"))


def test_days_keep_their_edges_where_clocks_change() -> None:
    period = period_of_days(date(2026, 3, 28), date(2026, 3, 29), now_ms=NOON, zones=BERLIN)
    assert period.stretch == Stretch(ms("2026-03-27T23:00"), ms("2026-03-29T22:00"))


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 7, 2), date(2026, 7, 1)),
        (date(2015, 1, 1), date(2026, 7, 1)),
        (date.min, date.min),
        (date.max, date.max),
    ],
)
def test_days_that_are_no_period_are_refused(first: date, last: date) -> None:
    with pytest.raises(NoSuchPeriod):
        period_of_days(first, last, now_ms=NOON, zones=())


def test_a_period_that_runs_is_carried_on_to_its_end() -> None:
    day = named_period(Span.TODAY, now_ms=NOON, zones=())
    assert report(day, spent=1001).forecast == 2002
    assert report(day, spent=1001, now=NOON + 8 * HOUR).forecast == 1202  # 1201.2, rounded up


def test_nothing_is_foretold_from_the_first_minutes_nor_of_what_is_over() -> None:
    day = named_period(Span.TODAY, now_ms=NOON, zones=())
    assert report(day, spent=1000, now=day.stretch.start_ms + 60_000).forecast is None
    assert report(day, spent=1000, now=day.stretch.end_ms).forecast is None


def test_what_follows_from_the_sums() -> None:
    day = named_period(Span.TODAY, now_ms=NOON, zones=())
    made = report(day, spent=1500, before=1000, budget=6000)
    assert made.average == 500
    assert made.success == 0.6
    assert made.change == 0.5
    assert made.of_budget == 0.25


def test_nothing_is_divided_by_nothing() -> None:
    day = named_period(Span.TODAY, now_ms=NOON, zones=())
    made = Report(77, day, Group.DAY, NOON, Answer(Sums(), (), Outcomes(), 0, 0))
    assert (made.average, made.success, made.change, made.of_budget) == (None, None, None, None)
