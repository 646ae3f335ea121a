"""People and places of the local Discord, as plain data: users, roles, channels, members, guilds.

Who may do what is `permissions.py`; how they look on the wire is `wire.py`.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, TypeAlias

from sandbox.discord.rules import FILE_LIMIT
from sandbox.discord.signals import Signal

JsonObject: TypeAlias = dict[str, Any]
"""A JSON object from or for the wire; its values are what JSON has, so no narrower type is true."""

_MIB: Final = 1024 * 1024
_PAIR: Final = 2


class ChannelType(IntEnum):
    """The kinds of channel that the sandbox has."""

    TEXT = 0
    DIRECT = 1
    GROUP = 3
    THREAD = 11
    """A public thread."""


class Context(IntEnum):
    """Where an interaction happens, as Discord counts it."""

    GUILD = 0
    BOT_DM = 1
    PRIVATE = 2
    """Direct messages and groups of people, which the bot is no part of."""


@dataclass(eq=False, slots=True)
class User:
    """A person or the bot; the same in every guild."""

    id: int
    username: str
    global_name: str | None = None
    bot: bool = False
    avatar: str | None = None
    """The avatar's hash; the CDN draws a picture for whatever it is."""
    locale: str = "en-US"
    dms_open: bool = True
    """Whether the bot may write to this person; `World.close_dms` and `open_dms` change it."""
    has_installed: bool = False
    """Whether they added the application to their account; see `World.user_installs`."""
    upload_limit: int = FILE_LIMIT
    """Bytes that this person's client lets one file have (more for those who pay Discord)."""

    @property
    def name(self) -> str:
        """The name that people see."""
        return self.global_name or self.username


@dataclass(eq=False, slots=True)
class Role:
    """A guild's role; the one with the guild's own id is `@everyone`."""

    id: int
    guild_id: int
    name: str
    permissions: int = 0
    position: int = 0
    color: int = 0
    hoist: bool = False
    mentionable: bool = False
    managed: bool = False


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What a channel allows and denies to one role or member beside the guild's own bits."""

    id: int
    is_member: bool = False
    allow: int = 0
    deny: int = 0


@dataclass(eq=False, slots=True)
class Channel:
    """A guild's text channel or thread, direct messages with the bot, or a talk of people."""

    id: int
    name: str
    guild_id: int | None = None
    """None for direct messages."""
    position: int = 0
    topic: str | None = None
    nsfw: bool = False
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    """By the id of a role or a user."""
    recipient_id: int | None = None
    """The person of a direct message with the bot."""
    people: tuple[int, ...] = ()
    """The ids of those in a private talk that the bot is no part of."""
    parent_id: int | None = None
    """The channel that a thread belongs to."""
    owner_id: int | None = None
    """Who began a thread."""
    last_message_id: int | None = None
    signal: Signal = field(default_factory=Signal, repr=False)
    """Fires whenever something that people can see here changes."""

    @property
    def type(self) -> ChannelType:
        """TEXT or THREAD in guilds; else GROUP for more than two people, or DIRECT."""
        if self.guild_id is not None:
            return ChannelType.TEXT if self.parent_id is None else ChannelType.THREAD
        return ChannelType.GROUP if len(self.people) > _PAIR else ChannelType.DIRECT

    @property
    def context(self) -> Context:
        """What kind of place it is for interactions."""
        if self.guild_id is not None:
            return Context.GUILD
        return Context.PRIVATE if self.people else Context.BOT_DM


@dataclass(eq=False, slots=True)
class Member:
    """A user in a guild."""

    user: User
    guild_id: int
    role_ids: list[int] = field(default_factory=list)
    """Without `@everyone`."""
    nick: str | None = None
    joined_ms: int = 0

    @property
    def name(self) -> str:
        """The name that people see in this guild."""
        return self.nick or self.user.name


@dataclass(eq=False, slots=True)
class Guild:
    """A server."""

    id: int
    name: str
    owner_id: int
    roles: dict[int, Role] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    threads: dict[int, Channel] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    """By user id."""
    icon: str | None = None
    premium_tier: int = 0
    locale: str = "en-US"
    bot_joined_ms: int = 0
    is_down: bool = False
    """Discord has an outage that concerns it."""

    @property
    def upload_limit(self) -> int:
        """Bytes that one attachment may have here; boosts raise it."""
        return {2: 50 * _MIB, 3: 100 * _MIB}.get(self.premium_tier, FILE_LIMIT)


@dataclass(eq=False, slots=True)
class Application:
    """The one application that the local Discord knows."""

    id: int
    name: str
    bot: User
    owner: User
    description: str = ""
    team: list[User] = field(default_factory=list)
    """Members of the owning team; empty when `owner` owns it alone."""
    public: bool = False
    user_installs: bool = True
    """Whether people may add it to their account (a setting of the developer portal)."""
    privileged_intents: int = 0
    """Gateway bits of the privileged intents that were switched on for it."""
    privacy_policy_url: str | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A registered command, as a client lists it."""

    id: int
    name: str
    guild_id: int | None
    """None for global commands."""
    data: JsonObject
    """The command as Discord's API returns it."""

    @property
    def type(self) -> int:
        """1 slash, 2 on a user, 3 on a message."""
        return int(self.data["type"])

    @property
    def description(self) -> str:
        """What the client shows beside the name."""
        return str(self.data["description"])

    @property
    def options(self) -> list[JsonObject]:
        """The options, or subcommands, as Discord's API returns them."""
        return list(self.data.get("options") or [])
