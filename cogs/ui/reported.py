"""Reads the report that somebody wants to see, and lays out what is shown of it."""

import re
from datetime import date
from functools import partial
from typing import Any, Final

import discord
from msgspec import Struct

from bot.errors import InvalidOption
from bot.reports import NoSuchPeriod, Report, days_wanted, make_report, period_wanted
from bot.requests import NO_GUILD
from cogs.ui import report_text
from cogs.ui.access import Needs
from cogs.ui.intake import Interaction, services_of
from cogs.ui.names import names_of
from cogs.ui.report_query import Query

CHART: Final = "chart.png"
_FROM_ELSEWHERE: Final = re.compile("[0-9]")


def needs_of(state: str) -> Needs:
    """Say who may see what a `custom_id` asks for: other guilds' reports are the operator's."""
    return Needs.OPERATOR if _FROM_ELSEWHERE.match(state) else Needs.MANAGER


async def named(
    interaction: Interaction, first: date | None, last: date | None
) -> tuple[date, date] | None:
    """Return the days that somebody names, in the calendar of their guild."""
    services = services_of(interaction)
    zones = await services.reports.zones(interaction.guild_id or NO_GUILD)
    return days_wanted(first, last, now_ms=services.clock.now_ms(), zones=zones)


class Reported(Struct, frozen=True):
    """A report, and its chart."""

    made: Report
    chart: bytes | None
    """A PNG; None where nothing was spent, or it can't be drawn."""

    def pictures(self) -> dict[str, bytes]:
        """Return the pictures that the message has beside it, by name."""
        return {} if self.chart is None else {CHART: self.chart}

    def parts(self, *, page: int = 1) -> list[discord.ui.Item[Any] | str]:
        """Return what a message shows of it."""
        parts: list[discord.ui.Item[Any] | str] = [report_text.head(self.made)]
        if summary := report_text.summary(self.made):
            parts.append("\n".join(summary))
        if self.chart is not None:
            alt = f"{report_text.title(self.made)}: a chart of days by model, and of members"
            picture = discord.MediaGalleryItem(f"attachment://{CHART}", description=alt)
            parts.append(discord.ui.MediaGallery(picture))
        table = report_text.table(self.made, page=page)
        parts.append(f"### {report_text.GROUPS[self.made.group]}\n{table}")
        return parts


async def read_illustrated(interaction: Interaction, query: Query) -> Reported:
    """Read a report and have its chart drawn. Raises what `read` does."""
    made = await read(interaction, query)
    services = services_of(interaction)
    chart = await services.drawing.picture(
        made,
        await services.reports.zones(made.guild_id),
        title=report_text.title(made),
        names_of=partial(names_of, interaction.client, made.guild_id),
    )
    return Reported(made, chart)


async def read(interaction: Interaction, query: Query) -> Report:
    """Read a report from the books.

    Raises:
        InvalidOption: its days are no period.
        LedgerUnavailable: the books cannot be read now.
    """
    services = services_of(interaction)
    guild_id = query.whose if query.whose is not None else interaction.guild_id or NO_GUILD
    now_ms = services.clock.now_ms()
    zones = await services.reports.zones(guild_id)
    try:
        period = period_wanted(query.span, query.days, now_ms=now_ms, zones=zones)
    except NoSuchPeriod as error:
        hint = f"days that follow each other: {str(error).removesuffix('.')}"
        raise InvalidOption("from", query.period, hint) from None
    return await make_report(services.reports, guild_id, period, query.group, now_ms=now_ms)
