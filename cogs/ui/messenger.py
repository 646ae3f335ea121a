"""`bot.cards.Messenger` on discord.py: the only place that sends the answer to a job.

Turns Discord's errors into those that delivery knows. discord.py itself waits out rate limits
and repeats what failed with 5xx; every call has a time limit all the same.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

import discord

from bot.cards import (
    BudgetAlert,
    Card,
    CardRefused,
    MessageGone,
    Posted,
    RouteBusy,
    RouteClosed,
    UploadTooLarge,
)
from bot.requests import ReplyRoute
from cogs.ui.messages import render
from cogs.ui.network import NETWORK_FAULTS

_log = logging.getLogger(__name__)

CALL_SECONDS: Final = 120
"""How long one call may take, with discord.py's own repetitions."""

_UNKNOWN_MESSAGE: Final = 10008
_TOO_LARGE: Final = 40005
_INVALID_FORM: Final = 50035
_STATUS_TOO_LARGE: Final = 413
_STATUS_REQUEST_TIMEOUT: Final = 408
_STATUS_RATE_LIMITED: Final = 429
_STATUS_SERVER: Final = 500
_ERROR_SHOWN: Final = 200
"""Characters of Discord's own words in the log."""


class DiscordMessenger:
    """Sends cards with an interaction's token or the bot's own."""

    def __init__(self) -> None:
        self._client: discord.Client | None = None

    def connect(self, client: discord.Client) -> None:
        """Use `client` from now on; before that every route is busy."""
        self._client = client

    async def edit(self, reply: ReplyRoute, card: Card) -> Posted:
        """Make the original answer show `card`."""
        message = render(card)
        async with translated():
            edited = await self._webhook(reply).edit_message(
                reply.message_id, view=message.view, attachments=message.files
            )
        return Posted(edited.channel.id, edited.id)

    async def whisper(self, reply: ReplyRoute, card: Card) -> None:
        """Show `card` to the person alone, as a follow-up."""
        message = render(card)
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
        message = render(card, addressed=True)
        async with translated():
            channel = self._partial(channel_id)
            sent = await channel.send(view=message.view, files=message.files, nonce=nonce)
        return Posted(channel_id, sent.id)

    async def direct(self, user_id: int, card: Card, *, nonce: str) -> Posted:
        """Post `card` in the person's direct messages; the same nonce twice posts once."""
        message = render(self._placed(card))
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
                    await original.edit(view=render(card).view)
        except MessageGone:
            _log.debug("The answer %d was deleted already", reply.message_id)

    def _placed(self, card: Card) -> Card:
        """Name the guild of what is told outside of it."""
        if not isinstance(card, BudgetAlert):
            return card
        guild = self._ready().get_guild(card.crossing.guild_id)
        return replace(card, guild_name=guild.name if guild else "a server")

    def _ready(self) -> discord.Client:
        if self._client is None or self._client.is_closed():
            raise RouteBusy("not connected to Discord")
        return self._client

    def _partial(self, channel_id: int) -> discord.PartialMessageable:
        return self._ready().get_partial_messageable(channel_id)

    def _webhook(self, reply: ReplyRoute) -> discord.Webhook:
        webhook = discord.Webhook.partial(reply.application_id, reply.token, client=self._ready())
        # What `Interaction.followup` is, too; without it discord.py sends nothing ephemeral.
        webhook.type = discord.WebhookType.application
        return webhook


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Bound one exchange with Discord in time, and name its failure."""
    try:
        async with asyncio.timeout(CALL_SECONDS):
            yield
    except discord.HTTPException as error:
        raise _named(error) from error
    except (*NETWORK_FAULTS, discord.RateLimited) as error:
        raise RouteBusy(type(error).__name__) from error
    except RouteBusy:
        raise
    except Exception as error:
        # discord.py trusts Discord's answers, and trips over what a proxy makes of them.
        _log.exception("An answer of Discord made no sense")
        raise RouteBusy(type(error).__name__) from error


def _named(error: discord.HTTPException) -> Exception:
    if error.status == _STATUS_TOO_LARGE or error.code == _TOO_LARGE:
        return UploadTooLarge(str(error.code))
    if error.code == _UNKNOWN_MESSAGE:
        return MessageGone(str(error.code))
    if error.code == _INVALID_FORM:
        return CardRefused(f"{error.status}/{error.code}: {error.text[:_ERROR_SHOWN]}")
    busy = {_STATUS_REQUEST_TIMEOUT, _STATUS_RATE_LIMITED}
    if error.status >= _STATUS_SERVER or error.status in busy:
        return RouteBusy(f"{error.status}/{error.code}")
    return RouteClosed(f"{error.status}/{error.code}: {error.text[:_ERROR_SHOWN]}")
