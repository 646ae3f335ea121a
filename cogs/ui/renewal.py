"""Fresh links for pictures of messages: Discord's die after a day.

Source: Discord's API reference, "Signed Attachment CDN URLs" and "Refresh Attachment URLs".
"""

import discord
from discord.http import Route

from bot.cards import RouteBusy, RouteClosed, UploadTooLarge
from bot.errors import InputUnreachable
from bot.requests import Source
from cogs.ui.messenger import translated
from cogs.ui.pictures import pictures_in, place_of


class DiscordRenewal:
    """Asks for a fresh link: through the picture's message, else for the link alone."""

    def __init__(self) -> None:
        self._client: discord.Client | None = None

    def connect(self, client: discord.Client) -> None:
        """Use `client` from now on; before that nothing can be renewed."""
        self._client = client

    async def __call__(self, source: Source) -> Source | None:
        """Return `source` with a link that works; None when the picture is gone.

        A message of somebody else comes back without its pictures, since the bot does not ask for
        the intent to read messages; then the link alone is renewed.

        Raises:
            InputUnreachable: Discord does not answer.
        """
        client = self._client
        if client is None or client.is_closed():
            raise InputUnreachable(source.filename)
        try:
            found = await self._through_message(client, source)
            return found or await self._refreshed(client, source)
        except RouteBusy as error:
            raise InputUnreachable(source.filename) from error

    async def _through_message(self, client: discord.Client, source: Source) -> Source | None:
        if not source.message_id:
            return None
        channel = client.get_partial_messageable(source.channel_id)
        try:
            async with translated():
                message = await channel.fetch_message(source.message_id)
        except (RouteClosed, UploadTooLarge):
            return None  # deleted, or in a channel that the bot can't read
        wanted = place_of(source)
        return next((each for each in pictures_in(message) if place_of(each) == wanted), None)

    async def _refreshed(self, client: discord.Client, source: Source) -> Source | None:
        route = Route("POST", "/attachments/refresh-urls")
        try:
            async with translated():
                answer = await client.http.request(route, json={"attachment_urls": [source.url]})
        except (RouteClosed, UploadTooLarge):
            return None
        match answer:
            case {"refreshed_urls": [{"refreshed": str(fresh)}]}:
                return Source(
                    fresh, source.filename, source.size, source.channel_id, source.message_id
                )
        return None
