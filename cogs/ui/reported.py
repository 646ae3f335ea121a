"""Reads the report that somebody wants to see, wherever they ask for it."""

import re
from datetime import date
from typing import Final

from bot.errors import InvalidOption
from bot.reports import NoSuchPeriod, Report, days_wanted, make_report, period_wanted
from bot.requests import NO_GUILD
from cogs.ui.access import Needs
from cogs.ui.intake import Interaction, services_of
from cogs.ui.report_query import Query

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
