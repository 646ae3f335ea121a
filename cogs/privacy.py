"""`/privacy`: what is kept about a person, a copy of it, and its end. For everybody, everywhere."""

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import ImageBot
from cogs.ui import privacy_copy, privacy_panel
from cogs.ui.access import Needs
from cogs.ui.answers import Shown, answer

Interaction = discord.Interaction[Any]


@app_commands.allowed_installs(guilds=True, users=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
class PrivacyCommands(
    commands.GroupCog,
    group_name="privacy",
    group_description="What this bot keeps about you, a copy of it, and how to have it erased",
):
    """A person's own data, and what becomes of a guild's when the bot leaves it."""

    def __init__(self, bot: ImageBot) -> None:
        self.bot = bot

    @app_commands.command(name="about", description="What is kept about you, why, and for how long")
    async def about(self, interaction: Interaction) -> None:
        """Tell it in plain words."""

        async def work() -> Shown:
            return await privacy_panel.about(interaction)

        await answer(interaction, work, needs=Needs.NOTHING)

    @app_commands.command(
        name="export", description="A copy of everything about you, by direct message"
    )
    async def export(self, interaction: Interaction) -> None:
        """Send it."""

        async def work() -> Shown:
            return await privacy_copy.send(interaction)

        await answer(interaction, work, needs=Needs.NOTHING)

    @app_commands.command(name="delete", description="Erase what is kept about you; asks first")
    async def delete(self, interaction: Interaction) -> None:
        """Say what that means, and ask."""

        async def work() -> Shown:
            return await privacy_panel.question(interaction)

        await answer(interaction, work, needs=Needs.NOTHING)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Note that the bot was thrown out; of a guild that is down Discord says so, instead."""
        await privacy_panel.noted(self.bot.services.keeper.guild_left(guild.id), guild.id)

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Note that the bot is (back) in a guild."""
        await privacy_panel.noted(self.bot.services.keeper.guild_joined(guild.id), guild.id)


async def setup(bot: ImageBot) -> None:
    """Add the cog, and what its messages hold."""
    bot.add_dynamic_items(*privacy_panel.ALL)
    await bot.add_cog(PrivacyCommands(bot))
