"""`/operator`: what only the person who pays may do, over all guilds.

In servers Discord shows it to administrators only, in direct messages to everybody; whoever is no
operator is refused, and completed nothing (see `docs/adr/`).
"""

from typing import Any, Final

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import ImageBot
from bot.errors import InvalidOption
from bot.quotas import Window
from bot.requests import NO_GUILD
from bot.storage import Who
from cogs.ui import (
    audit_panel,
    bookkeeping,
    operator_report,
    operator_status,
    report_panel,
    setting,
)
from cogs.ui.access import Needs, is_operator
from cogs.ui.amounts import MOST_TYPED, parse_amount, parse_optional
from cogs.ui.answers import Changed, Shown, answer, boxed
from cogs.ui.choices import PER_CHOICES
from cogs.ui.intake import services_of
from cogs.ui.options import MOST_CHOICES
from cogs.ui.places import guild_name
from cogs.ui.report_query import Query
from cogs.ui.text import shorten

Interaction = discord.Interaction[Any]
_MOST_ID: Final = 20
_MOST_NAME: Final = 70

_POOLS: Final = [
    app_commands.Choice(name="everybody everywhere together", value="bot"),
    app_commands.Choice(name="each person outside this bot's servers", value="dm"),
]


async def complete_guild(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
    """Servers that the bot is in, for operators; nobody else learns their names."""
    if not is_operator(interaction):
        return []
    wanted = current.casefold().strip()
    found = [
        guild
        for guild in interaction.client.guilds
        if wanted in guild.name.casefold() or wanted == str(guild.id)
    ]
    found.sort(key=lambda guild: (guild.name.casefold(), guild.id))
    return [
        app_commands.Choice(
            name=f"{shorten(guild.name, _MOST_NAME)} ({guild.id})", value=str(guild.id)
        )
        for guild in found[:MOST_CHOICES]
    ]


@app_commands.default_permissions(administrator=True)
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
class Operator(
    commands.GroupCog,
    group_name="operator",
    group_description="For the operator of this bot only: budgets over all servers",
):
    """Budgets that no admin can raise, and the switch for everything."""

    @app_commands.command(name="guild", description="What a server may spend at most")
    @app_commands.describe(
        per="What the amount is for",
        amount="US dollars; 0 is nothing; leave it out to remove what is set",
        server="Which one; each server without a budget of its own if you leave it out",
    )
    @app_commands.choices(per=PER_CHOICES)
    @app_commands.autocomplete(server=complete_guild)
    async def guild(
        self,
        interaction: Interaction,
        per: str,
        amount: app_commands.Range[str, 1, MOST_TYPED] | None = None,
        server: app_commands.Range[str, 1, _MOST_ID] | None = None,
    ) -> None:
        """Set a guild's ceiling, or that of all guilds without one."""

        async def work() -> Changed:
            who = Who.any_guild() if server is None else Who.ceiling(_guild_id(server))
            return await _set(interaction, who, per, amount)

        await answer(interaction, work, needs=Needs.OPERATOR)

    @app_commands.command(name="person", description="What one person may spend everywhere")
    @app_commands.describe(
        person="Whom",
        per="What the amount is for",
        amount="US dollars; 0 is nothing; leave it out to remove what is set",
    )
    @app_commands.choices(per=PER_CHOICES)
    async def person(
        self,
        interaction: Interaction,
        person: discord.User,
        per: str,
        amount: app_commands.Range[str, 1, MOST_TYPED] | None = None,
    ) -> None:
        """Set a person's limit over all guilds and direct messages."""

        async def work() -> Changed:
            return await _set(interaction, Who.person(person.id), per, amount)

        await answer(interaction, work, needs=Needs.OPERATOR)

    @app_commands.command(
        name="budget", description="What all may spend together, or each outside servers"
    )
    @app_commands.describe(
        per="What the amount is for",
        amount="US dollars; 0 is nothing; leave it out to go back to the bot's settings",
        of="Whose budget; that of everybody if you leave it out",
    )
    @app_commands.choices(per=PER_CHOICES, of=_POOLS)
    async def budget(
        self,
        interaction: Interaction,
        per: str,
        amount: app_commands.Range[str, 1, MOST_TYPED] | None = None,
        of: str = "bot",
    ) -> None:
        """Set the budget of the whole bot, or a person's allowance outside the bot's servers."""

        async def work() -> Changed:
            who = Who.direct_messages() if of == "dm" else Who.everybody()
            return await _set(interaction, who, per, amount)

        await answer(interaction, work, needs=Needs.OPERATOR)

    @app_commands.command(
        name="report", description="What every server has spent, or one of them in detail"
    )
    @app_commands.describe(server="Which one; all of them, by month, if you leave it out")
    @app_commands.autocomplete(server=complete_guild)
    async def report(
        self,
        interaction: Interaction,
        server: app_commands.Range[str, 1, _MOST_ID] | None = None,
    ) -> None:
        """Show the servers' spending, or a server's report."""

        async def work() -> Shown:
            if server is not None:
                return await report_panel.panel(interaction, Query(whose=_guild_id(server)))
            names = {guild.id: guild.name for guild in interaction.client.guilds}
            return boxed(*await operator_report.tell(services_of(interaction), names))

        await answer(interaction, work, needs=Needs.OPERATOR)

    @app_commands.command(name="status", description="What is spent and left, and what is set")
    async def status(self, interaction: Interaction) -> None:
        """Show the whole bot's budgets, and each guild's."""

        async def work() -> Shown:
            parts = await operator_status.tell(services_of(interaction), interaction.client.guilds)
            return boxed(*parts)

        await answer(interaction, work, needs=Needs.OPERATOR)

    @app_commands.command(name="pause", description="Make nothing new anywhere, until resumed")
    async def pause(self, interaction: Interaction) -> None:
        """Pause the whole bot."""

        async def work() -> Shown:
            policies = services_of(interaction).policies
            changed = await policies.pause(NO_GUILD, by=interaction.user.id)
            title = "Paused" if changed else "Paused already"
            return (
                f"### {title}\nNothing new is made anywhere, and people are told so. What runs "
                "already is finished. `/operator resume` ends it; a restart does not."
            )

        await answer(interaction, work, needs=Needs.OPERATOR)

    @app_commands.command(name="resume", description="End a pause")
    async def resume(self, interaction: Interaction) -> None:
        """End the pause of the whole bot."""

        async def work() -> Shown:
            policies = services_of(interaction).policies
            changed = await policies.resume(NO_GUILD, by=interaction.user.id)
            title = "Going on" if changed else "Not paused"
            return (
                f"### {title}\nPictures are made again, except in servers whose admins have paused "
                "them."
            )

        await answer(interaction, work, needs=Needs.OPERATOR)

    @app_commands.command(name="unblock", description="Lift a block that a server has set")
    @app_commands.describe(server="Where they are blocked", person="Whom")
    @app_commands.autocomplete(server=complete_guild)
    async def unblock(
        self,
        interaction: Interaction,
        server: app_commands.Range[str, 1, _MOST_ID],
        person: discord.User,
    ) -> None:
        """Lift a block in one guild."""

        async def work() -> Shown:
            guild_id = _guild_id(server)
            policies = services_of(interaction).policies
            lifted = await policies.unblock(
                guild_id, person.id, by=interaction.user.id, by_operator=True
            )
            where = f"**{guild_name(interaction, guild_id)}**"
            if not lifted:
                return f"<@{person.id}> is not blocked in {where}."
            return f"### Unblocked\n<@{person.id}> may make pictures in {where} again."

        await answer(interaction, work, needs=Needs.OPERATOR)

    @app_commands.command(
        name="reconcile", description="Compare the ledger with what ImageRouter says was spent"
    )
    @app_commands.describe(
        key="The name of this bot's key at ImageRouter, where the account has several",
        anew="Leave whatever difference there is, and compare from here on",
    )
    @app_commands.autocomplete(key=bookkeeping.complete_key)
    async def reconcile(
        self,
        interaction: Interaction,
        key: app_commands.Range[str, 1, bookkeeping.MOST_KEY] | None = None,
        anew: bool = False,  # noqa: FBT001, FBT002 - an option of a slash command
    ) -> None:
        """Name the drift since the first reading, and charges that could explain it."""

        async def work() -> Shown:
            return await bookkeeping.reconcile(interaction, key, anew=anew)

        await answer(interaction, work, needs=Needs.OPERATOR)

    @app_commands.command(name="settle", description="Record by hand what a charge did cost, once")
    @app_commands.describe(
        charge="One whose outcome is not known for sure; a list appears as you type",
        cost="US dollars that ImageRouter took for it; 0 is nothing",
        reason="How you know; it is kept in the trail of changes",
        above_hold="Say so when it did cost more than was held for it",
    )
    @app_commands.autocomplete(charge=bookkeeping.complete_charge)
    async def settle(
        self,
        interaction: Interaction,
        charge: app_commands.Range[str, 1, bookkeeping.MOST_CHARGE],
        cost: app_commands.Range[str, 1, MOST_TYPED],
        reason: app_commands.Range[str, 1, bookkeeping.MOST_REASON],
        above_hold: bool = False,  # noqa: FBT001, FBT002 - an option of a slash command
    ) -> None:
        """Settle one charge."""

        async def work() -> Shown:
            amount = parse_amount(cost, option="cost")
            return await bookkeeping.settle(
                interaction, charge, amount, reason, above_hold=above_hold
            )

        await answer(interaction, work, needs=Needs.OPERATOR)

    @app_commands.command(name="charge", description="Everything the books know about one charge")
    @app_commands.describe(charge="Its id; those that can be settled by hand are listed")
    @app_commands.autocomplete(charge=bookkeeping.complete_charge)
    async def charge(
        self, interaction: Interaction, charge: app_commands.Range[str, 1, bookkeeping.MOST_CHARGE]
    ) -> None:
        """Show one charge with its entries."""

        async def work() -> Shown:
            return await bookkeeping.show_charge(interaction, charge)

        await answer(interaction, work, needs=Needs.OPERATOR)

    @app_commands.command(
        name="audit", description="Who changed which rule, when, from what to what"
    )
    @app_commands.describe(
        server="The whole trail of one; what operators changed anywhere if you leave it out"
    )
    @app_commands.autocomplete(server=complete_guild)
    async def audit(
        self,
        interaction: Interaction,
        server: app_commands.Range[str, 1, _MOST_ID] | None = None,
    ) -> None:
        """Show the operators' own changes, or the trail of a guild."""

        async def work() -> Shown:
            where = audit_panel.OPERATORS if server is None else str(_guild_id(server))
            return await audit_panel.page_view(interaction, audit_panel.View(where))

        await answer(interaction, work, needs=Needs.OPERATOR)


async def _set(interaction: Interaction, who: Who, per: str, amount: str | None) -> Changed:
    return await setting.set_limit(interaction, who, Window(per), parse_optional(amount))


def _guild_id(typed: str) -> int:
    """Read a server's id, as the list gives it; it may be one that the bot has left."""
    if not typed.isascii() or not typed.isdigit() or not 0 < int(typed) < 1 << 63:
        raise InvalidOption("server", typed, "a server from the list, or its id")
    return int(typed)


async def setup(bot: ImageBot) -> None:
    """Add the cog."""
    await bot.add_cog(Operator())
