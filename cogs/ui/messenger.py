"""`bot.cards.Messenger` on discord.py: the only place that sends the answer to a job.

discord.py itself waits out rate limits and repeats what failed with 5xx; every call has a time
limit all the same.
"""

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import discord
from msgspec.structs import replace

from bot.cards import (
    BudgetAlert,
    Card,
    DigestTrouble,
    MessageGone,
    Posted,
    RouteBusy,
    SpikeAlert,
)
from bot.client import ImageBot
from bot.requests import ReplyRoute
from cogs.ui.messages import Rendered, render
from cogs.ui.network import translated

_log = logging.getLogger(__name__)


class DiscordMessenger:
    """Sends cards with an interaction's token or the bot's own."""

    def __init__(self) -> None:
        self._client: ImageBot | None = None

    def connect(self, client: ImageBot) -> None:
        """Use `client` from now on; before that every route is busy."""
        self._client = client

    async def edit(self, reply: ReplyRoute, card: Card) -> Posted:
        """Make the original answer show `card`."""
        message = self._render(card)
        async with translated():
            await self._webhook(reply).edit_message(
                reply.message_id, view=message.view, attachments=message.files
            )
        return Posted(reply.channel_id, reply.message_id)

    async def whisper(self, reply: ReplyRoute, card: Card) -> None:
        """Show `card` to the person alone, as a follow-up."""
        message = self._render(card)
        async with translated():
            await self._webhook(reply).send(
                view=message.view, files=message.files, ephemeral=True, wait=True
            )

    async def retract(self, reply: ReplyRoute) -> None:
        """Delete the original answer; fine if it is gone already."""
        try:
            async with translated():
                await self._webhook(reply).delete_message(reply.message_id)
        except MessageGone:
            _log.debug("The answer %d was deleted already", reply.message_id)

    async def post(self, channel_id: int, card: Card, *, nonce: str) -> Posted:
        """Post `card` with the bot's own token; the same nonce twice posts once."""
        message = self._render(card, addressed=True)
        async with translated():
            channel = self._partial(channel_id)
            sent = await channel.send(view=message.view, files=message.files, nonce=nonce)
        return Posted(channel_id, sent.id)

    async def direct(self, user_id: int, card: Card, *, nonce: str) -> Posted:
        """Post `card` in the person's direct messages; the same nonce twice posts once."""
        message = self._render(self._placed(card))
        async with translated():
            channel = await self._ready().create_dm(discord.Object(user_id))
            sent = await channel.send(view=message.view, files=message.files, nonce=nonce)
        return Posted(channel.id, sent.id)

    async def tidy(self, reply: ReplyRoute, card: Card | None) -> None:
        """After the token died: show `card` in the public original, or delete it (None)."""
        try:
            async with translated():
                original = self._partial(reply.channel_id).get_partial_message(reply.message_id)
                if card is None:
                    await original.delete()
                else:
                    await original.edit(view=self._render(card).view)
        except MessageGone:
            _log.debug("The answer %d was deleted already", reply.message_id)

    def _placed(self, card: Card) -> Card:
        """Name the guild of what is told outside of it."""
        match card:
            case BudgetAlert():
                return replace(card, guild_name=self._name(card.crossing.guild_id))
            case SpikeAlert():
                return replace(card, guild_name=self._name(card.spike.guild_id))
            case DigestTrouble():
                return replace(card, guild_name=self._name(card.guild_id))
            case _:
                return card

    def _name(self, guild_id: int) -> str:
        guild = self._ready().get_guild(guild_id)
        return guild.name if guild else "a server"

    def _render(self, card: Card, *, addressed: bool = False) -> Rendered:
        painting = self._client is not None and self._client.services.painting.available
        return render(card, addressed=addressed, painting=painting)

    def _ready(self) -> ImageBot:
        if self._client is None or self._client.is_closed():
            raise RouteBusy("not connected to Discord")
        return self._client

    def _partial(self, channel_id: int) -> discord.PartialMessageable:
        return self._ready().get_partial_messageable(channel_id)

    def _webhook(self, reply: ReplyRoute) -> "_Webhook":
        return _webhook(self._ready(), reply.application_id, reply.token)


class _Webhook(discord.Webhook):
    """A webhook that takes no answer apart: a result has dozens of parts, and none is wanted.

    Without the override, whose name discord.py may change, the whole message would do as well.
    """

    def _create_message(self, data: Mapping[str, Any], **_: object) -> discord.Object:
        return discord.Object(data["id"])


@lru_cache(maxsize=256)
def _webhook(client: ImageBot, application_id: int, token: str) -> _Webhook:
    """Make a webhook; remembered, since a job sends several messages by one."""
    webhook = _Webhook.partial(application_id, token, client=client)
    # What `Interaction.followup` is, too; without it discord.py sends nothing ephemeral.
    webhook.type = discord.WebhookType.application
    return webhook
