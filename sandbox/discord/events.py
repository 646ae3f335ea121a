"""What the world tells those who watch it: the page, the gateway, tests."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

from sandbox.discord.messages import Message
from sandbox.discord.places import Channel, Member, Role


class EventKind(StrEnum):
    """What happened."""

    MESSAGE_CREATED = "message_created"
    """Also for a placeholder ("is thinking"), whose message is `loading`."""
    MESSAGE_UPDATED = "message_updated"
    MESSAGE_DELETED = "message_deleted"
    TYPING = "typing"
    COMMANDS_CHANGED = "commands_changed"
    INTERACTION = "interaction"
    """An interaction was acknowledged, showed a modal, or failed."""
    NOTICE = "notice"
    """A line that only one person's client shows, e.g. "The application did not respond"."""
    GUILD_JOINED = "guild_joined"
    GUILD_LEFT = "guild_left"
    GUILD_DOWN = "guild_down"
    GUILD_UP = "guild_up"
    GUILD_CHANGED = "guild_changed"
    """Its roles, channels, members or the guild itself."""
    BOT_ONLINE = "bot_online"
    BOT_OFFLINE = "bot_offline"


@dataclass(frozen=True, slots=True)
class WorldEvent:
    """One change."""

    kind: EventKind
    channel_id: int | None = None
    guild_id: int | None = None
    user_id: int | None = None
    """Whom alone it concerns (ephemeral messages, notices, interactions), or who types."""
    message: Message | None = None
    text: str = ""
    """What a notice says; for a changed guild, `created`, `updated` or `removed`."""
    subject: Role | Channel | Member | None = None
    """What changed in a guild."""
    interaction_id: int | None = None


class Bulletin:
    """Hands every event to listeners at once, and to subscribers through queues."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[WorldEvent], None]] = []

    def listen(self, listener: Callable[[WorldEvent], None]) -> Callable[[], None]:
        """Call `listener` at every event; the returned function ends that."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def emit(self, event: WorldEvent) -> None:
        """Tell everyone."""
        for listener in tuple(self._listeners):
            listener(event)

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[asyncio.Queue[WorldEvent]]:
        """Yield a queue that receives every event while the block runs."""
        queue: asyncio.Queue[WorldEvent] = asyncio.Queue()
        stop = self.listen(queue.put_nowait)
        try:
            yield queue
        finally:
            stop()
