"""`/settings`: what a person wants where a command does not say."""

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import ImageBot
from cogs.ui import settings_panel
from cogs.ui.access import Needs
from cogs.ui.answers import Shown, answer
from cogs.ui.settings_panel import Place


class PersonalSettings(commands.Cog):
    """A person's own defaults."""

    @app_commands.command(
        name="settings", description="Your own model, size, quality, format, and privacy"
    )
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def settings(self, interaction: discord.Interaction[Any]) -> None:
        """Show the panel."""

        async def work() -> Shown:
            return await settings_panel.panel(interaction, Place.EVERYWHERE)

        await answer(interaction, work, needs=Needs.NOTHING)


async def setup(bot: ImageBot) -> None:
    """Add the cog, and what its messages hold."""
    bot.add_dynamic_items(*settings_panel.ALL)
    await bot.add_cog(PersonalSettings())
