"""Draws a chart as a figure of the plotting library. Worker only.

Amounts are plotted as micro-USD, so that every value in the figure is a whole number which a float
holds exactly up to 2**53: nine thousand million dollars. Only what is written along the axes
is in dollars.
"""

import io
from collections.abc import Sequence
from datetime import date
from itertools import accumulate
from typing import Final

from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from bot.charts import _look as look
from bot.charts._bins import bins, marks
from bot.charts._labels import Labels, Weight, clean
from bot.charts._types import Chart, Series
from bot.money import Micros

SPENT: Final = "spent"
BUDGET: Final = "budget"
FORECAST: Final = "forecast"
DAYS: Final = "days"
ADDED_UP: Final = "added up"
MEMBERS: Final = "members"
"""What the lines and the axes are called in the figure."""

_TITLE_IN: Final = 0.5
_HEADING_IN: Final = 0.33
_DAYS_IN: Final = 1.35
_ONE_DAY_IN: Final = 0.7
_ADDED_IN: Final = 1.15
_TICKS_IN: Final = 0.3
_ROW_IN: Final = 0.235
_BAR_IN: Final = 0.15
_NAME_IN: Final = 1.75
_GAP_IN: Final = 0.1
_FILLED: Final = 0.84
"""The part of a day that its bar fills."""
_FADED: Final = 0.3
_ROOM: Final = 1.12
"""How much higher than the highest value an axis goes."""
_LEFT: Final = look.MARGIN_IN
_RIGHT: Final = look.WIDTH_IN - look.MARGIN_IN


def draw(chart: Chart) -> Figure:
    """Draw a chart: spend by day and model, what it adds up to, and who spent most."""
    return _Page(chart).draw()


def png(chart: Chart) -> bytes:
    """Draw a chart as a PNG."""
    drawn = io.BytesIO()
    figure = draw(chart)
    figure.savefig(drawn, format="png", facecolor=figure.get_facecolor())
    return drawn.getvalue()


class _Page:
    """One figure, filled from the top down."""

    def __init__(self, chart: Chart) -> None:
        self._chart = chart
        self._days = [date.fromisoformat(day) for day in chart.days]
        # Strict: a day that a series does not tell of would be missing without a word.
        spent = zip(chart.days, *(series.spent for series in chart.series), strict=True)
        self._sums = [sum(amounts) for _, *amounts in spent]
        self._height = self._measured()
        self._figure = Figure(
            figsize=(look.WIDTH_IN, self._height), dpi=look.DPI, facecolor=look.BACKGROUND
        )
        self._labels = Labels(self._figure)
        self._y = self._height

    def draw(self) -> Figure:
        self._y -= look.MARGIN_IN + 0.16
        self._write(self._chart.title, look.TITLE_PT, weight="bold")
        self._y -= _TITLE_IN - look.MARGIN_IN - 0.16
        if not any(self._sums):
            self._y -= _ROW_IN
            self._write("Nothing was spent.", look.TEXT_PT, color=look.QUIET)
            return self._figure
        if len(self._days) == 1:
            self._one_day()
        else:
            self._every_day()
        self._legend()
        if len(self._days) > 1:
            self._added_up()
        if self._chart.top:
            self._members()
        return self._figure

    def _measured(self) -> float:
        """How high it will be."""
        chart = self._chart
        if not any(self._sums):
            return _TITLE_IN + 2 * _ROW_IN + look.MARGIN_IN
        height = (
            _TITLE_IN + _HEADING_IN + _TICKS_IN + _legend_rows(chart.series) * _ROW_IN + _GAP_IN
        )
        if len(self._days) == 1:
            height += _ONE_DAY_IN
        else:
            height += _DAYS_IN + _HEADING_IN + _ADDED_IN + _TICKS_IN + _GAP_IN
        if chart.top:
            height += _HEADING_IN + len(chart.top) * _ROW_IN
        return height + look.MARGIN_IN - _GAP_IN

    # The panels

    def _every_day(self) -> None:
        """Bars of what was spent, a colour for each model."""
        chart, bars = self._chart, bins(self._days)
        self._heading(f"Spent a {bars.unit}")
        axes = self._axes(DAYS, _DAYS_IN)
        widths = [last - first for first, last in zip(bars.edges, bars.edges[1:], strict=False)]
        bottoms = [0] * len(widths)
        for series, color in zip(chart.series, look.SERIES, strict=False):
            heights = bars.sums(series.spent)
            tops = [bottom + height for bottom, height in zip(bottoms, heights, strict=True)]
            boxes = [
                _box(left, left + _FILLED * width, bottom, top)
                for left, width, bottom, top in zip(bars.edges, widths, bottoms, tops, strict=False)
            ]
            # One artist for all bars of a model: a `Rectangle` each takes ten times as long.
            axes.add_collection(
                PolyCollection(boxes, facecolor=color, linewidth=0, gid=series.name), autolim=False
            )
            bottoms = tops
        self._days_axis(axes)
        self._money_axis(axes, max(bottoms))

    def _one_day(self) -> None:
        """One bar on its side, the budget and the forecast across it."""
        chart = self._chart
        self._heading(f"Spent: {self._told(sum(self._sums))}")
        axes = self._axes(DAYS, _ONE_DAY_IN, left=_LEFT)
        start = 0
        for series, color in zip(chart.series, look.SERIES, strict=False):
            axes.barh([0], _exact(series.spent), 0.8, _exact([start]), color=color, gid=series.name)
            start += sum(series.spent)
        highest = max(start, chart.budget or 0, chart.forecast or 0)
        if chart.forecast is not None:
            more = max(0, chart.forecast - start)
            axes.barh([0], [more], 0.8, [start], color=look.SKY, alpha=_FADED, gid=FORECAST)
        axes.set_xlim(0, highest * _ROOM)
        axes.set_ylim(-0.5, 1.1)
        if chart.budget is not None:
            axes.axvline(float(chart.budget), color=look.VERMILION, linewidth=2, gid=BUDGET)
            is_far = chart.budget > highest / 2
            self._budget_note(axes, (chart.budget, 0.62), is_low=True, is_right=is_far)
        axes.set_yticks([])
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 2.5, 5, 10]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: look.tick_text(value)))

    def _told(self, spent: Micros) -> str:
        """What was spent, and what it comes to."""
        forecast = self._chart.forecast
        end = "" if forecast is None else f", about {look.amount_text(forecast)} at the end"
        return f"{look.amount_text(spent)}{end}"

    def _budget_note(
        self, axes: Axes, place: tuple[float, float], *, is_low: bool, is_right: bool
    ) -> None:
        """Write what the budget is, beside its line."""
        axes.annotate(
            f"Budget {look.amount_text(self._chart.budget or 0)}",
            place,
            xytext=(-4 if is_right else 4, 3 if is_low else -3),
            textcoords="offset points",
            horizontalalignment="right" if is_right else "left",
            verticalalignment="bottom" if is_low else "top",
            color=look.INK,
            fontsize=look.TEXT_PT,
            parse_math=False,
        )

    def _added_up(self) -> None:
        """What it comes to from the first day on, with budget and forecast."""
        chart = self._chart
        gone = min(chart.days_gone, len(self._days))
        added = [0, *accumulate(self._sums[:gone])]
        self._heading(f"In all: {self._told(added[-1])}")
        axes = self._axes(ADDED_UP, _ADDED_IN)
        axes.fill_between(range(gone + 1), _exact(added), color=look.SKY, alpha=_FADED, linewidth=0)
        axes.plot(range(gone + 1), _exact(added), color=look.SKY, linewidth=2.2, gid=SPENT)
        highest = added[-1]
        if chart.forecast is not None:
            axes.plot(
                [gone, len(self._days)],
                _exact([added[-1], chart.forecast]),
                color=look.SKY,
                linewidth=2,
                linestyle=(0, (2, 1.4)),
                gid=FORECAST,
            )
            highest = max(highest, chart.forecast)
        if chart.budget is not None:
            axes.axhline(float(chart.budget), color=look.VERMILION, linewidth=2, gid=BUDGET)
            highest = max(highest, chart.budget)
        self._days_axis(axes)
        self._money_axis(axes, highest)
        if chart.budget is not None:
            # Where the line of what was spent is not: it starts low, and ends high.
            is_low = chart.budget < highest / 3
            place = (len(self._days) if is_low else 0, chart.budget)
            self._budget_note(axes, place, is_low=is_low, is_right=is_low)

    def _members(self) -> None:
        """A bar on its side for each member, with their name and amount."""
        top = self._chart.top
        self._heading("Top members")
        height = len(top) * _ROW_IN
        told = [look.amount_text(amount) for _, amount in top]
        widest = max(self._labels.width(text, look.TEXT_PT) for text in told)
        left, right = _LEFT + _NAME_IN, _RIGHT - widest - _GAP_IN
        across, up = self._figure.get_size_inches()
        self._y -= height
        axes = self._figure.add_axes(
            (left / across, self._y / up, (right - left) / across, height / up), label=MEMBERS
        )
        axes.set_axis_off()
        amounts = [amount for _, amount in top]
        places = range(len(top) - 1, -1, -1)
        axes.barh(places, _exact(amounts), _BAR_IN / _ROW_IN, color=look.SKY)
        axes.set_ylim(-0.5, len(top) - 0.5)
        axes.set_xlim(0, max(1, *amounts))
        for place, (name, _), text in zip(places, top, told, strict=True):
            y = self._y + (place + 0.5) * _ROW_IN - 0.045
            self._labels.write(name, _LEFT, y, look.TEXT_PT, width=_NAME_IN - 0.1)
            self._labels.write(text, _RIGHT, y, look.TEXT_PT, width=widest, right=True)

    # Their parts

    def _write(
        self, text: str, size: float, *, weight: Weight = "normal", color: str = look.INK
    ) -> None:
        self._labels.write(
            text,
            _LEFT,
            self._y,
            size,
            width=_RIGHT - _LEFT,
            weight=weight,
            color=color,
        )

    def _heading(self, text: str) -> None:
        self._y -= 0.2
        self._write(text, look.HEADING_PT, weight="bold")
        self._y -= _HEADING_IN - 0.2

    def _legend(self) -> None:
        """The models' names beside their colours, in two columns."""
        across, up = self._figure.get_size_inches()
        rows = _legend_rows(self._chart.series)
        column = (_RIGHT - _LEFT) / 2
        names = short_names([series.name for series in self._chart.series])
        for number, (name, color) in enumerate(zip(names, look.SERIES, strict=False)):
            x = _LEFT + (number // rows) * column
            y = self._y - (number % rows + 0.7) * _ROW_IN
            self._figure.add_artist(
                Rectangle(
                    (x / across, (y - 0.01) / up),
                    0.12 / across,
                    0.12 / up,
                    color=color,
                    linewidth=0,
                    transform=self._figure.transFigure,
                )
            )
            self._labels.write(name, x + 0.2, y, look.TEXT_PT, width=column - 0.3)
        self._y -= rows * _ROW_IN + _GAP_IN

    def _axes(self, name: str, height: float, *, left: float = look.AXIS_IN) -> Axes:
        across, up = self._figure.get_size_inches()
        self._y -= height
        axes = self._figure.add_axes(
            (left / across, self._y / up, (_RIGHT - left) / across, height / up), label=name
        )
        self._y -= _TICKS_IN
        axes.set_facecolor("none")
        axes.set_axisbelow(True)
        for side in ("left", "right", "top"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(look.GRID)
        axes.tick_params(
            length=0, labelsize=look.TEXT_PT, labelcolor=look.QUIET, color=look.GRID, pad=5
        )
        return axes

    def _days_axis(self, axes: Axes) -> None:
        count = len(self._days)
        axes.set_xlim(0, count)
        gone = self._chart.days_gone
        if gone < count:
            axes.axvspan(gone, count, color=look.FUTURE, linewidth=0, zorder=0)
        named = marks(self._days)
        axes.set_xticks([number for number, _ in named], [text for _, text in named])
        for label in axes.get_xticklabels():
            label.set_horizontalalignment("left")

    def _money_axis(self, axes: Axes, highest: Micros) -> None:
        axes.set_ylim(0, max(1, highest) * _ROOM)
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 2.5, 5, 10]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: look.tick_text(value)))
        axes.grid(axis="y", color=look.GRID, linewidth=0.8)


def _box(left: float, right: float, bottom: Micros, top: Micros) -> list[tuple[float, float]]:
    """Return a bar's corners, from the lower left one upwards."""
    low, high = float(bottom), float(top)
    return [(left, low), (left, high), (right, high), (right, low)]


def _exact(amounts: Sequence[Micros]) -> list[float]:
    """Return micro-USD as the floats that the library turns them into anyway."""
    return [float(amount) for amount in amounts]


def _legend_rows(series: Sequence[Series]) -> int:
    return -(-len(series) // 2)


def short_names(names: Sequence[str]) -> list[str]:
    """Leave out the vendors of models where the names differ without them."""
    cleaned = [clean(name) for name in names]
    short = [name.rpartition("/")[2] for name in cleaned]
    return [
        brief if brief and short.count(brief) == 1 else name
        for brief, name in zip(short, cleaned, strict=True)
    ]
