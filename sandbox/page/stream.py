"""The WebSocket on which one open page hears what happens, in the order in which it happens."""

import asyncio
import json
import logging
from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

from aiohttp import WSMsgType, web

from sandbox.clock import SandboxClock
from sandbox.discord import DiscordServer, EventKind, Message, Person, User, WorldEvent
from sandbox.discord.places import JsonObject
from sandbox.page.views import may_see, message_view, room_view, sees, world_view

_log = logging.getLogger(__name__)

_Item: TypeAlias = Callable[[], JsonObject | None]
"""Makes what is sent, at the moment of sending: an edited message is sent as it is by then."""

_BACKLOG: Final = 5_000
"""Items that may wait for a slow page; with more it is cut off, and starts afresh."""

_LARGEST_REQUEST: Final = 1_024

_WORLD_CHANGES: Final = frozenset(
    {
        EventKind.GUILD_CHANGED,
        EventKind.GUILD_JOINED,
        EventKind.GUILD_LEFT,
        EventKind.BOT_ONLINE,
        EventKind.BOT_OFFLINE,
    }
)


class Stream:
    """One page's connection, for one person."""

    def __init__(
        self,
        discord: DiscordServer,
        clock: SandboxClock,
        person: Person,
        *,
        about: Callable[[], JsonObject],
    ) -> None:
        self._discord = discord
        self._clock = clock
        self._person = person
        self._about = about
        self._queue: asyncio.Queue[_Item | None] = asyncio.Queue(_BACKLOG)

    @property
    def _user(self) -> User:
        return self._person.user

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Send events until the page goes away or falls too far behind."""
        socket = web.WebSocketResponse(heartbeat=20, max_msg_size=_LARGEST_REQUEST)
        await socket.prepare(request)
        stops = (
            self._discord.world.bulletin.listen(self._on_event),
            self._clock.listen(lambda: self._put(self._clock_item)),
        )
        self._put(self._world_item)
        sender = asyncio.create_task(self._send(socket), name="page-stream")
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._on_request(message.data)
        finally:
            for stop in stops:
                stop()
            sender.cancel()
            (end,) = await asyncio.gather(sender, return_exceptions=True)
            if isinstance(end, Exception) and not isinstance(end, ConnectionError):
                _log.error("the page's events broke off", exc_info=end)
        return socket

    def close(self) -> None:
        """End the connection; the page tries again by itself."""
        while self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def _send(self, socket: web.WebSocketResponse) -> None:
        try:
            while (item := await self._queue.get()) is not None:
                data = item()
                if data is not None:
                    await socket.send_json(data)
        finally:
            # However it ends, the page must notice, and connect again.
            await socket.close()

    def _put(self, item: _Item) -> None:
        if not self._queue.full():
            last = self._queue.qsize() == _BACKLOG - 1
            self._queue.put_nowait(None if last else item)

    def _on_request(self, text: str) -> None:
        """Show the channel that the page opens; ignore anything else."""
        try:
            channel_id = int(json.loads(text)["open"])
        except (ValueError, TypeError, KeyError):
            return
        self._put(partial(self._room_item, channel_id))

    def _on_event(self, event: WorldEvent) -> None:
        if event.kind in _WORLD_CHANGES:
            self._put(self._world_item)
        elif event.kind is EventKind.COMMANDS_CHANGED:
            self._put(lambda: {"op": "stale"})
            if event.user_id == self._user.id:
                self._put(self._world_item)
        elif event.kind is EventKind.TYPING:
            self._put(partial(self._typing_item, event))
        elif event.message is not None and sees(self._user, event.message):
            if event.kind is EventKind.MESSAGE_DELETED:
                self._put(partial(self._gone_item, event.message))
            else:
                self._put(partial(self._message_item, event))

    def _may_see(self, channel_id: int | None) -> bool:
        world = self._discord.world
        channel = world.channels.get(channel_id or 0)
        return channel is not None and may_see(world, self._user, channel)

    def _world_item(self) -> JsonObject:
        view = world_view(self._discord, self._user)
        return {"op": "world", "world": view | self._about()}

    def _room_item(self, channel_id: int) -> JsonObject | None:
        if not self._may_see(channel_id):
            return None
        channel = self._discord.world.channels[channel_id]
        return {"op": "room", "room": room_view(self._discord, self._person, channel)}

    def _message_item(self, event: WorldEvent) -> JsonObject | None:
        message = event.message
        if message is None or message.deleted or not self._may_see(message.channel_id):
            return None
        view = message_view(self._discord, self._user, message)
        return {"op": "message", "message": view, "fresh": event.kind is EventKind.MESSAGE_CREATED}

    def _gone_item(self, message: Message) -> JsonObject:
        return {"op": "gone", "channel": str(message.channel_id), "id": str(message.id)}

    def _clock_item(self) -> JsonObject:
        return {"op": "clock", "now_ms": self._clock.now_ms()}

    def _typing_item(self, event: WorldEvent) -> JsonObject | None:
        world = self._discord.world
        typist = world.users.get(event.user_id or 0)
        if typist is None or typist is self._user or not self._may_see(event.channel_id):
            return None
        return {"op": "typing", "channel": str(event.channel_id), "name": typist.name}
