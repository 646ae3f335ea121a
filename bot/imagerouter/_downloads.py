"""Fetching finished pictures from addresses that strangers wrote.

A session of its own: no key, no cookies, no proxy of the environment, and sockets only to addresses
that may be contacted, at every redirect anew.
"""

import asyncio
from typing import Final

import aiohttp
from aiohttp import hdrs
from aiohttp.abc import AbstractResolver
from yarl import URL

from bot.imagerouter._network import AddressRefused, SocketGuard, check_url, refused
from bot.imagerouter._transport import BROKEN, USER_AGENT
from bot.imagerouter.errors import DownloadError, DownloadRefused, DownloadTooLarge
from bot.imagerouter.models import Download

_MAX_REDIRECTS: Final = 4
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_OK: Final = 200


class Downloader:
    """Owns the session for pictures.

    `allow_loopback`: this machine itself may be contacted, by http too (for a local ImageRouter).
    """

    def __init__(
        self,
        *,
        allow_loopback: bool,
        connect_s: float,
        total_s: float,
        resolver: AbstractResolver | None,
    ) -> None:
        self._allow_loopback = allow_loopback
        self._total_s = total_s
        self._connect_s = connect_s
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

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
            timeout=aiohttp.ClientTimeout(total=self._total_s, sock_connect=self._connect_s),
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the session and its connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def fetch(self, address: str, *, max_bytes: int) -> Download:
        """Fetch one picture of at most `max_bytes`.

        Raises:
            DownloadRefused: an address that is never contacted.
            DownloadTooLarge: more bytes than that.
            DownloadError: every other failure, the time limit included.
        """
        if self._session is None:
            raise RuntimeError("use `async with ImageRouter(...)`")
        try:
            async with asyncio.timeout(self._total_s):
                return await self._follow(self._session, URL(address), max_bytes)
        except AddressRefused as error:
            raise DownloadRefused(str(error)) from None
        except aiohttp.ClientConnectorError as error:
            if refused(error.os_error):
                raise DownloadRefused("not a public address") from None
            raise DownloadError(type(error).__name__) from None
        except aiohttp.InvalidURL:
            raise DownloadRefused("no address") from None
        except BROKEN as error:
            raise DownloadError(type(error).__name__) from None
        except ValueError:
            raise DownloadRefused("no address") from None

    async def _follow(self, session: aiohttp.ClientSession, url: URL, max_bytes: int) -> Download:
        for _ in range(_MAX_REDIRECTS + 1):
            check_url(url, allow_loopback=self._allow_loopback)
            async with session.get(url, allow_redirects=False) as response:
                if response.status == _OK:
                    return await _read_picture(response, max_bytes)
                if response.status not in _REDIRECTS:
                    raise DownloadError(f"HTTP {response.status}")
                url = url.join(URL(response.headers.get(hdrs.LOCATION, "")))
        raise DownloadError("too many redirects")


async def _read_picture(response: aiohttp.ClientResponse, max_bytes: int) -> Download:
    if response.content_length is not None and response.content_length > max_bytes:
        raise DownloadTooLarge(limit=max_bytes)
    pieces: list[bytes] = []
    size = 0
    async for piece in response.content.iter_any():
        size += len(piece)
        if size > max_bytes:
            raise DownloadTooLarge(limit=max_bytes)
        pieces.append(piece)
    if not size:
        raise DownloadError("no bytes")
    media_type = response.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower()
    return Download(data=b"".join(pieces), media_type=media_type)
