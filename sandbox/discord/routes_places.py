"""Routes about guilds and channels as places: what exists, who is there, leaving."""

from sandbox.discord.errors import (
    dms_closed,
    missing_access,
    unknown_channel,
    unknown_guild,
    unknown_member,
    unknown_role,
    unknown_user,
)
from sandbox.discord.events import EventKind, WorldEvent
from sandbox.discord.front import Answer, Call, Route, to_id
from sandbox.discord.permissions import Permission
from sandbox.discord.places import Channel, Guild
from sandbox.discord.wire import channel_json, guild_json, member_json, role_json


def routes() -> list[Route]:
    """Return these routes."""
    return [
        Route("GET", "/users/@me/guilds", _own_guilds),
        Route("DELETE", "/users/@me/guilds/{guild_id}", _leave),
        Route("POST", "/users/@me/channels", _open_direct),
        Route("GET", "/guilds/{guild_id}", _guild),
        Route("GET", "/guilds/{guild_id}/channels", _channels),
        Route("GET", "/guilds/{guild_id}/roles", _roles),
        Route("GET", "/guilds/{guild_id}/roles/{role_id}", _role),
        Route("GET", "/guilds/{guild_id}/members/{user_id}", _member),
        Route("GET", "/channels/{channel_id}", _channel),
        Route("POST", "/channels/{channel_id}/typing", _typing),
    ]


def visible_channel(call: Call) -> Channel:
    """Return the channel of a request; raises unless the bot sees it."""
    world = call.core.world
    channel = world.channels.get(call.id("channel_id"))
    if channel is None:
        raise unknown_channel()
    if not world.permissions(world.bot, channel) & Permission.VIEW_CHANNEL:
        raise missing_access()
    return channel


def _known_guild(call: Call) -> Guild:
    guild = call.core.world.guilds.get(call.id("guild_id"))
    if guild is None or not call.core.world.bot_is_in(guild):
        raise unknown_guild()
    return guild


def _own_guilds(call: Call) -> Answer:
    world = call.core.world
    return [
        {
            "id": str(guild.id),
            "name": guild.name,
            "icon": guild.icon,
            "banner": None,
            "owner": False,
            "permissions": "0",
            "features": [],
        }
        for guild in world.guilds.values()
        if world.bot_is_in(guild)
    ]


def _leave(call: Call) -> Answer:
    call.core.world.bot_leaves(_known_guild(call))
    return None


def _open_direct(call: Call) -> Answer:
    world = call.core.world
    user = world.users.get(to_id(call.payload.get("recipient_id")))
    if user is None:
        raise unknown_user()
    if user.bot:
        raise dms_closed()
    return channel_json(world, world.direct_channel(user))


def _guild(call: Call) -> Answer:
    guild = _known_guild(call)
    result = guild_json(guild)
    if call.query.get("with_counts") in ("1", "true"):
        result["approximate_member_count"] = len(guild.members)
        result["approximate_presence_count"] = len(guild.members)
    return result


def _channels(call: Call) -> Answer:
    world = call.core.world
    return [channel_json(world, channel) for channel in _known_guild(call).channels.values()]


def _roles(call: Call) -> Answer:
    return [role_json(role) for role in _known_guild(call).roles.values()]


def _role(call: Call) -> Answer:
    role = _known_guild(call).roles.get(call.id("role_id"))
    if role is None:
        raise unknown_role()
    return role_json(role)


def _member(call: Call) -> Answer:
    member = _known_guild(call).members.get(call.id("user_id"))
    if member is None:
        raise unknown_member()
    return member_json(member)


def _channel(call: Call) -> Answer:
    return channel_json(call.core.world, visible_channel(call))


def _typing(call: Call) -> Answer:
    world = call.core.world
    channel = visible_channel(call)
    world.bulletin.emit(
        WorldEvent(EventKind.TYPING, channel.id, channel.guild_id, user_id=world.bot.id)
    )
    return None
