"""The pictures in a message, wherever Discord shows one. Pure: nothing is read but the message.

Attachments, layouts (components, version 2), embeds, stickers' stills, and what is forwarded. Only
what stands on Discord's own hosts: Discord's proxy has a copy of most things that it shows. Names
and types are what somebody said; the bytes are judged by whoever reads them.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

import discord
from discord.asset import Asset
from yarl import URL

from bot.downloads import Hosts
from bot.inputs import DISCORD_HOSTS
from bot.requests import Source

MOST_SHOWN: Final = 25
"""Pictures taken of one message; a select menu offers no more."""
MOST_NAME: Final = 100
"""Characters of a picture's name."""
_MOST_URL: Final = 2_048
_NAMELESS: Final = "picture"

_NAMED_SO: Final = re.compile(
    r"\.(a?png|jpe?g|jpe|jfif|webp|gif|hei[cf]|avif|tiff?|bmp|svg)$", re.IGNORECASE
)
_STILLS: Final = {
    discord.StickerFormatType.png: "png",
    discord.StickerFormatType.apng: "png",
    discord.StickerFormatType.gif: "gif",
}
"""Formats of stickers that are pictures; others are drawn by the clients themselves."""
_DISCORD_CDN: Final = "https://cdn.discordapp.com"
_DISCORD_MEDIA: Final = "https://media.discordapp.net"

_Shown: TypeAlias = discord.Message | discord.MessageSnapshot


def pictures_in(message: discord.Message) -> list[Source]:
    """Return the pictures of a message, in reading order, each once, at most `MOST_SHOWN`."""
    found: dict[str, Source] = {}
    for source in _all(message):
        found.setdefault(place_of(source), source)
    return list(found.values())[:MOST_SHOWN]


def place_of(source: Source) -> str:
    """What stays the same of a picture's link, whichever host has it and however it is signed."""
    return URL(source.url).path


def discord_hosts() -> Hosts:
    """Where Discord keeps what people send, and where it shows pictures of the web."""
    return _hosts(Asset.BASE)


@lru_cache(maxsize=1)
def _hosts(base: str) -> Hosts:
    return Hosts(base, *DISCORD_HOSTS)


def cleaned_name(name: str) -> str:
    """Return a file's name without what can't be seen, its end kept when it is too long."""
    shown = "".join(char for char in name if char.isprintable()).strip() or _NAMELESS
    if len(shown) <= MOST_NAME:
        return shown
    end = MOST_NAME // 4
    return f"{shown[: MOST_NAME - end - 1]}…{shown[-end:]}"


def _all(message: discord.Message) -> Iterator[Source]:
    parts: Sequence[_Shown] = (message, *message.message_snapshots)
    for part in parts:
        yield from _attachments(part.attachments, message)
        yield from _media(part.components, message)
        yield from _embeds(part.embeds, message)
        yield from _stickers(part.stickers, message)


def _attachments(
    attachments: Iterable[discord.Attachment], message: discord.Message
) -> Iterator[Source]:
    for attachment in attachments:
        if _is_picture(attachment.content_type, attachment.filename):
            urls = (attachment.url, attachment.proxy_url)
            yield from _source(message, urls, attachment.filename, attachment.size)


def _media(components: Iterable[Any], message: discord.Message) -> Iterator[Source]:
    """Walk a layout. discord.py leaves out what it does not know, or has None in its place."""
    for component in components:
        match component:
            case discord.MediaGalleryComponent():
                for item in component.items:
                    yield from _medium(item.media, message)
            case discord.ThumbnailComponent():
                yield from _medium(component.media, message)
            case discord.FileComponent():
                name = component.name or _name_in(component.media.url)
                if _is_picture(component.media.content_type, name):
                    yield from _medium(component.media, message, name, component.size or 0)
            case discord.SectionComponent():
                yield from _media([component.accessory], message)
            case discord.Container():
                yield from _media(component.children, message)


def _medium(
    media: discord.UnfurledMediaItem, message: discord.Message, name: str = "", size: int = 0
) -> Iterator[Source]:
    if media.content_type and not media.content_type.startswith("image/"):
        return
    # Of an upload the file itself, of the web what the proxy has of it.
    urls = (media.url, media.proxy_url)
    yield from _source(message, urls, name or _name_in(media.url), size)


def _embeds(embeds: Iterable[discord.Embed], message: discord.Message) -> Iterator[Source]:
    for embed in embeds:
        for shown in (embed.image, embed.thumbnail):
            if shown.url:
                urls = (shown.proxy_url, shown.url)
                yield from _source(message, urls, _name_in(shown.url))


def _stickers(
    stickers: Iterable[discord.StickerItem], message: discord.Message
) -> Iterator[Source]:
    for sticker in stickers:
        extension = _STILLS.get(sticker.format)
        if extension is None:
            continue
        # Discord keeps moving ones on its other host; elsewhere there is one host for all.
        moving = sticker.format is discord.StickerFormatType.gif and Asset.BASE == _DISCORD_CDN
        base = _DISCORD_MEDIA if moving else Asset.BASE
        url = f"{base}/stickers/{sticker.id}.{extension}"
        yield from _source(message, (url,), f"{sticker.name}.{extension}")


def _source(
    message: discord.Message, urls: Iterable[str | None], name: str, size: int = 0
) -> Iterator[Source]:
    """Yield the picture at the first of `urls` that is Discord's, if one is."""
    for url in urls:
        if url and _is_discords(url):
            yield Source(
                url,
                cleaned_name(name),
                size=size,
                channel_id=message.channel.id,
                message_id=message.id,
            )
            return


def _is_discords(url: str) -> bool:
    if len(url) > _MOST_URL:
        return False
    try:
        return discord_hosts().allow(URL(url))
    except ValueError:
        return False


def _is_picture(content_type: str | None, name: str) -> bool:
    if content_type and content_type.startswith("image/"):
        return True
    return _NAMED_SO.search(name) is not None


def _name_in(url: str) -> str:
    return unquote(url.partition("?")[0].rpartition("/")[2])
