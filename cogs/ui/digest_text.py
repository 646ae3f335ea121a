"""What a digest says: what a report says, and what no digest was posted about."""

from typing import Any, Final

import discord

from bot.cards import Digest
from bot.money import format_usd
from cogs.ui import report_text
from cogs.ui.reported import Reported

_FOOT: Final = "-# `/report` shows more of it. `/config digest` says when and where this is posted."


def parts_of(card: Digest) -> list[discord.ui.Item[Any] | str]:
    """Return what the message shows; its chart is one of `Reported.pictures`."""
    parts = Reported(card.report, card.chart).parts()
    if not card.report.answer.parts:
        parts[-1] = "Nobody asked for a picture."
    if rest := report_text.more(card.report, shown=report_text.PAGE):
        parts.append(rest)
    return [*parts, "\n".join([*_notes(card), _FOOT])]


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
