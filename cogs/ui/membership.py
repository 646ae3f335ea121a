"""In which guilds the bot is: what its shards were told, and what Discord says when asked."""

from bot.cards import RouteBusy, RouteClosed, UploadTooLarge
from bot.client import ImageBot
from cogs.ui.network import translated

_NO_MEMBER = ("404/10004", "403/50001")
"""Unknown Guild, and Missing Access: what Discord says to who is no member."""


class DiscordMembership:
    """`bot.keeping.Membership` on discord.py."""

    def __init__(self) -> None:
        self._bot: ImageBot | None = None

    def connect(self, bot: ImageBot) -> None:
        """Use `bot` from now on; before that it is in no guild, and none is its own."""
        self._bot = bot

    def here(self) -> frozenset[int]:
        """Return the guilds that this process' shards named, those that are down included."""
        return frozenset() if self._bot is None else frozenset(g.id for g in self._bot.guilds)

    def ours(self, guild_id: int) -> bool:
        """Whether one of this process' shards would be told of a guild; all of them are connected.

        Source: Discord's documentation, "Sharding".
        """
        bot = self._bot
        if bot is None or not bot.is_connected() or not bot.shard_count:
            return False
        return (guild_id >> 22) % bot.shard_count in bot.shards

    async def is_gone(self, guild_id: int) -> bool:
        """Ask Discord; False unless it says that the bot is no member there."""
        if self._bot is None:
            return False
        try:
            async with translated():
                await self._bot.fetch_guild(guild_id, with_counts=False)
        except RouteClosed as error:
            return str(error).startswith(_NO_MEMBER)
        except (RouteBusy, UploadTooLarge):
            return False
        return False
