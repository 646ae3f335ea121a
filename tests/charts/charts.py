"""Charts for tests: of ordinary, extreme and hostile content."""

from datetime import date, timedelta

from hypothesis import strategies as st

from bot.charts import MOST_MEMBERS, MOST_SERIES, Chart, Series

HOSTILE = (
    "",
    "\x00\x1b[31m\r\nnew\tline",
    "$x^2$ \\frac{1}{2} $",
    "<b>&amp;</b> 'quoted' \"twice\" %s {0}",
    "\u202eover\u202c and \u2067out",
    "שלום עולם 😀 abc",
    "مرحبا بالعالم 🎨",
    "漢字かな交じり文テスト한국어 🥷🏿",
    "👩\u200d👩\u200d👧\u200d👦🇩🇪1️⃣❤️🏴\U000e0067\U000e0062\U000e007f",
    "Z" + "\u0351\u036b\u0353" * 200,
    "\ud83d half of one",
    "\U0010ffff\ue000\ufffe",
    "W" * 5_000,
    "\u200d\ufe0f\u20e3\U0001f1e6",
)


def days(count: int, first: date = date(2026, 7, 1)) -> tuple[str, ...]:
    return tuple((first + timedelta(days=number)).isoformat() for number in range(count))


def chart(
    *spent: tuple[int, ...],
    names: tuple[str, ...] = (),
    top: tuple[tuple[str, int], ...] = (),
    budget: int | None = None,
    forecast: int | None = None,
    title: str = "Server, 2026-07",
    gone: int | None = None,
) -> Chart:
    """A chart with a series for each tuple of amounts, which are those of its days."""
    count = len(spent[0]) if spent else 31
    called = names or tuple(f"vendor/model-{number}" for number in range(len(spent)))
    return Chart(
        title=title,
        days=days(count),
        series=tuple(Series(name, each) for name, each in zip(called, spent, strict=True)),
        top=top,
        budget=budget,
        forecast=forecast,
        days_gone=count if gone is None else gone,
    )


MICROS = st.integers(0, 10**11) | st.sampled_from((0, 1, 999_999, 10**6))
NAMES = st.text(max_size=40) | st.sampled_from(HOSTILE)


@st.composite
def charts(draw: st.DrawFn) -> Chart:
    """Any chart: of a day, of a month, of many years; of nothing, and of everything there is."""
    count = draw(st.integers(1, 70) | st.sampled_from((365, 400, 401, 3_700)))
    first = draw(st.dates(date(2015, 1, 1), date(2030, 1, 1)))
    series = draw(st.lists(NAMES, max_size=MOST_SERIES))
    some = draw(st.lists(MICROS, min_size=1, max_size=80))
    gone = draw(st.integers(0, count))
    top = draw(st.lists(st.tuples(NAMES, MICROS), max_size=MOST_MEMBERS))
    return Chart(
        title=draw(NAMES),
        days=days(count, first),
        series=tuple(
            Series(
                name,
                tuple(some[(place + day) % len(some)] if day < gone else 0 for day in range(count)),
            )
            for place, name in enumerate(series)
        ),
        top=tuple(top),
        budget=draw(st.none() | MICROS),
        forecast=draw(st.none() | MICROS),
        days_gone=gone,
    )
