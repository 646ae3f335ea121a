"""Names of members, for where Discord can't put them itself: in pictures.

Without the privileged intent the bot knows those whom it has seen; a few others are asked for.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import discord

from bot.client import ImageBot
from cogs.ui.network import NETWORK_FAULTS

MOST_ASKED: Final = 8
_SECONDS: Final = 2.0


async def names_of(client: ImageBot, guild_id: int, ids: Sequence[int]) -> dict[int, str]:
    """Return the names of the first `MOST_ASKED` members, as far as they can be had in two seconds.

    Those who have left are named as they are elsewhere.
    """
    guild = client.get_guild(guild_id)
    found = dict[int, str]()

    async def find(ident: int) -> None:
        known = (guild and guild.get_member(ident)) or client.get_user(ident)
        if known is None:
            with suppress(discord.HTTPException, *NETWORK_FAULTS):
                known = await _asked(client, guild, ident)
        if known is not None:
            found[ident] = known.display_name

    with suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS):
            await asyncio.gather(*(find(ident) for ident in ids[:MOST_ASKED]))
    return found


async def _asked(
    client: ImageBot, guild: discord.Guild | None, ident: int
) -> discord.Member | discord.User:
    """Ask Discord for a member, else for the user.

    Raises:
        discord.HTTPException: there is no such user, or Discord does not say.
    """
    if guild is not None:
        with suppress(discord.NotFound):
            return await guild.fetch_member(ident)
    return await client.fetch_user(ident)
