from collections import Counter
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from bot.charts import MOST_MEMBERS, MOST_SERIES
from bot.quotas import ZoneChange
from bot.report_charts import OTHER_MODELS, days_of, fold_members, fold_models
from bot.storage import DayOfModel, Part, Stretch, Sums

BERLIN = (ZoneChange(0, "Europe/Berlin"),)
DAYS = ("2026-07-01", "2026-07-02", "2026-07-03")


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def row(model: str, spent: int, day: str = DAYS[0]) -> DayOfModel:
    return DayOfModel(day, model, spent)


def member(key: int, spent: int) -> Part:
    return Part(key, Sums(charges=1, pictures=1, spent=spent))


def name_of(part: Part) -> str:
    return f"member {part.key}"


def test_the_days_of_a_month_are_all_there_also_where_clocks_change() -> None:
    days = days_of(Stretch(ms("2026-02-28T23:00"), ms("2026-03-31T22:00")), BERLIN)
    assert (days[0], days[-1], len(days)) == ("2026-03-01", "2026-03-31", 31)
    assert list(days) == sorted(set(days))


def test_a_day_that_a_change_of_zone_makes_longer_is_there_once() -> None:
    zones = (*BERLIN, ZoneChange(ms("2026-07-02T10:00"), "Pacific/Kiritimati"))
    days = days_of(Stretch(ms("2026-06-30T22:00"), ms("2026-07-05T10:00")), zones)
    assert list(days) == sorted(set(days))


def test_models_are_listed_dearest_first_with_a_value_for_each_day() -> None:
    rows = [row("cheap", 1, DAYS[2]), row("dear", 5), row("dear", 6, DAYS[2]), row("cheap", 2)]
    series = fold_models(rows, DAYS)
    assert [(each.name, each.spent) for each in series] == [
        ("dear", (5, 0, 6)),
        ("cheap", (2, 0, 1)),
    ]


def test_models_that_cost_the_same_are_listed_by_name() -> None:
    assert [each.name for each in fold_models([row("b", 3), row("a", 3)], DAYS)] == ["a", "b"]


def test_models_for_which_there_is_no_colour_are_one_series() -> None:
    rows = [row(f"m{number:02}", 100 - number) for number in range(MOST_SERIES + 3)]
    *shown, rest = fold_models(rows, DAYS)
    assert [each.name for each in shown] == [f"m{number:02}" for number in range(MOST_SERIES - 1)]
    assert (rest.name, rest.spent) == (OTHER_MODELS, (93 + 92 + 91 + 90, 0, 0))


def test_as_many_models_as_there_are_colours_keep_their_names() -> None:
    rows = [row(f"m{number}", 9) for number in range(MOST_SERIES)]
    assert OTHER_MODELS not in [each.name for each in fold_models(rows, DAYS)]


def test_nothing_spent_is_no_series() -> None:
    assert fold_models([], DAYS) == ()


@given(
    st.lists(
        st.builds(
            DayOfModel,
            st.sampled_from(DAYS),
            st.sampled_from([f"m{number}" for number in range(14)]),
            st.integers(0, 10**15),
        ),
        max_size=60,
    )
)
def test_the_series_add_up_to_the_rows_day_by_day(rows: list[DayOfModel]) -> None:
    series = fold_models(rows, DAYS)
    by_day = Counter[str]()
    for each in rows:
        by_day[each.day] += each.spent
    assert len(series) <= MOST_SERIES
    assert [sum(each.spent[day] for each in series) for day in range(len(DAYS))] == [
        by_day[day] for day in DAYS
    ]


def test_the_dearest_members_are_named_and_the_rest_are_one() -> None:
    parts = [member(number, 100 - number) for number in range(MOST_MEMBERS + 2)]
    *shown, rest = fold_members(parts, name_of)
    assert shown[0] == ("member 0", 100)
    assert len(shown) == MOST_MEMBERS - 1
    assert rest == ("3 others", 95 + 94 + 93)


def test_members_who_spent_nothing_are_not_shown() -> None:
    assert fold_members([member(1, 5), member(2, 0)], name_of) == (("member 1", 5),)
