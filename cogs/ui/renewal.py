"""Fresh links for pictures of messages: Discord's die after a day.

Source: Discord's API reference, "Signed Attachment CDN URLs" and "Refresh Attachment URLs".
"""

import logging
from collections.abc import Sequence
from typing import Final

import discord
from discord.http import Route
from msgspec.structs import replace
from yarl import URL

from bot.cards import RouteBusy, RouteClosed, UploadTooLarge
from bot.errors import InputUnreachable
from bot.requests import Source
from cogs.ui.network import translated
from cogs.ui.pictures import pictures_in, place_of

_log = logging.getLogger(__name__)

_MOST_REFRESHED: Final = 50
"""Links that one request may name."""


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
                return replace(source, url=fresh)
        return None


async def with_live_links(
    client: discord.Client, sources: Sequence[Source], *, now_ms: int
) -> list[Source]:
    """Return pictures to be shown, those whose links have died with new ones: in one request.

    Where Discord gives none, the dead link stays: a picture that can't be shown is still named.
    """
    dead = [each.url for each in sources if _has_expired(each.url, now_ms)][:_MOST_REFRESHED]
    if not dead:
        return list(sources)
    route = Route("POST", "/attachments/refresh-urls")
    fresh = {}
    try:
        async with translated():
            answer = await client.http.request(route, json={"attachment_urls": dead})
            pairs = answer["refreshed_urls"]
            fresh = {pair["original"]: pair["refreshed"] for pair in pairs if pair["refreshed"]}
    except (RouteBusy, RouteClosed, UploadTooLarge) as error:
        _log.info("Links could not be renewed: %r", error)
    return [replace(each, url=fresh.get(each.url, each.url)) for each in sources]


def _has_expired(url: str, now_ms: int) -> bool:
    """Whether a link says so itself: `ex` is seconds since the Unix epoch, in hexadecimal."""
    try:
        return int(URL(url).query.get("ex", ""), 16) * 1000 <= now_ms
    except ValueError:
        return False
