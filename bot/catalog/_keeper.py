"""Writes the catalogue's files, so that nobody waits for a disk."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Final

_log = logging.getLogger(__name__)

_CLOSE_TIMEOUT_S: Final = 10.0


class Keeper:
    """Owns a task that writes files one after the other, while there is something to write."""

    def __init__(self) -> None:
        self._waiting: dict[str, Callable[[], None]] = {}
        self._task: asyncio.Task[None] | None = None

    def put(self, what: str, write: Callable[[], None]) -> None:
        """Have `write` called in a thread; it replaces an older one for `what` that still waits.

        Its OSError is logged: what is kept here can be fetched or learned again.
        """
        self._waiting[what] = write
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_all(), name="catalogue files")

    async def close(self) -> None:
        """Wait until all is written, for at most 10 seconds."""
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                    await self._task

    async def _write_all(self) -> None:
        while self._waiting:
            what = next(iter(self._waiting))
            try:
                await asyncio.to_thread(self._waiting.pop(what))
            except OSError as error:
                _log.warning("%s could not be kept on disk: %s", what, error.strerror)
