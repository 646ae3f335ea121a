"""Options that name a channel, for pictures or for posts of the bot; and a guild's name."""

from typing import Any, TypeAlias

import discord
from discord import app_commands

from cogs.ui.text import plain


class PlaceTransformer(app_commands.Transformer):
    """Takes what discord.py's own annotations take, but for media channels.

    It would list their type beside that of forums, and the types that Discord's published API
    description allows for an option end below it.
    """

    @property
    def type(self) -> discord.AppCommandOptionType:
        """A channel."""
        return discord.AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        """Where messages and threads are written."""
        kinds = discord.ChannelType
        return [kinds.text, kinds.news, kinds.voice, kinds.stage_voice, kinds.forum]

    async def transform(
        self, _: discord.Interaction[Any], value: Any, /
    ) -> discord.abc.GuildChannel:
        """Find the channel among those that the bot knows."""
        channel = value.resolve() if isinstance(value, app_commands.AppCommandChannel) else None
        if not isinstance(channel, discord.abc.GuildChannel):
            raise app_commands.TransformerError(value, self.type, self)
        return channel


def guild_name(interaction: discord.Interaction[Any], guild_id: int) -> str:
    """Return the name of a guild, or its id where the bot has left it, harmless to show."""
    guild = interaction.client.get_guild(guild_id)
    return f"server {guild_id}" if guild is None else plain(guild.name, most=100)


Place: TypeAlias = app_commands.Transform[discord.abc.GuildChannel, PlaceTransformer]
Postable: TypeAlias = discord.TextChannel | discord.VoiceChannel | discord.StageChannel
"""A channel in which the bot may post by itself."""
