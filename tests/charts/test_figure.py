"""What a figure shows is what its chart says, to the micro-dollar."""

from datetime import date
from itertools import accumulate, groupby

import numpy as np
import pytest
from hypothesis import given, settings
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.path import Path

from bot.charts import MOST_MEMBERS, MOST_SERIES, Chart, _figure
from bot.charts import _look as look
from tests.charts.charts import chart, charts

# A letter that no font has is a box, and the library says so. What is an error is more than that.
pytestmark = pytest.mark.filterwarnings("ignore:Glyph:UserWarning")


def axes_of(figure: Figure, name: str) -> Axes | None:
    return next((axes for axes in figure.axes if axes.get_label() == name), None)


def bars_of(figure: Figure) -> list[list[float]]:
    """The heights of each model's bars, or the length of its part of a day's only bar."""
    axes = axes_of(figure, _figure.DAYS)
    if axes is None:
        return []
    upright = [each for each in axes.collections if isinstance(each, PolyCollection)]
    if upright:
        return [[height(path) for path in each.get_paths()] for each in upright]
    return [[each.get_width()] for each in boxes_of(axes) if each.get_gid() != _figure.FORECAST]


def height(path: Path) -> float:
    (_, low), (_, high), *_ = np.asarray(path.vertices).tolist()
    return float(high - low)


def boxes_of(axes: Axes) -> list[Rectangle]:
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def line_of(figure: Figure, panel: str, name: str) -> list[tuple[float, float]] | None:
    axes = axes_of(figure, panel)
    found = [] if axes is None else [line for line in axes.lines if line.get_gid() == name]
    return [(x, y) for x, y in np.asarray(found[0].get_xydata()).tolist()] if found else None


def expected_bars(drawn: Chart) -> list[list[int]]:
    """The sums of a chart's days, weeks or months, worked out anew from its rows."""
    dates = [date.fromisoformat(day) for day in drawn.days]
    count = len(dates)
    keys = [
        day.toordinal()
        if count <= 62
        else day.isocalendar()[:2]
        if count <= 400
        else (day.year, day.month)
        for day in dates
    ]
    return [
        [
            sum(amount for _, amount in group)
            for _, group in groupby(zip(keys, series.spent, strict=True), key=lambda pair: pair[0])
        ]
        for series in drawn.series
    ]


@settings(max_examples=30)
@given(charts())
def test_values_read_back_from_a_figure_are_those_of_the_rows(drawn: Chart) -> None:
    figure = _figure.draw(drawn)
    totals = [sum(amounts) for amounts in zip(*(each.spent for each in drawn.series), strict=True)]
    if not any(totals):
        assert figure.axes == []
        return
    assert bars_of(figure) == expected_bars(drawn)
    members = axes_of(figure, _figure.MEMBERS)
    shown = [] if members is None else [box.get_width() for box in boxes_of(members)]
    assert shown == [amount for _, amount in drawn.top]
    if len(drawn.days) == 1:
        return
    added = [0, *accumulate(totals[: drawn.days_gone])]
    spent = line_of(figure, _figure.ADDED_UP, _figure.SPENT)
    assert spent == list(enumerate(added))
    forecast = line_of(figure, _figure.ADDED_UP, _figure.FORECAST)
    budget = line_of(figure, _figure.ADDED_UP, _figure.BUDGET)
    ends = [(drawn.days_gone, added[-1]), (len(drawn.days), drawn.forecast)]
    assert forecast == (None if drawn.forecast is None else ends)
    assert (budget and {amount for _, amount in budget}) == (
        None if drawn.budget is None else {drawn.budget}
    )


def test_the_largest_books_are_still_exact() -> None:
    amount = 2**53 // 16 - 1
    drawn = chart(*[(amount, amount + 1 - place) for place in range(MOST_SERIES)])
    assert bars_of(_figure.draw(drawn)) == [list(each.spent) for each in drawn.series]


def test_a_days_bar_has_its_budget_and_how_far_it_will_go() -> None:
    figure = _figure.draw(chart((1_000_000,), (500_000,), budget=2_000_000, forecast=1_750_000))
    assert bars_of(figure) == [[1_000_000], [500_000]]
    budget = line_of(figure, _figure.DAYS, _figure.BUDGET)
    assert budget is not None
    assert {amount for amount, _ in budget} == {2_000_000}
    axes = axes_of(figure, _figure.DAYS)
    assert axes is not None
    (rest,) = [box for box in boxes_of(axes) if box.get_gid() == _figure.FORECAST]
    assert (rest.get_x(), rest.get_width()) == (1_500_000, 250_000)


def test_every_value_lies_within_its_axes() -> None:
    figure = _figure.draw(chart((5, 0, 3), budget=40, forecast=90, top=(("a", 8),)))
    added = axes_of(figure, _figure.ADDED_UP)
    assert added is not None
    assert added.get_ylim()[0] == 0
    assert added.get_ylim()[1] > 90


def test_the_same_chart_gives_the_same_picture() -> None:
    drawn = chart((5, 0, 3), top=(("a 🎨", 8),))
    assert _figure.png(drawn) == _figure.png(drawn)


def test_there_is_a_colour_for_each_series_and_each_is_seen_on_the_background() -> None:
    assert len(look.SERIES) == MOST_SERIES
    assert len({*look.SERIES, look.BACKGROUND}) == MOST_SERIES + 1
    # WCAG 2.1, 1.4.11: three to one for what is no text, and 4.5 to one for what is (1.4.3).
    assert all(contrast(color, look.BACKGROUND) >= 3 for color in look.SERIES)
    assert all(contrast(color, look.BACKGROUND) >= 4.5 for color in (look.INK, look.QUIET))


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: str) -> float:
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("micros", "told"),
    [
        (0, "$0"),
        (500_000, "$0.50"),
        (1_300, "$0.0013"),
        (5_000_000, "$5"),
        (9_000_000_000, "$9,000"),
        (12_500_000_000, "$12.5k"),
        (40_000_000_000_000, "$40M"),
        (9_000_000_000_000_000, "$9,000M"),
    ],
)
def test_amounts_along_an_axis_are_short(micros: int, told: str) -> None:
    assert look.tick_text(micros) == told


@pytest.mark.parametrize(
    ("micros", "told"),
    [
        (0, "$0.00"),
        (1, "<$0.0001"),
        (1_300, "$0.0013"),
        (18_857_400, "$18.86"),
        (2_004_999, "$2.00"),
        (2_005_000, "$2.01"),
    ],
)
def test_amounts_are_told_to_the_cent(micros: int, told: str) -> None:
    assert look.amount_text(micros) == told


def test_no_more_members_are_shown_than_a_phone_has_room_for() -> None:
    figure = _figure.draw(chart((5, 3), top=tuple((f"n{n}", n) for n in range(MOST_MEMBERS))))
    across, up = figure.get_size_inches()
    assert up < 1.6 * across
