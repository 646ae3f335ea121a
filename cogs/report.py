"""`/report`: what a server has spent, for those who manage it."""

from typing import Any, Final

import discord
from discord import app_commands
from discord.ext import commands
from msgspec.structs import replace

from bot.client import ImageBot
from bot.errors import InvalidOption
from bot.reports import Span
from bot.storage import Group
from cogs.ui import report_panel, reported
from cogs.ui.access import Needs
from cogs.ui.answers import Shown, answer
from cogs.ui.report_query import MOST_DATE, Query, parse_day

_SPANS: Final = [
    app_commands.Choice(name=name.lower(), value=span.value)
    for span, name in report_panel.SPANS.items()
]
_GROUPS: Final = [app_commands.Choice(name=group.value, value=group.value) for group in Group]
Day = app_commands.Range[str, 1, MOST_DATE]


class Reporting(commands.Cog):
    """What was spent here, on what and by whom."""

    @app_commands.command(
        name="report", description="What this server has spent: a table, a chart, and downloads"
    )
    @app_commands.describe(
        period="Which days; this month if you choose none",
        first="Instead: from this day on, such as 2026-07-01",
        last="Until this day; today if you leave it out",
        by="What the table lists",
    )
    @app_commands.rename(first="from", last="to")
    @app_commands.choices(period=_SPANS, by=_GROUPS)
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.allowed_installs(guilds=True, users=False)
    async def report(
        self,
        interaction: discord.Interaction[Any],
        period: str = Span.MONTH.value,
        first: Day | None = None,
        last: Day | None = None,
        by: str = Group.MEMBER.value,
    ) -> None:
        """Show a report."""

        async def work() -> Shown:
            query = Query(_span_of(period), group=report_panel.group_of(by))
            days = parse_day(first, option="from"), parse_day(last, option="to")
            query = replace(query, days=await reported.named(interaction, *days))
            return await report_panel.panel(interaction, query)

        await answer(interaction, work, needs=Needs.MANAGER)


def _span_of(period: str) -> Span:
    """Discord offers choices, and hands over whatever a client sends."""
    try:
        return Span(period)
    except ValueError:
        hint = "one of the choices that Discord shows"
        raise InvalidOption("period", period, hint) from None


async def setup(bot: ImageBot) -> None:
    """Add the cog, and what its messages hold."""
    bot.add_dynamic_items(*report_panel.ALL)
    await bot.add_cog(Reporting())
