"""What a digest says: the sentences of a report, and what no digest was posted about."""

from typing import Final

from bot.cards import Digest
from bot.money import format_usd
from cogs.ui import report_text

_SHOWN: Final = 10
"""Lines of the table; `/report` has them all."""
_FOOT: Final = "-# `/report` shows more of it. `/config digest` says when and where this is posted."


def head(card: Digest) -> str:
    """Which period it is about, and what was spent."""
    return report_text.head(card.report)


def body(card: Digest) -> list[str]:
    """What follows the chart, a text each: what to make of it, who has spent most, and notes."""
    report = card.report
    told = ["\n".join(report_text.summary(report)) or "Nobody asked for a picture."]
    if report.answer.parts:
        table = report_text.table(report, most=_SHOWN)
        more = report_text.more(report, shown=_SHOWN)
        told.append("\n".join([f"**{report_text.GROUPS[report.group]}**", table, more]).rstrip())
    return [*told, "\n".join([*_notes(card), _FOOT])]


def alt(card: Digest) -> str:
    """What the chart shows, for whoever can't see it."""
    spent = report_text.spent(card.report).replace("*", "")
    return f"{report_text.title(card.report)}: {spent}"


def _notes(card: Digest) -> list[str]:
    notes = []
    if (missed := card.missed) is not None:
        moments = missed.stretch.start_ms, missed.stretch.end_ms
        start, end = (f"<t:{moment // 1000}:f>" for moment in moments)
        notes.append(
            f"-# No digest was posted about the time from {start} to {end}, when "
            f"{format_usd(missed.spent)} was spent: the bot was away, or could not post."
        )
    if card.lost_label is not None:
        notes.append(
            f"-# The bot was interrupted while it posted the digest of {card.lost_label}; that one "
            "may be missing."
        )
    return notes
