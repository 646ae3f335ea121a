"""What `/operator report` says of all servers: what each of them has spent this month and last."""

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.money import format_usd
from bot.quotas import Window, window_at
from bot.requests import NO_GUILD
from bot.services import Services
from bot.storage import Part
from cogs.ui.report_text import PAGE, counted
from cogs.ui.text import plain

_NOTHING = "Nothing was spent."
_MOST_NAME = 60


async def tell(services: Services, names: Mapping[int, str]) -> list[str]:
    """Say what the servers have spent; `names` are those of the servers that the bot is in.

    Raises:
        LedgerUnavailable: the books cannot be read now.
    """
    this = window_at(Window.MONTH, services.clock.now_ms())
    last = window_at(Window.MONTH, this.start_ms - 1)
    told = ["### What the servers have spent"]
    for month in (this, last):
        parts = await services.reports.by_guild(month.label)
        title = f"{datetime.fromtimestamp(month.start_ms / 1000, UTC):%B %Y}"
        told.append(f"**{title}**\n{_lines(parts, names)}")
    told.append(
        "-# Months are those of each server's own calendar. Name a `server` for its report."
    )
    return told


def _lines(parts: list[Part], names: Mapping[int, str]) -> str:
    if not parts:
        return _NOTHING
    total = format_usd(sum(part.sums.spent for part in parts))
    lines = [f"{total} in all"]
    lines += [
        f"{rank}. {_name(int(part.key), names)} · **{format_usd(part.sums.spent)}** "
        f"· {counted(part.sums.pictures, 'picture')}"
        for rank, part in enumerate(parts[:PAGE], start=1)
    ]
    if rest := parts[PAGE:]:
        left = format_usd(sum(part.sums.spent for part in rest))
        lines.append(f"-# and {len(rest):,} more, for {left} together")
    return "\n".join(lines)


def _name(guild_id: int, names: Mapping[int, str]) -> str:
    if guild_id == NO_GUILD:
        return "Direct messages"
    name = names.get(guild_id)
    return f"{'left' if name is None else plain(name, most=_MOST_NAME)} ({guild_id})"
