"""Fetching files from addresses that strangers wrote.

A session of its own: no key, no cookies, no proxy of the environment, and sockets only to addresses
that may be contacted, at every redirect anew.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import aiohttp
from aiohttp import hdrs
from aiohttp.abc import AbstractResolver
from msgspec import Struct
from yarl import URL

from bot.downloads._addresses import AddressRefused, SocketGuard, check_url, refused
from bot.downloads._errors import FetchError, FetchRefused, FetchStatus, FetchTooLarge
from bot.downloads._hosts import Hosts
from bot.downloads._sink import Memory, Onlooker, Sink
from bot.hiding import repr_without

USER_AGENT: Final = "Easel (Discord picture bot)"

_READ_BYTES: Final = 256 * 1024
"""What aiohttp holds of a body before it stops to read."""
_ASIDE_BYTES: Final = 2**20
"""What has as much is put together in a thread: that takes milliseconds, and lets others run."""
_MAX_REDIRECTS: Final = 4
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_OK: Final = 200
# RuntimeError when the session was closed meanwhile.
_BROKEN: Final = (aiohttp.ClientError, TimeoutError, OSError, RuntimeError)


class Fetched(Struct, frozen=True):
    """The bytes of a file."""

    data: bytes
    media_type: str
    """As the header says, lower case without parameters, or empty; the bytes decide, not this."""

    def __repr__(self) -> str:
        return repr_without(self, "data")


class Downloads:
    """Owns the session for files; an async context manager.

    `allow_loopback`: this machine itself may be contacted, by http too (for local servers). Times
    are seconds: to connect, of silence, and for one file as a whole with its redirects. `resolver`
    replaces the system's name resolution.
    """

    def __init__(
        self,
        *,
        allow_loopback: bool = False,
        connect_s: float = 10.0,
        idle_s: float = 30.0,
        total_s: float = 120.0,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._allow_loopback = allow_loopback
        self._connect_s = connect_s
        self._idle_s = idle_s
        self._total_s = total_s
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Make the session; needs a running loop."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                resolver=self._resolver,
                use_dns_cache=False,
                socket_factory=SocketGuard(allow_loopback=self._allow_loopback),
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={hdrs.USER_AGENT: USER_AGENT, hdrs.ACCEPT_ENCODING: "identity"},
            # The total is that of all redirects together: see `_answer`.
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=self._connect_s, sock_read=self._idle_s
            ),
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the session and its connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def fetch(self, address: str, *, max_bytes: int, hosts: Hosts | None = None) -> Fetched:
        """Fetch at most `max_bytes` into memory; without `hosts` from anywhere public.

        Raises:
            FetchRefused: an address that is never contacted.
            FetchTooLarge: more bytes than that.
            FetchStatus: the host refused.
            FetchError: every other failure, the time limit included.
        """
        async with self._answer(address, hosts) as response:
            async with aclosing(_pieces(response, max_bytes)) as reading:
                pieces = [piece async for piece in reading]
            kind = response.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower()
            return Fetched(data=await _joined(pieces), media_type=kind)

    async def fetch_to(
        self,
        address: str,
        path: Path,
        *,
        max_bytes: int,
        hosts: Hosts,
        count: Callable[[int], None] | None = None,
        onlooker: Onlooker | None = None,
        memory: Memory | None = None,
    ) -> int:
        """Fetch at most `max_bytes` into a new file; return how many it has.

        The file is there only when this returns. A few MiB are in memory at once.
        `count` is told of each few bytes before they are written, and may refuse them by raising.
        The `onlooker` sees them in the thread that writes them, which spares it to read the file.
        A file whose length is announced goes to the `memory` instead, if that takes it.

        Raises:
            FetchUnkept: the file cannot be written, or is there already.
            FetchError: as `fetch`, and whatever `count` raises.
        """
        size = 0
        async with self._answer(address, hosts, as_sent=True) as response:
            if memory is not None and not _takes(memory, response.content_length, max_bytes):
                memory = None
            async with (
                Sink(path, onlooker, memory) as sink,
                aclosing(_pieces(response, max_bytes)) as pieces,
            ):
                async for piece in pieces:
                    if count is not None:
                        count(len(piece))
                    size += len(piece)
                    await sink.write(piece)
                await sink.keep()
        return size

    @asynccontextmanager
    async def _answer(
        self, address: str, hosts: Hosts | None, *, as_sent: bool = False
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Give a successful answer, its body unread; whatever breaks is a FetchError.

        `as_sent`: a compressed body stays so, since it would unfold without a bound.
        """
        if self._session is None:
            raise RuntimeError("not open: use `async with`")
        try:
            async with asyncio.timeout(self._total_s):
                url = URL(address)
                for _ in range(_MAX_REDIRECTS + 1):
                    self._judge(url, hosts)
                    async with self._session.get(
                        url,
                        allow_redirects=False,
                        auto_decompress=not as_sent,
                        read_bufsize=_READ_BYTES,
                    ) as response:
                        if response.status == _OK:
                            yield response
                            return
                        if response.status not in _REDIRECTS:
                            raise FetchStatus(response.status)
                        url = url.join(URL(response.headers.get(hdrs.LOCATION, "")))
                raise FetchError("too many redirects")
        except AddressRefused as error:
            raise FetchRefused(str(error)) from None
        except aiohttp.ClientConnectorError as error:
            if refused(error.os_error):
                raise FetchRefused("not a public address") from None
            raise FetchError(type(error).__name__) from None
        except (aiohttp.InvalidURL, ValueError):
            raise FetchRefused("no address") from None
        except _BROKEN as error:
            raise FetchError(type(error).__name__) from None

    def _judge(self, url: URL, hosts: Hosts | None) -> None:
        check_url(url, allow_loopback=self._allow_loopback)
        if hosts is not None and not hosts.allow(url):
            raise AddressRefused("not an allowed host")


def _takes(memory: Memory, announced: int | None, max_bytes: int) -> bool:
    return announced is not None and announced <= max_bytes and memory.takes(announced)


async def _joined(pieces: Sequence[bytes]) -> bytes:
    if sum(map(len, pieces)) < _ASIDE_BYTES:
        return b"".join(pieces)
    return await asyncio.to_thread(b"".join, pieces)


async def _pieces(response: aiohttp.ClientResponse, max_bytes: int) -> AsyncGenerator[bytes, None]:
    """Give the body as it comes. Raises FetchTooLarge, early where its length is announced."""
    if response.content_length is not None and response.content_length > max_bytes:
        raise FetchTooLarge(max_bytes)
    size = 0
    # One after the other as they came: joined, they would be copied once more.
    async for piece, _ in response.content.iter_chunks():
        size += len(piece)
        if size > max_bytes:
            raise FetchTooLarge(max_bytes)
        yield piece
