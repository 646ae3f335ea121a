"""Has charts drawn by a process of its own."""

from types import TracebackType
from typing import Self

from bot.charts._types import Chart, ChartUnavailable


class Charts:
    """Draws charts, one after the other.

    An async context manager; leaving it ends the process. It runs from the first chart until
    `idle_s` seconds after the last. A chart that takes more than `timeout_s` seconds is given up.
    """

    def __init__(self, *, idle_s: float = 120.0, timeout_s: float = 15.0) -> None:
        self._idle_s = idle_s
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    async def draw(self, chart: Chart) -> bytes:
        """Return the chart as a PNG.

        Raises:
            ChartUnavailable: it can't be drawn, or not in time.
        """
        raise ChartUnavailable(chart.title)
