"""Permission bits, and what a member may do in a channel.

Only the bits that the sandbox decides by have names.
Source: Discord's documentation, "Permissions".
"""

from enum import IntFlag
from typing import Final

from sandbox.discord.places import Channel, Guild, Member


class Permission(IntFlag):
    """The permissions that the local Discord looks at."""

    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_APPLICATION_COMMANDS = 1 << 31
    SEND_MESSAGES_IN_THREADS = 1 << 38
    USE_EXTERNAL_APPS = 1 << 50


ALL_PERMISSIONS: Final = (1 << 53) - 1
"""What an administrator and a guild's owner have."""

EVERYBODY: Final = (
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.USE_EXTERNAL_APPS
)
"""What `@everyone` has in a guild of the default world."""

INVITED: Final = (
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.ATTACH_FILES
)
"""What the bot's own role has, unless told otherwise: no more than its invite link asks for."""

IN_DIRECT_MESSAGES: Final = EVERYBODY
"""What both sides may do in a direct message."""

OUTSIDE: Final = Permission.ATTACH_FILES | Permission.EMBED_LINKS | Permission.MENTION_EVERYONE
"""What `app_permissions` says where the bot is no member and somebody brought it along."""


def guild_permissions(guild: Guild, member: Member) -> int:
    """Return the bits that `member` has before a channel's overwrites count."""
    if guild.owner_id == member.user.id:
        return ALL_PERMISSIONS
    bits = guild.roles[guild.id].permissions
    for role_id in member.role_ids:
        bits |= guild.roles[role_id].permissions
    return ALL_PERMISSIONS if bits & Permission.ADMINISTRATOR else bits


def channel_permissions(guild: Guild, member: Member, channel: Channel) -> int:
    """Return the bits that `member` has in `channel`: `@everyone`, then roles, then the member.

    A thread has those of its channel.
    """
    bits = guild_permissions(guild, member)
    if bits & Permission.ADMINISTRATOR:
        return bits
    if channel.parent_id is not None:
        channel = guild.channels[channel.parent_id]
    everyone = channel.overwrites.get(guild.id)
    if everyone is not None:
        bits = (bits & ~everyone.deny) | everyone.allow
    of_roles = [channel.overwrites[role] for role in member.role_ids if role in channel.overwrites]
    for overwrite in of_roles:
        bits &= ~overwrite.deny
    for overwrite in of_roles:
        bits |= overwrite.allow
    own = channel.overwrites.get(member.user.id)
    if own is not None:
        bits = (bits & ~own.deny) | own.allow
    return bits if bits & Permission.VIEW_CHANNEL else 0


def may_write(permissions: int, channel: Channel) -> bool:
    """Tell whether these bits, as they are in `channel`, let somebody write there."""
    in_thread = channel.parent_id is not None
    needed = Permission.SEND_MESSAGES_IN_THREADS if in_thread else Permission.SEND_MESSAGES
    return bool(permissions & needed)
