"""The state of the local Discord: people, places, messages and registered commands.

It says who is where and what was written, and tells watchers about every change. What the bot may
do is decided in front of it (`routes_*.py`), what people may do in `people.py`.
"""

from asyncio import Queue
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from bot.clock import Clock
from sandbox.discord.events import Bulletin, EventKind, WorldEvent
from sandbox.discord.messages import Message, Sticker, StickerFormat
from sandbox.discord.permissions import (
    EVERYBODY,
    IN_DIRECT_MESSAGES,
    INVITED,
    Permission,
    channel_permissions,
    guild_permissions,
)
from sandbox.discord.places import (
    Application,
    Channel,
    Command,
    Guild,
    JsonObject,
    Member,
    Overwrite,
    Role,
    User,
)
from sandbox.discord.snowflakes import Snowflakes

_Named = TypeVar("_Named", User, Guild, Channel, Role)


class World:
    """Everything that exists in one sandbox."""

    def __init__(self, clock: Clock, *, application: Application | None = None) -> None:
        self.clock = clock
        self.snowflakes = Snowflakes(clock)
        self.bulletin = Bulletin()
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        """All guilds, those that the bot has left too; see `bot_is_in`."""
        self.channels: dict[int, Channel] = {}
        """Of all guilds, and the direct messages."""
        self.history: dict[int, list[Message]] = {}
        """By channel, oldest first, ephemeral messages included, deleted ones not."""
        self.commands: dict[int | None, dict[int, JsonObject]] = {None: {}}
        """Registered commands by guild (None: global) and id."""
        self.stickers: dict[int, Sticker] = {}
        self.shown_commands: set[tuple[str, int]] = set()
        """Names of commands and ids of roles: see `show_command`."""
        self.application = application or self._new_application()
        for user in (self.application.bot, self.application.owner, *self.application.team):
            self.users[user.id] = user

    def _new_application(self) -> Application:
        bot = User(self.snowflakes.make(), "easel", "Easel", bot=True, avatar="a" * 32)
        owner = User(self.snowflakes.make(), "oskar", "Oskar", avatar="b" * 32)
        return Application(bot.id, "Easel", bot, owner, description="Pictures on demand.")

    @property
    def bot(self) -> User:
        """The application's bot user."""
        return self.application.bot

    # Looking things up

    def user(self, username: str) -> User:
        """Return the user of that username (LookupError with the known names)."""
        return _only(self.users.values(), "username", username)

    def guild(self, name: str) -> Guild:
        """Return the guild of that name (LookupError with the known names)."""
        return _only(self.guilds.values(), "name", name)

    def channel(self, guild: Guild, name: str) -> Channel:
        """Return the guild's channel or thread of that name (LookupError with the known names)."""
        return _only([*guild.threads.values(), *guild.channels.values()], "name", name)

    def role(self, guild: Guild, name: str) -> Role:
        """Return the guild's role of that name (LookupError with the known names)."""
        return _only(guild.roles.values(), "name", name)

    def direct_channel(self, user: User) -> Channel:
        """Return the direct messages between the bot and `user`, made when there are none yet."""
        for channel in self.channels.values():
            if channel.recipient_id == user.id:
                return channel
        channel = Channel(self.snowflakes.make(), user.username, recipient_id=user.id)
        self.channels[channel.id] = channel
        self.history[channel.id] = []
        return channel

    def private_talk(self, *people: User) -> Channel:
        """Make direct messages of two people, or a group of more; the bot is no part of it."""
        name = ", ".join(person.username for person in people)
        channel = Channel(self.snowflakes.make(), name, people=tuple(p.id for p in people))
        self.channels[channel.id] = channel
        self.history[channel.id] = []
        return channel

    def guild_of(self, channel: Channel) -> Guild | None:
        """Return the guild of a channel; None for direct messages."""
        return None if channel.guild_id is None else self.guilds[channel.guild_id]

    def bot_is_in(self, guild: Guild) -> bool:
        """Tell whether the bot is a member of `guild`."""
        return self.bot.id in guild.members

    def bot_is_part_of(self, channel: Channel) -> bool:
        """Tell whether the bot is where a channel is; else only interactions lead there."""
        guild = self.guild_of(channel)
        return not channel.people if guild is None else self.bot_is_in(guild)

    def permissions(self, user: User, channel: Channel) -> int:
        """Return the permission bits of `user` in `channel`; 0 for strangers."""
        guild = self.guild_of(channel)
        if guild is None:
            inside = user.id in (channel.people or (channel.recipient_id, self.bot.id))
            return int(IN_DIRECT_MESSAGES) if inside else 0
        member = guild.members.get(user.id)
        return 0 if member is None else channel_permissions(guild, member, channel)

    def is_administrator(self, guild: Guild, user: User) -> bool:
        """Tell whether `user` may do everything in `guild`."""
        member = guild.members.get(user.id)
        if member is None:
            return False
        return bool(guild_permissions(guild, member) & Permission.ADMINISTRATOR)

    def message(self, channel_id: int, message_id: int) -> Message | None:
        """Return a message that is not deleted, ephemeral ones too."""
        for message in reversed(self.history.get(channel_id, [])):
            if message.id == message_id:
                return message
        return None

    def subscribe(self) -> AbstractAsyncContextManager[Queue[WorldEvent]]:
        """Yield a queue that receives every event while the `async with` block runs."""
        return self.bulletin.subscribe()

    # Building

    def add_user(self, username: str, global_name: str | None = None, *, bot: bool = False) -> User:
        """Add a person, or the `bot` of another application."""
        avatar = f"{len(self.users):032x}"
        user = User(self.snowflakes.make(), username, global_name, bot=bot, avatar=avatar)
        self.users[user.id] = user
        return user

    def add_guild(self, name: str, owner: User, *, premium_tier: int = 0) -> Guild:
        """Add a guild with its owner as only member; the bot is not in it yet."""
        guild = Guild(self.snowflakes.make(), name, owner.id, premium_tier=premium_tier)
        guild.icon = f"{guild.id:032x}"
        guild.roles[guild.id] = Role(guild.id, guild.id, "@everyone", int(EVERYBODY))
        self.guilds[guild.id] = guild
        self.add_member(guild, owner)
        return guild

    def add_role(
        self,
        guild: Guild,
        name: str,
        *,
        permissions: int = 0,
        color: int = 0,
        managed: bool = False,
    ) -> Role:
        """Add a role above the others."""
        role = Role(
            self.snowflakes.make(),
            guild.id,
            name,
            permissions,
            position=len(guild.roles),
            color=color,
            managed=managed,
        )
        guild.roles[role.id] = role
        self._guild_changed(guild, role, "created")
        return role

    def add_channel(self, guild: Guild, name: str, *, topic: str | None = None) -> Channel:
        """Add a text channel below the others."""
        channel = Channel(
            self.snowflakes.make(), name, guild.id, position=len(guild.channels), topic=topic
        )
        guild.channels[channel.id] = channel
        self.channels[channel.id] = channel
        self.history[channel.id] = []
        self._guild_changed(guild, channel, "created")
        return channel

    def add_thread(self, channel: Channel, name: str, owner: User) -> Channel:
        """Begin a public thread in a guild's channel."""
        guild = self.guild_of(channel)
        if guild is None or channel.parent_id is not None:
            raise ValueError("threads are begun in the channels of guilds")
        thread = Channel(
            self.snowflakes.make(), name, guild.id, parent_id=channel.id, owner_id=owner.id
        )
        guild.threads[thread.id] = thread
        self.channels[thread.id] = thread
        self.history[thread.id] = []
        self._guild_changed(guild, thread, "created")
        return thread

    def add_sticker(
        self, name: str, data: bytes, kind: StickerFormat = StickerFormat.PNG
    ) -> Sticker:
        """Make a sticker that everybody may use; `data` is the file of its animation or still."""
        sticker = Sticker(self.snowflakes.make(), name, kind, data)
        self.stickers[sticker.id] = sticker
        return sticker

    def add_member(self, guild: Guild, user: User, *, roles: Iterable[Role] = ()) -> Member:
        """Let a user into a guild."""
        member = Member(user, guild.id, [role.id for role in roles], joined_ms=self.clock.now_ms())
        guild.members[user.id] = member
        self._guild_changed(guild, member, "created")
        return member

    # Changing

    def set_roles(self, guild: Guild, user: User, roles: Iterable[Role]) -> None:
        """Give a member exactly these roles."""
        guild.members[user.id].role_ids = [role.id for role in roles]
        self._guild_changed(guild, guild.members[user.id], "updated")

    def set_overwrite(
        self, channel: Channel, whom: Role | User, *, allow: int = 0, deny: int = 0
    ) -> None:
        """Allow and deny permission bits to a role or a user in one channel."""
        channel.overwrites[whom.id] = Overwrite(whom.id, isinstance(whom, User), allow, deny)
        guild = self.guild_of(channel)
        if guild is not None:
            self._guild_changed(guild, channel, "updated")

    def age_restrict(self, channel: Channel, *, on: bool = True) -> None:
        """Let only adults into a guild's channel and its threads, or everybody again."""
        channel.nsfw = on
        guild = self.guild_of(channel)
        if guild is not None:
            self._guild_changed(guild, channel, "updated")

    def set_role_permissions(self, role: Role, permissions: int) -> None:
        """Give a role exactly these permission bits in its guild."""
        role.permissions = permissions
        self._guild_changed(self.guilds[role.guild_id], role, "updated")

    def remove_channel(self, channel: Channel) -> None:
        """Delete a guild's channel with everything in it and its threads, or a thread."""
        guild = self.guild_of(channel)
        if guild is None:
            raise ValueError("direct messages cannot be deleted")
        for thread in [t for t in guild.threads.values() if t.parent_id == channel.id]:
            self.remove_channel(thread)
        del (guild.channels if channel.parent_id is None else guild.threads)[channel.id]
        del self.channels[channel.id]
        del self.history[channel.id]
        self._guild_changed(guild, channel, "removed")

    def remove_member(self, guild: Guild, user: User) -> None:
        """Let a person leave a guild; for the bot, see `bot_leaves`."""
        self._guild_changed(guild, guild.members.pop(user.id), "removed")

    def close_dms(self, user: User) -> None:
        """From now on the bot may not write to `user` (50007)."""
        user.dms_open = False

    def open_dms(self, user: User) -> None:
        """Undo `close_dms`."""
        user.dms_open = True

    def user_installs(self, user: User) -> None:
        """Let a person add the application to their account, to use it wherever they are."""
        if not self.application.user_installs:
            raise ValueError("the application can't be added to an account")
        user.has_installed = True
        self.commands_changed(None, user=user)

    def user_uninstalls(self, user: User) -> None:
        """Undo `user_installs`."""
        user.has_installed = False
        self.commands_changed(None, user=user)

    def bot_joins(self, guild: Guild, *, permissions: int | None = None) -> None:
        """Invite the bot; `permissions` are those of its own role (default: `INVITED`)."""
        if self.bot_is_in(guild):
            return
        bits = int(INVITED) if permissions is None else permissions
        role = self.add_role(guild, self.application.name, permissions=bits, managed=True)
        guild.bot_joined_ms = self.clock.now_ms()
        self.add_member(guild, self.bot, roles=[role])
        self.bulletin.emit(WorldEvent(EventKind.GUILD_JOINED, guild_id=guild.id))

    def bot_leaves(self, guild: Guild) -> None:
        """Kick the bot (or let it leave); its own role and the guild's commands go with it."""
        if not self.bot_is_in(guild):
            return
        for role_id in guild.members.pop(self.bot.id).role_ids:
            if guild.roles[role_id].managed:
                del guild.roles[role_id]
        self.commands.pop(guild.id, None)
        self.bulletin.emit(WorldEvent(EventKind.GUILD_LEFT, guild_id=guild.id))

    def guild_outage(self, guild: Guild) -> None:
        """Let an outage of Discord's concern a guild: nobody can use it, and its events stop."""
        guild.is_down = True
        self.bulletin.emit(WorldEvent(EventKind.GUILD_DOWN, guild_id=guild.id))

    def guild_recovers(self, guild: Guild) -> None:
        """Undo `guild_outage`."""
        guild.is_down = False
        self.bulletin.emit(WorldEvent(EventKind.GUILD_UP, guild_id=guild.id))

    def notice(self, channel: Channel, user: User, text: str) -> None:
        """Show one person a line that only their client makes."""
        self.bulletin.emit(
            WorldEvent(EventKind.NOTICE, channel.id, channel.guild_id, user_id=user.id, text=text)
        )

    # Commands

    def command_list(self, guild: Guild | None) -> list[Command]:
        """Return the commands that exist in a guild (its own and the global ones) or in DMs."""
        scopes: list[int | None] = [None] if guild is None else [guild.id, None]
        return [
            Command(command_id, str(data["name"]), scope, data)
            for scope in scopes
            for command_id, data in self.commands.get(scope, {}).items()
        ]

    def show_command(self, guild: Guild, name: str, role: Role) -> None:
        """Let a role use a command that its `default_member_permissions` keep from it.

        What an admin does under "Server Settings, Integrations".
        """
        self.shown_commands.add((name, role.id))
        self.commands_changed(guild.id)

    def commands_changed(self, guild_id: int | None, *, user: User | None = None) -> None:
        """Tell watchers that a scope's commands are new, or those in the account of `user`."""
        user_id = None if user is None else user.id
        event = WorldEvent(EventKind.COMMANDS_CHANGED, guild_id=guild_id, user_id=user_id)
        self.bulletin.emit(event)

    # Messages

    def message_changed(self, kind: EventKind, message: Message) -> None:
        """Keep the history in order with what happened to `message`, and tell watchers."""
        channel = self.channels[message.channel_id]
        history = self.history[channel.id]
        if kind is EventKind.MESSAGE_CREATED:
            history.append(message)
            if message.ephemeral_to is None:
                channel.last_message_id = message.id
        elif kind is EventKind.MESSAGE_DELETED:
            message.deleted = True
            if message in history:
                history.remove(message)
        channel.signal.fire()
        self.bulletin.emit(
            WorldEvent(
                kind,
                channel.id,
                channel.guild_id,
                user_id=message.ephemeral_to,
                message=message,
                interaction_id=message.interaction_id,
            )
        )

    def _guild_changed(self, guild: Guild, subject: Role | Channel | Member, how: str) -> None:
        self.bulletin.emit(
            WorldEvent(EventKind.GUILD_CHANGED, guild_id=guild.id, text=how, subject=subject)
        )


def _only(things: Iterable[_Named], attribute: str, wanted: str) -> _Named:
    known = {str(getattr(thing, attribute)): thing for thing in things}
    if wanted not in known:
        raise LookupError(f"no {attribute} {wanted!r} here; there are {sorted(known)}")
    return known[wanted]
