"""The picture of a report: its chart, drawn once for as long as the books say the same.

Names of members come from whoever knows them; those that cannot be had are neutral.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeAlias

from msgspec.structs import replace

from bot.charts import MOST_MEMBERS, Chart, Charts, ChartUnavailable
from bot.quotas import ZoneChange
from bot.report_charts import make_chart
from bot.reports import Report, make_report
from bot.storage import NOBODY, Group, Part, Reports

NamesOf: TypeAlias = Callable[[Sequence[int]], Awaitable[Mapping[int, str]]]
"""Finds the names of members by their ids, in a few seconds at most; unknown ones are left out."""

_KEPT: Final = 16
"""Pictures in memory, of some 50 kB each: turning a page draws nothing anew."""
_DIGITS: Final = 4
_MINUTE_MS: Final = 60_000


class Drawing:
    """Draws reports."""

    def __init__(self, reports: Reports, charts: Charts) -> None:
        self._reports = reports
        self._charts = charts
        self._drawn: OrderedDict[Chart, bytes] = OrderedDict()
        self._forgotten = 0
        """How often everything was forgotten."""

    async def picture(
        self, made: Report, zones: Sequence[ZoneChange], *, title: str, names_of: NamesOf
    ) -> bytes | None:
        """Return the chart of a report as a PNG; None where there is nothing, or it can't be drawn.

        Raises:
            LedgerUnavailable: the books cannot be read now.
        """
        if not made.total.spent:
            return None
        forgotten = self._forgotten
        self._charts.expect()
        by_member = made
        if made.group is not Group.MEMBER:
            by_member = await make_report(
                self._reports, made.guild_id, made.period, Group.MEMBER, now_ms=made.now_ms
            )
        # The forecast changes with every millisecond; the picture may be a minute old.
        by_member = replace(by_member, now_ms=made.now_ms - made.now_ms % _MINUTE_MS)
        shown = by_member.answer.parts[:MOST_MEMBERS]
        names = await names_of([int(part.key) for part in shown if part.key != NOBODY])
        chart = await make_chart(
            self._reports,
            by_member,
            zones,
            title=title,
            name_of=lambda part: _name(part, names),
        )
        return await self._once(chart, forgotten)

    def forget_person(self, _user_id: int) -> None:
        """Forget every picture: any of them may have a member's name in it."""
        self._forgotten += 1
        self._drawn.clear()

    def forget_guild(self, _guild_id: int) -> None:
        """Likewise: a picture does not say whose it is."""
        self._forgotten += 1
        self._drawn.clear()

    async def _once(self, chart: Chart, forgotten: int) -> bytes | None:
        """Draw a chart unless it has been drawn lately.

        It is not kept if somebody was `forgotten` since its names were read.
        """
        if (known := self._drawn.get(chart)) is not None:
            self._drawn.move_to_end(chart)
            return known
        try:
            drawn = await self._charts.draw(chart)
        except ChartUnavailable:
            return None
        if forgotten == self._forgotten:
            self._drawn[chart] = drawn
        if len(self._drawn) > _KEPT:
            self._drawn.popitem(last=False)
        return drawn


def _name(part: Part, names: Mapping[int, str]) -> str:
    if part.key == NOBODY:
        return "erased members"
    return names.get(int(part.key)) or f"member …{str(part.key)[-_DIGITS:]}"
