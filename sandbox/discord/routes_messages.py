"""Routes about a channel's messages, by the bot's own token; ephemeral ones do not exist here."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from sandbox.discord.errors import (
    dms_closed,
    invalid_form,
    missing_access,
    missing_permissions,
    not_its_author,
    unknown_message,
)
from sandbox.discord.front import Answer, Call, Route, to_id
from sandbox.discord.messages import Message
from sandbox.discord.permissions import Permission, may_write
from sandbox.discord.places import Channel, JsonObject
from sandbox.discord.posting import before
from sandbox.discord.routes_places import visible_channel
from sandbox.discord.rules import (
    FILE_LIMIT,
    REQUEST_LIMIT,
    check_edit,
    check_message,
    check_uploads,
)
from sandbox.discord.rules import (
    Route as MessageRoute,
)
from sandbox.discord.wire import is_readable, message_json

_NONCE_MS: Final = 5 * 60 * 1000
"""How long Discord recognises a nonce ("a few minutes")."""
_MOST: Final = 100
_REFRESHED: Final = 50


def routes() -> list[Route]:
    """Return these routes."""
    messages = "/channels/{channel_id}/messages"
    return [
        Route("GET", messages, _history),
        Route("POST", messages, _create),
        Route("GET", f"{messages}/{{message_id}}", _get),
        Route("PATCH", f"{messages}/{{message_id}}", _edit),
        Route("DELETE", f"{messages}/{{message_id}}", _delete),
        Route("POST", "/attachments/refresh-urls", _refresh),
    ]


def check_sizes(call: Call, channel: Channel) -> None:
    """Refuse files that are too big for a channel (413, code 40005)."""
    guild = call.core.world.guild_of(channel)
    file_limit = upload_limit(guild.upload_limit if guild is not None else 0)
    check_uploads(
        call.body.uploads,
        file_limit=file_limit,
        request_size=call.body.size,
        request_limit=max(REQUEST_LIMIT, file_limit + 1024 * 1024),
    )


def upload_limit(of_guild: int) -> int:
    """Return the bytes that one file may have, given what the guild's boosts allow (0 in DMs)."""
    return max(FILE_LIMIT, of_guild)


def _history(call: Call) -> Answer:
    world = call.core.world
    channel = visible_channel(call)
    if not world.permissions(world.bot, channel) & Permission.READ_MESSAGE_HISTORY:
        return []
    limit = _number(call, "limit", 50)
    if not 1 <= limit <= _MOST:
        raise invalid_form("limit", "NUMBER_TYPE_MAX", f"int value should be 1 to {_MOST}.")
    visible = [m for m in world.history[channel.id] if m.ephemeral_to is None]
    found = _window(visible, call, limit)
    newest_first = sorted(found, key=lambda message: message.id, reverse=True)
    return [_as_told(call, message) for message in newest_first]


def _as_told(call: Call, message: Message) -> JsonObject:
    """Write a message as the bot may read it on its own."""
    world = call.core.world
    readable = is_readable(world, message, intents=world.application.privileged_intents)
    return message_json(world, message, readable=readable)


def _window(messages: list[Message], call: Call, limit: int) -> Iterable[Message]:
    if "before" in call.query:
        return [m for m in messages if m.id < _number(call, "before", 0)][-limit:]
    if "after" in call.query:
        return [m for m in messages if m.id > _number(call, "after", 0)][:limit]
    if "around" in call.query:
        middle, half = _number(call, "around", 0), limit // 2
        older = [m for m in messages if m.id < middle][-half:]
        newer = [m for m in messages if m.id >= middle][: limit - half]
        return older + newer
    return messages[-limit:]


def _number(call: Call, name: str, default: int) -> int:
    return to_id(call.query[name]) if name in call.query else default


def _create(call: Call) -> Answer:
    core, world = call.core, call.core.world
    channel = visible_channel(call)
    permissions = world.permissions(world.bot, channel)
    if not may_write(permissions, channel):
        raise missing_permissions()
    if call.body.uploads and not permissions & Permission.ATTACH_FILES:
        raise missing_permissions()
    if channel.recipient_id is not None and not _writable(call, channel):
        raise dms_closed()
    check_sizes(call, channel)
    checked = check_message(
        call.body.payload, route=MessageRoute.CHANNEL, uploads=call.body.uploads
    )
    if checked.reference_id is not None:
        target = world.message(channel.id, checked.reference_id)
        if target is None or target.ephemeral_to is not None:
            raise invalid_form("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
    if checked.enforce_nonce and checked.nonce is not None:
        same = _with_nonce(call, channel, checked.nonce)
        if same is not None:
            return message_json(world, same)
    if not permissions & Permission.EMBED_LINKS:
        checked = replace(checked, embeds=[])
    message = core.post.new(channel, world.bot, checked, call.body)
    return message_json(world, message)


def _writable(call: Call, channel: Channel) -> bool:
    """Tell whether the bot may write to a person: they let it, and have it or share a guild.

    That having it in one's account is enough is assumed: the documentation does not say.
    """
    world = call.core.world
    user = world.users[channel.recipient_id or 0]
    shared = any(
        user.id in guild.members and world.bot_is_in(guild) for guild in world.guilds.values()
    )
    return user.dms_open and (shared or user.has_installed)


def _with_nonce(call: Call, channel: Channel, nonce: str | int) -> Message | None:
    world = call.core.world
    oldest = world.clock.now_ms() - _NONCE_MS
    for message in reversed(world.history[channel.id]):
        if message.created_ms < oldest:
            return None
        if message.author is world.bot and str(message.nonce) == str(nonce):
            return message
    return None


def _found(call: Call, channel: Channel) -> Message:
    message = call.core.world.message(channel.id, call.id("message_id"))
    if message is None or message.ephemeral_to is not None:
        raise unknown_message()
    return message


def _get(call: Call) -> Answer:
    world = call.core.world
    channel = visible_channel(call)
    if not world.permissions(world.bot, channel) & Permission.READ_MESSAGE_HISTORY:
        raise missing_access()
    return _as_told(call, _found(call, channel))


def _edit(call: Call) -> Answer:
    core, world = call.core, call.core.world
    channel = visible_channel(call)
    message = _found(call, channel)
    if message.author is not world.bot:
        raise not_its_author()
    check_sizes(call, channel)
    checked = check_edit(
        call.body.payload,
        route=MessageRoute.CHANNEL,
        before=before(message),
        uploads=call.body.uploads,
    )
    core.post.edit(message, checked, call.body)
    core.desk.message_changed(message)
    return message_json(world, message)


def _delete(call: Call) -> Answer:
    core, world = call.core, call.core.world
    channel = visible_channel(call)
    message = _found(call, channel)
    if message.author is not world.bot:
        bits = world.permissions(world.bot, channel)
        if channel.recipient_id is not None or not bits & Permission.MANAGE_MESSAGES:
            raise missing_permissions()
    core.post.delete(message)
    core.desk.message_changed(message)
    return None


def _refresh(call: Call) -> Answer:
    """Give fresh links for old ones (`POST /attachments/refresh-urls`)."""
    urls = call.payload.get("attachment_urls")
    if not isinstance(urls, list) or not 1 <= len(urls) <= _REFRESHED:
        raise invalid_form(
            "attachment_urls", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {_REFRESHED}."
        )
    refreshed = [(str(url), call.core.cdn.refresh(str(url))) for url in urls]
    return {"refreshed_urls": [{"original": old, "refreshed": new} for old, new in refreshed]}
