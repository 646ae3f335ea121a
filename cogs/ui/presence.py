"""Who is where, and what they are called: for what the bot does outside of commands."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Final

import discord
from msgspec.structs import replace

from bot.cards import RouteBusy, RouteClosed, UploadTooLarge
from bot.client import ImageBot
from bot.painting import PresenceUnknown
from bot.requests import NO_GUILD, Actor
from cogs.ui.intake import is_age_restricted
from cogs.ui.names import names_of
from cogs.ui.network import translated

_log = logging.getLogger(__name__)

_MEMBER_SECONDS: Final = 10


class DiscordPresence:
    """Looks people up, with the roles that they have now."""

    def __init__(self) -> None:
        self._bot: ImageBot | None = None

    def connect(self, bot: ImageBot) -> None:
        """Use `bot` from now on; before that nobody can be looked up."""
        self._bot = bot

    def serves(self, guild_id: int) -> bool:
        """Whether this process has a guild, and is connected: of several, those of its shards."""
        bot = self._bot
        if bot is None or not bot.is_connected():
            return False
        guild = bot.get_guild(guild_id)
        return guild is not None and not guild.unavailable

    async def manages(self, guild_id: int, user_id: int, role_id: int | None) -> bool:
        """Whether somebody has Manage Server in a guild now, or the role of its managers.

        Not where Discord does not say so.
        """
        bot = self._bot
        guild = bot.get_guild(guild_id) if bot is not None else None
        member = await _member(guild, user_id) if guild is not None else None
        if member is None:
            return False
        granted = member.guild_permissions
        return granted.manage_guild or role_id in {role.id for role in member.roles}

    async def names_of(self, guild_id: int, ids: Sequence[int]) -> Mapping[int, str]:
        """Return the names of a few members of a guild, those that can be had."""
        return {} if self._bot is None else await names_of(self._bot, guild_id, ids)

    async def __call__(self, actor: Actor) -> Actor | None:
        """Return `actor` as they are now; None when they have left, or can't see the channel.

        Outside guilds there is nothing to lose. The bot keeps no members in memory, so Discord is
        asked.

        Raises:
            PresenceUnknown: Discord does not answer.
        """
        bot = self._bot
        if bot is None or bot.is_closed():
            raise PresenceUnknown
        known = replace(actor, is_operator=actor.user_id in bot.services.alerts.operators)
        if actor.guild_id == NO_GUILD:
            return known
        guild = bot.get_guild(actor.guild_id)
        channel = guild.get_channel(actor.channel_id) if guild is not None else None
        if guild is None or channel is None:
            return None
        try:
            async with translated():
                member = await guild.fetch_member(actor.user_id)
        except (RouteClosed, UploadTooLarge):
            return None
        except RouteBusy as error:
            raise PresenceUnknown from error
        # In a time-out nobody may use commands, so neither may they start one from elsewhere.
        if member.is_timed_out() or not channel.permissions_for(member).view_channel:
            return None
        roles = tuple(role.id for role in member.roles)
        return replace(known, role_ids=roles, age_restricted=is_age_restricted(channel))


async def _member(guild: discord.Guild, user_id: int) -> discord.Member | None:
    """Ask Discord for a member; None when they have left, or it does not answer."""
    try:
        async with asyncio.timeout(_MEMBER_SECONDS), translated():
            return await guild.fetch_member(user_id)
    except (RouteBusy, RouteClosed, UploadTooLarge, TimeoutError) as error:
        _log.info("A member could not be read: %r", error)
        return None
