"""One gateway connection: its handshake, heartbeats, compression, limits and close codes.

Source: Discord's documentation, "Gateway" and "Gateway Close Event Codes".
"""

import asyncio
import json
import time
import zlib
from collections import deque
from typing import Final

from aiohttp import WSMsgType, web

from sandbox.discord.gateway import GUILD_MEMBERS, PRIVILEGED, Gateway, Session
from sandbox.discord.places import JsonObject
from sandbox.discord.wire import member_json

_ALL_INTENTS: Final = (1 << 26) - 1
_SENDS: Final = 120
_SENDS_WINDOW_S: Final = 60.0
_SILENCE: Final = 1.5
"""How many heartbeat intervals a client may be silent."""
_MAX_SHARDS: Final = 1_000
_JOURNEY_S: Final = 0.02
"""How long a heartbeat's acknowledgement takes at least. discord.py notes in another thread when it
sent one: an answer that is there before reads as a connection that is 41 s behind."""

_HEARTBEAT: Final = 1
_IDENTIFY: Final = 2
_RESUME: Final = 6
_REQUEST_MEMBERS: Final = 8
_IGNORED: Final = (3, 4, 31)
"""Presence, voice, soundboard: accepted, and nobody sees a difference."""

_UNKNOWN_OPCODE: Final = 4001
_DECODE_ERROR: Final = 4002
_NOT_AUTHENTICATED: Final = 4003
_WRONG_TOKEN: Final = 4004
_ALREADY_AUTHENTICATED: Final = 4005
_TOO_FAST: Final = 4008
_TIMED_OUT: Final = 4009
_INVALID_SHARD: Final = 4010
_INVALID_VERSION: Final = 4012
_INVALID_INTENTS: Final = 4013
_DISALLOWED_INTENTS: Final = 4014


class _Closing(Exception):
    """The connection is to be closed with a code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Connection:
    """One websocket of the bot."""

    def __init__(self, gateway: Gateway, request: web.Request) -> None:
        self._gateway = gateway
        self._request = request
        self._socket = web.WebSocketResponse(max_msg_size=64 * 1024, autoping=True)
        self._outgoing: asyncio.Queue[JsonObject | int] = asyncio.Queue()
        # zstd, which discord.py asks for on Python 3.14, is answered with plain text, which every
        # client reads: only messages in bytes are taken for compressed ones.
        self._compressor = (
            zlib.compressobj() if request.query.get("compress") == "zlib-stream" else None
        )
        self._watchdog: asyncio.TimerHandle | None = None
        self._received: deque[float] = deque()
        self._goodbye = False
        self._closed_here = False
        self.session: Session | None = None

    def send(self, payload: JsonObject) -> None:
        """Queue a payload."""
        self._outgoing.put_nowait(payload)

    def close(self, code: int) -> None:
        """Close after what is queued."""
        self._outgoing.put_nowait(code)

    def drop(self) -> None:
        """Cut the connection without a word."""
        if self._request.transport is not None:
            self._request.transport.abort()

    async def run(self) -> web.WebSocketResponse:
        """Serve the connection until it ends."""
        await self._socket.prepare(self._request)
        self._gateway.opened(self)
        writer = asyncio.create_task(self._write())
        try:
            await self._read()
        except _Closing as closing:
            self._goodbye = closing.code in (_WRONG_TOKEN, _INVALID_SHARD, _DISALLOWED_INTENTS)
            await self._socket.close(code=closing.code, message=closing.reason.encode())
        finally:
            if self._watchdog is not None:
                self._watchdog.cancel()
            self._gateway.closed(self, resumable=not self._goodbye)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return self._socket

    async def _write(self) -> None:
        while True:
            item = await self._outgoing.get()
            if isinstance(item, int):
                self._closed_here = True
                await self._socket.close(code=item)
                return
            text = json.dumps(item)
            try:
                if self._compressor is None:
                    await self._socket.send_str(text)
                else:
                    data = self._compressor.compress(text.encode())
                    data += self._compressor.flush(zlib.Z_SYNC_FLUSH)
                    await self._socket.send_bytes(data)
            except ConnectionError:
                return

    async def _read(self) -> None:
        if self._request.query.get("v", "10") != "10":
            raise _Closing(_INVALID_VERSION, "Invalid API version.")
        interval = self._gateway.heartbeat_interval_ms
        self.send({"op": 10, "d": {"heartbeat_interval": interval, "_trace": ["sandbox"]}})
        self._feed_watchdog()
        async for message in self._socket:
            if message.type is WSMsgType.TEXT:
                self._handle(message.data)
            elif message.type is WSMsgType.BINARY:
                raise _Closing(_DECODE_ERROR, "Error while decoding payload.")
        # A client that closes with 1000 or 1001 gives up its session.
        self._goodbye = self._socket.close_code in (1000, 1001) and not self._closed_here

    def _feed_watchdog(self) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
        seconds = self._gateway.heartbeat_interval_ms / 1000 * _SILENCE
        loop = asyncio.get_running_loop()
        self._watchdog = loop.call_later(seconds, self.close, _TIMED_OUT)

    def _handle(self, text: str) -> None:
        now = time.monotonic()
        self._received.append(now)
        while self._received[0] < now - _SENDS_WINDOW_S:
            self._received.popleft()
        if len(self._received) > _SENDS:
            raise _Closing(_TOO_FAST, "You are being rate limited.")
        try:
            payload = json.loads(text)
            opcode, data = payload["op"], payload.get("d")
        except (ValueError, KeyError, TypeError, AttributeError):
            raise _Closing(_DECODE_ERROR, "Error while decoding payload.") from None
        if opcode == _HEARTBEAT:
            self._feed_watchdog()
            asyncio.get_running_loop().call_later(_JOURNEY_S, self.send, {"op": 11})
        elif opcode == _IDENTIFY:
            self._identify(data)
        elif opcode == _RESUME:
            self._resume(data)
        elif self.session is None:
            raise _Closing(_NOT_AUTHENTICATED, "Not authenticated.")
        elif opcode == _REQUEST_MEMBERS:
            self._members(data)
        elif opcode not in _IGNORED:
            raise _Closing(_UNKNOWN_OPCODE, "Unknown opcode.")

    def _identify(self, data: object) -> None:
        if self.session is not None:
            raise _Closing(_ALREADY_AUTHENTICATED, "Already authenticated.")
        if not isinstance(data, dict):
            raise _Closing(_DECODE_ERROR, "Error while decoding payload.")
        if data.get("token") != self._gateway.token:
            raise _Closing(_WRONG_TOKEN, "Authentication failed.")
        intents = data.get("intents")
        if not isinstance(intents, int) or intents & ~_ALL_INTENTS:
            raise _Closing(_INVALID_INTENTS, "Invalid intent(s).")
        allowed = self._gateway.world.application.privileged_intents
        if intents & PRIVILEGED & ~allowed:
            raise _Closing(_DISALLOWED_INTENTS, "Disallowed intent(s).")
        self._gateway.identify(self, shard=_shard(data.get("shard")), intents=intents)

    def _resume(self, data: object) -> None:
        if self.session is not None:
            raise _Closing(_ALREADY_AUTHENTICATED, "Already authenticated.")
        if not isinstance(data, dict) or data.get("token") != self._gateway.token:
            raise _Closing(_WRONG_TOKEN, "Authentication failed.")
        sequence = data.get("seq")
        number = sequence if isinstance(sequence, int) else 0
        outcome = self._gateway.resume(self, str(data.get("session_id")), number)
        if outcome is False:
            self.send({"op": 9, "d": False})
        elif outcome is not True:
            raise _Closing(outcome, "Invalid seq.")

    def _members(self, data: object) -> None:
        """Answer a request for members; without the intent, only those asked for by id."""
        request = data if isinstance(data, dict) else {}
        session, world = self.session, self._gateway.world
        guild = world.guilds.get(int(request.get("guild_id") or 0))
        if session is None or guild is None:
            return
        asked = request.get("user_ids")
        if asked is None and not session.intents & GUILD_MEMBERS:
            return
        wanted = {str(user) for user in (asked if isinstance(asked, list) else [asked])}
        members = [m for m in guild.members.values() if asked is None or str(m.user.id) in wanted]
        chunk: JsonObject = {
            "guild_id": str(guild.id),
            "members": [member_json(member) for member in members],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [],
        }
        if request.get("nonce") is not None:
            chunk["nonce"] = request["nonce"]
        session.dispatch("GUILD_MEMBERS_CHUNK", chunk)


def _shard(value: object) -> tuple[int, int]:
    if value is None:
        return 0, 1
    match value:
        case [int(number), int(count)] if 0 <= number < count <= _MAX_SHARDS:
            return number, count
    raise _Closing(_INVALID_SHARD, "Invalid shard.")
