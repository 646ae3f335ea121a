"""The picture of a report: drawn once while nothing changes, and not kept of who was erased."""

from collections.abc import Callable, Mapping, Sequence

from bot.charts import Chart, Charts
from bot.report_drawing import Drawing
from bot.reports import Span, make_report, named_period
from bot.storage import Group, Output, Reports
from tests.storage.books import GENEROUS, Books

GUILD = 77
MIRA = 11


class Pencil(Charts):
    """Remembers what it was to draw; the process that draws has tests of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[Chart] = []
        self.meanwhile: Callable[[], None] | None = None

    def expect(self) -> None:
        return None

    async def draw(self, chart: Chart) -> bytes:
        self.drawn.append(chart)
        if self.meanwhile is not None:
            self.meanwhile()
        return b"a picture"


async def names(user_ids: Sequence[int]) -> Mapping[int, str]:
    return dict.fromkeys(user_ids, "Mira")


async def draw(drawing: Drawing, reports: Reports, now_ms: int) -> bytes | None:
    period = named_period(Span.TODAY, now_ms=now_ms, zones=())
    report = await make_report(reports, GUILD, period, Group.MODEL, now_ms=now_ms)
    return await drawing.picture(report, (), title="Today", names_of=names)


async def test_a_chart_is_kept_until_somebody_is_erased_who_may_be_named_in_it(
    books: Books,
) -> None:
    sent = await books.sent(books.job(user=MIRA, ceiling=2_000))
    await books.ledger.settle(
        sent.charge_ids[0], actual=1_300, outputs=[Output(url="https://a.example/b")]
    )
    reports, pencil = Reports(books.db, defaults=GENEROUS), Pencil()
    drawing = Drawing(reports, pencil)
    now = books.clock.now

    assert await draw(drawing, reports, now) == b"a picture"
    assert await draw(drawing, reports, now) == b"a picture"
    assert [chart.top for chart in pencil.drawn] == [(("Mira", 1_300),)]

    drawing.forget_person(MIRA)
    await draw(drawing, reports, now)
    assert len(pencil.drawn) == 2
    drawing.forget_guild(GUILD)
    await draw(drawing, reports, now)
    await draw(drawing, reports, now)
    assert len(pencil.drawn) == 3


async def test_a_chart_that_was_on_its_way_when_somebody_was_erased_is_not_kept(
    books: Books,
) -> None:
    sent = await books.sent(books.job(user=MIRA, ceiling=2_000))
    await books.ledger.settle(sent.charge_ids[0], actual=1_300)
    reports, pencil = Reports(books.db, defaults=GENEROUS), Pencil()
    drawing = Drawing(reports, pencil)

    pencil.meanwhile = lambda: drawing.forget_person(MIRA)
    await draw(drawing, reports, books.clock.now)
    pencil.meanwhile = None
    await draw(drawing, reports, books.clock.now)
    assert len(pencil.drawn) == 2
