"""What a digest says: the sentences of a report, and what no digest was posted about."""

from typing import Final

from bot.cards import Digest
from bot.money import format_usd
from bot.quotas import Window

_TITLES: Final = {Window.DAY: "The day", Window.WEEK: "The week", Window.MONTH: "The month"}


def head(card: Digest) -> str:
    """The title and the sums."""
    period, total = card.report.period, card.report.total
    title = _TITLES.get(period.window or Window.TOTAL, "The time")
    return f"### {title} {period.label}\n{format_usd(total.spent)} for {total.pictures} pictures."


def body(card: Digest) -> str:
    """What follows the chart."""
    told = []
    if card.missed is not None:
        stretch = card.missed.stretch
        start, end = (f"<t:{when // 1000}:f>" for when in (stretch.start_ms, stretch.end_ms))
        told.append(
            f"-# No digest was posted about the time from {start} to {end}, when "
            f"{format_usd(card.missed.spent)} was spent: the bot was away, or could not post."
        )
    if card.lost_label is not None:
        told.append(
            f"-# The bot was interrupted while it posted the digest of {card.lost_label}; that one "
            "may be missing."
        )
    return "\n".join([*told, "-# `/config digest` changes when and where this is posted."])


def alt(card: Digest) -> str:
    """What the chart is called where it can't be seen."""
    return f"Spent in {card.report.period.label}: {format_usd(card.report.total.spent)}"
