"""What a guild sees when the bot joins it: one card, where the bot may post."""

import logging
from typing import Final

import discord
from discord.ext import commands

from bot.client import ImageBot
from cogs.ui.messages import simple_view
from cogs.ui.network import NETWORK_FAULTS

_log = logging.getLogger(__name__)

_CARD: Final = """\
### Pictures from words
Type `/imagine` and say what you would like to see. Each picture shows its price, and `/usage` \
shows everybody what they have spent themselves, for their eyes only.
**Do you manage this server?** `/setup` is one private panel for what everybody and each member \
may spend, prices, time zone and alerts. Nothing waits for it: careful limits hold until you set \
yours.
-# Pictures are made by the models behind ImageRouter, and the owner of this bot pays for them.\
"""


class Welcome(commands.Cog):
    """Greets a guild once, when the bot joins."""

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Post the card in the system channel, else in the first channel that allows it."""
        channel = _place(guild)
        if channel is None:
            _log.info("Joined guild %d, where the bot may post nowhere", guild.id)
            return
        try:
            await channel.send(view=simple_view(_CARD))
        except (discord.HTTPException, *NETWORK_FAULTS) as error:
            _log.info("Joined guild %d, but the card could not be posted: %r", guild.id, error)


def _place(guild: discord.Guild) -> discord.TextChannel | None:
    system = [guild.system_channel] if guild.system_channel is not None else []
    for channel in (*system, *guild.text_channels):
        allowed = channel.permissions_for(guild.me)
        if allowed.view_channel and allowed.send_messages:
            return channel
    return None


async def setup(bot: ImageBot) -> None:
    """Add the cog."""
    await bot.add_cog(Welcome())
