"""Draws example charts, to be looked at: `python -m tools.charts [FOLDER]`.

Writes the documentation's `chart.png` to `docs/images/`; into another FOLDER it writes every kind
of chart there is. The amounts are made up, the same each time.
"""

import argparse
import asyncio
import random
import sys
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from bot.charts import Chart, Charts, Series

FOLDER: Final = Path(__file__).parent.parent / "docs" / "images"
EXAMPLE: Final = "chart"
DOLLAR: Final = 1_000_000

_MODELS: Final = (
    "google/nano-banana-pro",
    "black-forest-labs/FLUX-2-max",
    "openai/gpt-image-1.5",
    "bytedance/seedream-4.5",
    "black-forest-labs/FLUX-1-schnell",
    "qwen/qwen-image-edit-plus",
    "ideogram/ideogram-v3",
    "other models",
)
_MEMBERS: Final = ("Ada", "Grace 🚀", "小林さくら", "نور", "Zoë 🇳🇴", "14 others")


def example(
    title: str,
    first: date,
    days: int,
    *,
    gone: int | None = None,
    models: Sequence[str] = _MODELS,
    members: Sequence[str] = _MEMBERS,
    budget: int | None = None,
    more: float | None = None,
    a_day: int = 2 * DOLLAR,
) -> Chart:
    """Make up a chart in which about `a_day` is spent on each day that has begun.

    The forecast is `more` of what was spent, above it.
    """
    chance = random.Random(title)  # noqa: S311 - made up, not secret
    begun = days if gone is None else gone
    weights = [0.55**place for place in range(len(models))]
    series = tuple(
        Series(
            name,
            tuple(
                round(a_day * weight * chance.uniform(0, 1.3)) if day < begun else 0
                for day in range(days)
            ),
        )
        for name, weight in zip(models, weights, strict=True)
    )
    total = sum(sum(each.spent) for each in series)
    return Chart(
        title=title,
        days=tuple((first + timedelta(days=day)).isoformat() for day in range(days)),
        series=series,
        top=tuple((name, total * (9 - place) // 45) for place, name in enumerate(members)),
        budget=budget,
        forecast=None if more is None else total + round(total * more),
        days_gone=begun,
    )


def examples() -> Mapping[str, Chart]:
    """Return every kind of chart by the name of its file."""
    july = date(2026, 7, 1)
    family = "👩\u200d👩\u200d👧\u200d👦"
    hostile = (f"{family} of the 🇩🇪 and so on and on", "$x^2$ \\frac{1}{2}", "אבג 😀 abc")
    return {
        EXAMPLE: example(
            "Pixel Garden 🎨 · July 2026",
            july,
            31,
            gone=19,
            models=_MODELS[:6],
            budget=100 * DOLLAR,
            more=0.63,
        ),
        "over": example("Over · 2026-06", date(2026, 6, 1), 30, budget=70 * DOLLAR),
        "day": example("Day · 2026-07-30", july, 1, budget=9 * DOLLAR, more=0.4),
        "week": example("Week · 2026-W31", july, 7, gone=4, models=_MODELS[:2], a_day=4_000),
        "year": example("Year · 2025-08 to 2026-07", date(2025, 8, 1), 365),
        "years": example("Ten years", date(2016, 8, 1), 3_650, a_day=90 * DOLLAR),
        "nothing": example("Nothing · 2026-07", july, 31, models=(), members=()),
        "hostile": example(
            "\u202e$\\alpha$ サーバー 🇯🇵 <b>\nof a name that never ends, and goes on · 2026-07",
            july,
            31,
            models=("$x_1$", "漢字/モデル🎨", "a/" + "W" * 90, "a/same", "b/same"),
            members=(*hostile, "Z" + "\u0351\u036b\u0353" * 20),
            budget=1,
        ),
    }


async def draw(folder: Path, names: Sequence[str]) -> None:
    """Draw the examples of these names into a folder."""
    async with Charts(timeout_s=120) as charts:
        for name in names:
            picture = await charts.draw(examples()[name])
            await asyncio.to_thread((folder / f"{name}.png").write_bytes, picture)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path)
    folder = parser.parse_args().folder
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(draw(folder or FOLDER, [EXAMPLE] if folder is None else list(examples())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
