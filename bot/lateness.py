"""Tell people whose answer takes very long where it will come, while their message can be edited.

One task looks after all jobs: hardly any of them ever takes so long, and a task and a timer for
each would cost every one. Owns when that is told; how, is `bot.delivery`'s.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from msgspec import Struct

from bot.cards import Progress
from bot.clock import Clock

NOTICE_MS: Final = 30_000
"""How long before the token dies the waiting message gets its last word."""


class _Notice(Struct, eq=False):
    card: Progress
    due_ms: int
    showing: "asyncio.Task[None] | None" = None


_Show: TypeAlias = Callable[[Progress], Coroutine[None, None, None]]


class Lateness:
    """Shows each card when its time has come, unless its job is over by then."""

    def __init__(self, show: _Show, *, clock: Clock) -> None:
        """`show` raises nothing."""
        self._show = show
        self._clock = clock
        self._notices: set[_Notice] = set()
        self._task: asyncio.Task[None] | None = None
        self._wakes_ms = 0

    @asynccontextmanager
    async def watching(self, card: Progress) -> AsyncIterator[None]:
        """Show `card` shortly before its token dies; not any more when the block is over.

        An edit that has begun is awaited, since cut off it might overtake what comes after it.
        """
        notice = _Notice(card, card.job.reply.expires_at_ms - NOTICE_MS)
        self._notices.add(notice)
        if self._task is None or self._task.done() or notice.due_ms < self._wakes_ms:
            self._watch()
        try:
            yield
        finally:
            self._notices.discard(notice)
            if notice.showing is not None:
                await asyncio.wait({notice.showing})

    async def close(self) -> None:
        """Watch no more; called when no job is left."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def _watch(self) -> None:
        """Begin to wait for the notice that is due first, instead of a later one."""
        if self._task is not None:
            self._task.cancel()
        self._wakes_ms = min(notice.due_ms for notice in self._notices)
        self._task = asyncio.create_task(self._tell_when_due(), name="late answers")

    async def _tell_when_due(self) -> None:
        """Wait, tell, and wait for the next: jobs that ended meanwhile have no notice any more."""
        while True:
            await self._clock.sleep_until(self._wakes_ms)
            waiting = [notice for notice in self._notices if notice.showing is None]
            now_ms = self._clock.now_ms()
            for notice in waiting:
                if notice.due_ms <= now_ms:
                    showing = self._show(notice.card)
                    notice.showing = asyncio.create_task(showing, name="late answer")
            later = [notice.due_ms for notice in waiting if notice.due_ms > now_ms]
            if not later:
                return
            self._wakes_ms = min(later)
