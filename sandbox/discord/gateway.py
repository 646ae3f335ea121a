"""The gateway: which sessions exist, and who of them hears of what.

A session outlives its connection, so that it can be resumed. The socket side of it is
`connection.py`. Source: Discord's documentation, "Gateway".
"""

import secrets
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sandbox.discord.events import EventKind, WorldEvent
from sandbox.discord.interactions import Interaction
from sandbox.discord.messages import Message
from sandbox.discord.places import Channel, Guild, JsonObject, Member, Role
from sandbox.discord.signals import Signal
from sandbox.discord.wire import (
    MESSAGE_CONTENT,
    channel_json,
    guild_create_json,
    is_readable,
    member_json,
    message_json,
    own_user_json,
    role_json,
)
from sandbox.discord.world import World

if TYPE_CHECKING:
    from sandbox.discord.connection import Connection

_REPLAYED: Final = 2_000
"""Events that a session remembers for a resume."""
_RESUMABLE_S: Final = 180.0
"""Seconds that a session without a connection can still be resumed."""
_ENDS_SESSION: Final = frozenset({4007, 4009})
"""Close codes after which Discord wants a new session."""

GUILDS: Final = 1 << 0
GUILD_MEMBERS: Final = 1 << 1
GUILD_PRESENCES: Final = 1 << 8
GUILD_MESSAGES: Final = 1 << 9
DIRECT_MESSAGES: Final = 1 << 12
PRIVILEGED: Final = GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT

_NAMES: Final = {
    (Role, "created"): "GUILD_ROLE_CREATE",
    (Role, "updated"): "GUILD_ROLE_UPDATE",
    (Channel, "created"): "CHANNEL_CREATE",
    (Channel, "updated"): "CHANNEL_UPDATE",
    (Channel, "removed"): "CHANNEL_DELETE",
    (Member, "created"): "GUILD_MEMBER_ADD",
    (Member, "updated"): "GUILD_MEMBER_UPDATE",
    (Member, "removed"): "GUILD_MEMBER_REMOVE",
}


@dataclass(eq=False, slots=True)
class Session:
    """One session of the bot."""

    id: str
    shard: tuple[int, int]
    """Which shard, of how many."""
    intents: int
    sequence: int = 0
    sent: deque[JsonObject] = field(default_factory=lambda: deque(maxlen=_REPLAYED))
    connection: "Connection | None" = None
    lost_at: float = 0.0
    """When it lost its connection (monotonic seconds)."""

    def covers(self, guild_id: int | None) -> bool:
        """Tell whether events of a guild (None: direct messages) come to this shard."""
        number, count = self.shard
        return number == (0 if guild_id is None else (guild_id >> 22) % count)

    def dispatch(self, event: str, data: JsonObject) -> None:
        """Send an event now, or on resume."""
        self.sequence += 1
        payload: JsonObject = {"op": 0, "t": event, "s": self.sequence, "d": data}
        self.sent.append(payload)
        if self.connection is not None:
            self.connection.send(payload)


class Gateway:
    """All sessions and connections of the bot."""

    def __init__(self, world: World, *, token: str) -> None:
        self._world = world
        self._sessions: dict[str, Session] = {}
        self._connections: set[Connection] = set()
        self._stop_listening = world.bulletin.listen(self._on_event)
        self._signal = Signal()
        self.token = token
        self.url = ""
        """`ws://127.0.0.1:PORT/gateway`, once the server listens."""
        self.heartbeat_interval_ms = 41_250
        """How often a client has to send a heartbeat; one that is silent for longer is cut off."""

    @property
    def world(self) -> World:
        """The world that the gateway tells of."""
        return self._world

    @property
    def online(self) -> bool:
        """Whether the bot has a session with a living connection."""
        return any(session.connection is not None for session in self._sessions.values())

    async def wait_until_online(self, timeout: float) -> None:
        """Wait for a session that is ready (TimeoutError)."""
        await self._signal.until(
            lambda: True if self.online else None,
            timeout=timeout,
            complain=lambda: f"no bot came online within {timeout} s",
        )

    async def wait_until_offline(self, timeout: float) -> None:
        """Wait until no session has a connection (TimeoutError)."""
        await self._signal.until(
            lambda: None if self.online else True,
            timeout=timeout,
            complain=lambda: f"a bot was still online after {timeout} s",
        )

    # Connections

    def opened(self, connection: "Connection") -> None:
        """Remember a connection."""
        self._connections.add(connection)

    def closed(self, connection: "Connection", *, resumable: bool) -> None:
        """Forget a connection; its session waits for a resume unless the client said goodbye."""
        self._connections.discard(connection)
        session = connection.session
        if session is None or session.connection is not connection:
            return
        session.connection = None
        session.lost_at = time.monotonic()
        if not resumable:
            self._sessions.pop(session.id, None)
        if not self.online:
            self._signal.fire()
            self._world.bulletin.emit(WorldEvent(EventKind.BOT_OFFLINE))

    def close_all(self, code: int) -> None:
        """Close every connection with a code; some codes end the session as well."""
        for connection in tuple(self._connections):
            if code in _ENDS_SESSION and connection.session is not None:
                self._sessions.pop(connection.session.id, None)
            connection.close(code)

    def drop_all(self) -> None:
        """Cut every connection without a word."""
        for connection in tuple(self._connections):
            connection.drop()

    def ask_all_to_reconnect(self) -> None:
        """Send RECONNECT (op 7) on every connection."""
        for connection in tuple(self._connections):
            connection.send({"op": 7, "d": None})

    def close(self) -> None:
        """Let go of the world."""
        self._stop_listening()

    # Sessions

    def identify(self, connection: "Connection", *, shard: tuple[int, int], intents: int) -> None:
        """Begin a session: READY, then the guilds of its shard."""
        self._forget_lost()
        session = Session(secrets.token_hex(16), shard, intents, connection=connection)
        connection.session = session
        self._sessions[session.id] = session
        world = self._world
        guilds = [g for g in world.guilds.values() if world.bot_is_in(g) and session.covers(g.id)]
        session.dispatch(
            "READY",
            {
                "v": 10,
                "user": own_user_json(world.application),
                "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
                "session_id": session.id,
                "session_type": "normal",
                "resume_gateway_url": self.url,
                "shard": list(shard),
                "application": {"id": str(world.application.id), "flags": 0},
                "private_channels": [],
                "relationships": [],
                "presences": [],
                "geo_ordered_rtc_regions": [],
            },
        )
        for guild in guilds:
            if not guild.is_down:
                session.dispatch("GUILD_CREATE", guild_create_json(world, guild))
        self._came_online()

    def resume(self, connection: "Connection", session_id: str, sequence: int) -> bool | int:
        """Go on with a session: replay what was missed, then RESUMED.

        Returns False when it cannot be resumed, a close code when `sequence` is impossible.
        """
        self._forget_lost()
        session = self._sessions.get(session_id)
        if session is None:
            return False
        if sequence > session.sequence:
            return 4007
        if session.sequence - sequence > len(session.sent):
            return False
        if session.connection is not None:
            session.connection.close(4000)
        missed = [payload for payload in session.sent if payload["s"] > sequence]
        session.connection = connection
        connection.session = session
        for payload in missed:
            connection.send(payload)
        session.dispatch("RESUMED", {"_trace": ["sandbox"]})
        self._came_online()
        return True

    def _came_online(self) -> None:
        self._signal.fire()
        self._world.bulletin.emit(WorldEvent(EventKind.BOT_ONLINE))

    def _forget_lost(self) -> None:
        now = time.monotonic()
        for session in tuple(self._sessions.values()):
            if session.connection is None and now - session.lost_at > _RESUMABLE_S:
                del self._sessions[session.id]

    # Events

    def send_interaction(self, interaction: Interaction) -> None:
        """Send INTERACTION_CREATE; it needs no intent."""
        self._dispatch("INTERACTION_CREATE", interaction.payload, interaction.channel.guild_id)

    def _dispatch(
        self, event: str, data: JsonObject, guild_id: int | None, *, intent: int = 0
    ) -> None:
        for session in tuple(self._sessions.values()):
            if session.covers(guild_id) and (not intent or session.intents & intent):
                session.dispatch(event, data)

    def _on_event(self, event: WorldEvent) -> None:
        if event.kind is EventKind.MESSAGE_CREATED:
            self._message_event("MESSAGE_CREATE", event)
        elif event.kind is EventKind.MESSAGE_UPDATED:
            self._message_event("MESSAGE_UPDATE", event)
        elif event.kind is EventKind.MESSAGE_DELETED:
            self._message_event("MESSAGE_DELETE", event)
        elif event.kind is EventKind.GUILD_JOINED and event.guild_id is not None:
            guild = self._world.guilds[event.guild_id]
            if guild.is_down:
                return
            data = guild_create_json(self._world, guild)
            # Its absence tells a client that the guild is new, not just available again.
            del data["unavailable"]
            self._dispatch("GUILD_CREATE", data, guild.id, intent=GUILDS)
        elif event.kind in {EventKind.GUILD_DOWN, EventKind.GUILD_UP}:
            self._outage_event(self._world.guilds[event.guild_id or 0])
        elif event.kind is EventKind.GUILD_LEFT:
            gone = {"id": str(event.guild_id)}
            self._dispatch("GUILD_DELETE", gone, event.guild_id, intent=GUILDS)
        elif event.kind is EventKind.GUILD_CHANGED:
            self._guild_event(event)

    def _outage_event(self, guild: Guild) -> None:
        """Tell that a guild is down, or up again, unless the bot was thrown out meanwhile."""
        if not self._world.bot_is_in(guild):
            return
        if guild.is_down:
            down = {"id": str(guild.id), "unavailable": True}
            self._dispatch("GUILD_DELETE", down, guild.id, intent=GUILDS)
        else:
            data = guild_create_json(self._world, guild)
            self._dispatch("GUILD_CREATE", data, guild.id, intent=GUILDS)

    def _message_event(self, name: str, event: WorldEvent) -> None:
        message, guild_id = event.message, event.guild_id
        if message is None or message.ephemeral_to is not None:
            return
        if not self._world.bot_is_part_of(self._world.channels[message.channel_id]):
            return
        intent = DIRECT_MESSAGES if guild_id is None else GUILD_MESSAGES
        for session in tuple(self._sessions.values()):
            if session.covers(guild_id) and session.intents & intent:
                data = (
                    self._deleted(message, guild_id)
                    if name == "MESSAGE_DELETE"
                    else self._message(message, guild_id, session)
                )
                session.dispatch(name, data)

    def _deleted(self, message: Message, guild_id: int | None) -> JsonObject:
        data = {"id": str(message.id), "channel_id": str(message.channel_id)}
        return data if guild_id is None else {**data, "guild_id": str(guild_id)}

    def _message(self, message: Message, guild_id: int | None, session: Session) -> JsonObject:
        readable = is_readable(self._world, message, intents=session.intents)
        data = message_json(self._world, message, readable=readable)
        if guild_id is not None:
            data["guild_id"] = str(guild_id)
            member = self._world.guilds[guild_id].members.get(message.author.id)
            if member is not None and message.interaction_id is None:
                data["member"] = member_json(member)
                del data["member"]["user"]
        return data

    def _thread_event(self, thread: JsonObject, how: str) -> None:
        """Tell of a thread: begun, changed, or deleted (then only what it was)."""
        name = {"created": "CREATE", "updated": "UPDATE", "removed": "DELETE"}[how]
        if how == "removed":
            thread = {key: thread[key] for key in ("id", "guild_id", "parent_id", "type")}
        elif how == "created":
            thread["newly_created"] = True
        self._dispatch(f"THREAD_{name}", thread, int(thread["guild_id"]), intent=GUILDS)

    def _guild_event(self, event: WorldEvent) -> None:
        guild, subject = self._world.guilds[event.guild_id or 0], event.subject
        if not self._world.bot_is_in(guild) or guild.is_down or subject is None:
            return
        data: JsonObject
        intent = GUILDS
        if isinstance(subject, Role):
            data = {"guild_id": str(guild.id), "role": role_json(subject)}
        elif isinstance(subject, Channel):
            data = channel_json(self._world, subject)
            if subject.parent_id is not None:
                self._thread_event(data, event.text)
                return
        else:
            data = {**member_json(subject), "guild_id": str(guild.id)}
            intent = GUILDS if subject.user is self._world.bot else GUILD_MEMBERS
            if subject.user is self._world.bot and event.text == "created":
                return
        name = _NAMES[type(subject), event.text]
        self._dispatch(name, data, guild.id, intent=intent)
