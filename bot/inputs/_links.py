"""Reading what Discord's links point to: a few tries, a fresh link for a dead one, into a file."""

import asyncio
import logging
from pathlib import Path
from typing import Final

from msgspec import Struct
from yarl import URL

from bot.clock import Clock
from bot.downloads import (
    Downloads,
    FetchError,
    FetchRefused,
    FetchStatus,
    FetchTooLarge,
    FetchUnkept,
    Hosts,
    Memory,
    Onlooker,
)
from bot.errors import InputUnreachable, UnusableInput
from bot.inputs._parts import InputLimits, Renew
from bot.inputs._spool import JobTooLarge, Shelf, no_room
from bot.requests import Source

_log = logging.getLogger(__name__)

_DEAD: Final = (403, 404, 410)
"""How Discord answers to a link that has expired or whose message is deleted."""
_NO_PICTURE: Final = 415
"""How Discord's media proxy answers where another site has something else than a picture."""
_BUSY: Final = (408, 425, 429)
_SERVER_ERROR: Final = 500


class Links:
    """Reads from `hosts` only."""

    def __init__(
        self,
        downloads: Downloads,
        *,
        renew: Renew,
        hosts: Hosts,
        clock: Clock,
        limits: InputLimits,
    ) -> None:
        self._downloads = downloads
        self._renew = renew
        self._hosts = hosts
        self._clock = clock
        self._limits = limits

    def may_read(self, address: str) -> bool:
        """Tell whether `address` is on one of the hosts."""
        try:
            return self._hosts.allow(URL(address))
        except ValueError:
            return False

    async def fetch(
        self,
        shelf: Shelf,
        source: Source,
        path: Path,
        *,
        onlooker: Onlooker | None = None,
        memory: Memory | None = None,
    ) -> int:
        """Read `source` into a new file, by a fresh link if its own is dead; returns its size.

        The `onlooker` sees the bytes, and the `memory` may keep them: see `Downloads.fetch_to`.

        Raises:
            UnusableInput: `elsewhere`, `too_large`, `one_too_many` or `gone`.
            InputUnreachable: Discord does not answer.
            InputsFull: no room.
        """
        place = _Place(shelf, path, onlooker, memory)
        renewed = self._has_expired(source.url)
        if renewed:
            # Clocks differ: what is said to be dead may live.
            source = await self._renewed(source) or source
        while True:
            try:
                return await self._read(source, place)
            except _DeadLink:
                fresh = None if renewed else await self._renewed(source)
                if fresh is None:
                    raise UnusableInput(source.filename, "gone") from None
                source, renewed = fresh, True

    async def _renewed(self, source: Source) -> Source | None:
        try:
            async with asyncio.timeout(self._limits.renew_s):
                return await self._renew(source)
        except TimeoutError:
            raise InputUnreachable(source.filename) from None

    async def _read(self, source: Source, place: "_Place") -> int:
        for pause in (*self._limits.patience, None):
            try:
                return await self._download(source, place)
            except (FetchRefused, FetchTooLarge) as error:
                reason = "elsewhere" if isinstance(error, FetchRefused) else "too_large"
                raise UnusableInput(source.filename, reason) from None
            except FetchUnkept as error:
                raise no_room(error) from None
            except FetchError as error:
                if isinstance(error, FetchStatus):
                    if error.status in _DEAD:
                        raise _DeadLink from None
                    if error.status == _NO_PICTURE:
                        raise UnusableInput(source.filename, "not_a_picture") from None
                    if error.status < _SERVER_ERROR and error.status not in _BUSY:
                        raise UnusableInput(source.filename, "gone") from None
                _log.info("A picture could not be read: %s", error)
                if pause is None:
                    raise InputUnreachable(source.filename) from None
                await asyncio.sleep(pause)
        raise AssertionError("unreachable: the last try returns or raises")

    async def _download(self, source: Source, place: "_Place") -> int:
        taken = 0

        def count(size: int) -> None:
            nonlocal taken
            place.shelf.take(size)
            taken += size

        try:
            return await self._downloads.fetch_to(
                source.url,
                place.path,
                max_bytes=self._limits.file_bytes,
                hosts=self._hosts,
                count=count,
                onlooker=place.onlooker,
                memory=place.memory,
            )
        except BaseException as error:
            place.shelf.give(taken)
            if isinstance(error, JobTooLarge):
                raise UnusableInput(source.filename, "one_too_many") from None
            raise

    def _has_expired(self, address: str) -> bool:
        """Tell whether a signed link says that it is dead ("Signed Attachment CDN URLs")."""
        try:
            expiry_s = int(URL(address).query.get("ex", ""), 16)
        except ValueError:
            return False
        return expiry_s * 1000 <= self._clock.now_ms()


class _Place(Struct, frozen=True):
    """Where a file goes, and who sees it."""

    shelf: Shelf
    path: Path
    onlooker: Onlooker | None
    memory: Memory | None


class _DeadLink(Exception):
    """The host says that there is nothing, or nothing any more."""
