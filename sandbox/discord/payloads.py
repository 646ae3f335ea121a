"""What the gateway sends about an interaction: who, where, with which rights, and what is meant.

Source: Discord's documentation, "Receiving and Responding".
"""

from collections.abc import Iterable
from typing import Final

from sandbox.discord.core import Core
from sandbox.discord.messages import Attachment, Message, walk
from sandbox.discord.permissions import OUTSIDE
from sandbox.discord.places import Channel, ChannelType, JsonObject, User
from sandbox.discord.routes_messages import upload_limit
from sandbox.discord.rules import InteractionType
from sandbox.discord.wire import (
    attachment_json,
    channel_json,
    member_json,
    message_json,
    owners,
    role_json,
    user_json,
)

_OPTION_KINDS: Final = {6: "user", 7: "channel", 8: "role", 9: "mentionable", 11: "attachment"}
_SELECT_KINDS: Final = {5: "user", 6: "role", 7: "mentionable", 8: "channel", 19: "attachment"}


def interaction_json(
    core: Core,
    *,
    interaction_id: int,
    token: str,
    kind: InteractionType,
    user: User,
    channel: Channel,
    data: JsonObject,
    source: Message | None = None,
    authorized_by: int | None = None,
) -> JsonObject:
    """Return the `d` of INTERACTION_CREATE."""
    world = core.world
    guild = world.guild_of(channel)
    permissions = world.permissions(user, channel)
    shown = channel_json(world, channel)
    shown["permissions"] = str(permissions)
    of_app = world.permissions(world.bot, channel) if world.bot_is_part_of(channel) else OUTSIDE
    payload: JsonObject = {
        "id": str(interaction_id),
        "application_id": str(world.application.id),
        "type": int(kind),
        "token": token,
        "version": 1,
        "data": data,
        "channel_id": str(channel.id),
        "channel": shown,
        "locale": user.locale,
        "app_permissions": str(int(of_app)),
        "entitlements": [],
        "entitlement_sku_ids": [],
        "authorizing_integration_owners": owners(world, channel, authorized_by),
        "context": int(channel.context),
        "attachment_size_limit": upload_limit(guild.upload_limit if guild is not None else 0),
    }
    if guild is None:
        payload["user"] = user_json(user)
    else:
        payload["guild_id"] = str(guild.id)
        payload["guild_locale"] = guild.locale
        payload["guild"] = {"id": str(guild.id), "locale": guild.locale, "features": []}
        payload["member"] = member_json(guild.members[user.id], permissions=permissions)
    if source is not None:
        payload["message"] = message_json(world, source)
    return payload


class Resolved:
    """Collects the `resolved` data of one interaction: whole objects for every id in it."""

    def __init__(self, core: Core, channel: Channel) -> None:
        self._core = core
        self._channel = channel
        self._found: dict[str, dict[str, JsonObject]] = {}

    def options(
        self, options: Iterable[JsonObject], attachments: dict[int, Attachment]
    ) -> JsonObject:
        """Return the data for a command's options, nested ones included."""
        for option in options:
            if isinstance(option.get("options"), list):
                self.options(option["options"], attachments)
            elif option["type"] in _OPTION_KINDS:
                self.add(_OPTION_KINDS[option["type"]], str(option["value"]), attachments)
        return self._found

    def components(
        self, components: list[JsonObject], attachments: dict[int, Attachment]
    ) -> JsonObject:
        """Return the data for what was chosen in selects and file uploads."""
        for component in walk(components):
            kind = _SELECT_KINDS.get(component["type"])
            for value in component.get("values") or () if kind is not None else ():
                self.add(kind or "", str(value), attachments)
        return self._found

    def message(self, message: Message) -> JsonObject:
        """Return the data for a command on a message."""
        self._put("messages", message.id, message_json(self._core.world, message))
        return self._found

    def add(self, kind: str, value: str, attachments: dict[int, Attachment]) -> JsonObject:
        """Add what an id means; raises LookupError when it means nothing here."""
        number = int(value)
        world = self._core.world
        guild = world.guild_of(self._channel)
        roles = guild.roles if guild is not None else {}
        if kind == "attachment":
            self._put("attachments", number, attachment_json(attachments[number]))
        elif kind == "channel":
            channel = world.channels[number]
            shown = channel_json(world, channel)
            shown["permissions"] = str(world.permissions(world.bot, channel))
            if channel.type is not ChannelType.TEXT:
                shown["name"] = channel.name
            self._put("channels", number, shown)
        elif kind == "role" or (kind == "mentionable" and number in roles):
            self._put("roles", number, role_json(roles[number]))
        else:
            self._user(number)
        return self._found

    def _user(self, user_id: int) -> None:
        world = self._core.world
        guild = world.guild_of(self._channel)
        self._put("users", user_id, user_json(world.users[user_id]))
        member = None if guild is None else guild.members.get(user_id)
        if member is not None:
            permissions = world.permissions(member.user, self._channel)
            shown = member_json(member, permissions=permissions)
            del shown["user"], shown["deaf"], shown["mute"]
            self._put("members", user_id, shown)

    def _put(self, section: str, key: int, value: JsonObject) -> None:
        self._found.setdefault(section, {})[str(key)] = value
