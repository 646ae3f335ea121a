"""`/setup`: one private panel for the first hour, and the answers to forms of amounts."""

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import ImageBot
from bot.requests import NO_GUILD
from cogs.ui import intake, setup_panel
from cogs.ui.access import Needs
from cogs.ui.amounts import parse_optional
from cogs.ui.answers import Changed, Shown, answer, update
from cogs.ui.forms import Form, LimitButton, Place, form_of, is_ours, typed_in
from cogs.ui.setting import set_limit


class Setup(commands.Cog):
    """The panel, and every form that sets a limit."""

    @app_commands.command(name="setup", description="Budgets, prices and time zone, in a minute")
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.allowed_installs(guilds=True, users=False)
    async def setup(self, interaction: discord.Interaction[Any]) -> None:
        """Show the panel."""

        async def work() -> Shown:
            return await setup_panel.panel(interaction)

        await answer(interaction, work, needs=Needs.MANAGER)

    @commands.Cog.listener()
    async def on_form_submitted(self, interaction: discord.Interaction[Any]) -> None:
        """Answer a submitted form, whichever process opened it."""
        if not is_ours(interaction):
            return
        form = form_of(interaction)
        if form is None or interaction.guild_id is None:
            await intake.tell_fault(interaction, "This form is not known any more. Open it again.")
        else:
            await intake.guarded(interaction, _submitted(interaction, form))


async def _submitted(interaction: discord.Interaction[Any], form: Form) -> None:
    """Set what was typed, and show what came of it where the form was opened."""

    async def work() -> Changed:
        amount = parse_optional(typed_in(interaction))
        who = form.who(interaction.guild_id or NO_GUILD)
        made = await set_limit(interaction, who, form.window, amount)
        if form.place is Place.SETUP:
            return Changed(await setup_panel.panel(interaction), made.note)
        return made

    await update(interaction, work, needs=Needs.MANAGER)


async def setup(bot: ImageBot) -> None:
    """Add the cog, and what its messages hold."""
    bot.add_dynamic_items(*setup_panel.ALL, LimitButton)
    await bot.add_cog(Setup())
