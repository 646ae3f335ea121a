"""Deleting the bot's messages in Discord, and the words on how far that is."""

import discord

from bot.cards import RouteBusy
from bot.client import ImageBot
from bot.requests import ReplyRoute
from bot.storage import Removal
from cogs.ui.answers import boxed
from cogs.ui.network import translated


class DiscordPosts:
    """`bot.removing.Posts` on discord.py, which waits out rate limits by itself."""

    def __init__(self) -> None:
        self._bot: ImageBot | None = None

    def connect(self, bot: ImageBot) -> None:
        """Use `bot` from now on; before that Discord is busy."""
        self._bot = bot

    async def delete(self, channel_id: int, message_id: int) -> None:
        """Delete one of the bot's messages, with its own token."""
        async with translated():
            channel = self._ready().get_partial_messageable(channel_id)
            await channel.get_partial_message(message_id).delete()

    async def show(self, removal: Removal, *, ended: bool) -> None:
        """Show in the person's private message how far it is."""
        view = boxed(words_on(removal, ended=ended))
        async with translated():
            await self._webhook(removal.reply).edit_message(removal.reply.message_id, view=view)

    def _ready(self) -> ImageBot:
        if self._bot is None or self._bot.is_closed():
            raise RouteBusy("not connected to Discord")
        return self._bot

    def _webhook(self, reply: ReplyRoute) -> discord.Webhook:
        return discord.Webhook.partial(reply.application_id, reply.token, client=self._ready())


def words_on(removal: Removal, *, ended: bool) -> str:
    """Say how many messages are gone, how many are left, and what will not be deleted."""
    of = removal.deleted + removal.refused + removal.left
    lines = ["### The messages with your pictures"]
    if not ended:
        done = f"**{removal.deleted} of {of}** so far" if of else "they begin with what still runs"
        lines.append(f"They are deleted now: {done}.")
        lines.append(
            "-# One after the other, as fast as Discord allows. It goes on if you close this, and "
            "if the bot is restarted."
        )
    elif of == 0:
        lines.append("No message with a picture of yours is known that could be deleted.")
    else:
        lines.append(f"Deleted **{removal.deleted} of {of}** messages with your pictures.")
        if removal.left:
            lines.append(
                f"Discord is too busy for {removal.left} of them. They are tried again every "
                "minute, for a day."
            )
    if removal.refused:
        lines.append(
            f"**{removal.refused} could not be deleted:** the bot is no longer, or never was, "
            "where they are. A moderator there can delete them."
        )
    return "\n".join(lines)
