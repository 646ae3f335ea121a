"""Who runs next: a first-come queue with caps for a member and for the process.

Owns only the order. A job that waits holds its money already (`bot.generation`), and what runs in
a slot is the caller's. Everything here happens on one event loop, so no lock is needed.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

from bot.errors import QueueFull, ShuttingDown


class Place(Struct, eq=False):
    """A place in the queue; `ahead` jobs were before it when it was taken."""

    member: int
    ahead: int
    turn: "asyncio.Future[None]"
    """Done when the slot is theirs. Only the scheduler sets it."""


class Scheduler:
    """Hands out slots first come, first served, passing over members who have their share.

    `per_member` and `in_process` are the jobs that run at once; `max_waiting` bounds the queue.
    """

    def __init__(self, *, per_member: int, in_process: int, max_waiting: int) -> None:
        self._per_member = per_member
        self._in_process = in_process
        self._max_waiting = max_waiting
        self._running: Counter[int] = Counter()
        self._queue: deque[Place] = deque()
        self._closed = False

    @property
    def running(self) -> int:
        """How many slots are taken."""
        return self._running.total()

    @property
    def waiting(self) -> int:
        """How many places wait."""
        return len(self._queue)

    def check_room(self, member: int) -> None:
        """Refuse `member` early, before any money is held.

        Raises:
            ShuttingDown: after `close`.
            QueueFull: they would have to wait, and as many wait as may.
        """
        if self._closed:
            raise ShuttingDown
        at_once = self.running < self._in_process and self._running[member] < self._per_member
        if not at_once and self.waiting >= self._max_waiting:
            raise QueueFull(self.waiting)

    def enter(self, member: int) -> Place:
        """Take a place for `member` at the end of the queue.

        Raises:
            ShuttingDown: after `close`.
        """
        if self._closed:
            raise ShuttingDown
        place = Place(member, self.waiting, asyncio.get_running_loop().create_future())
        self._queue.append(place)
        self._admit()
        return place

    def has_turn(self, place: Place) -> bool:
        """Whether `place` got its slot already, so that nobody needs to be told to wait."""
        return place.turn.done()

    @asynccontextmanager
    async def slot(self, place: Place) -> AsyncIterator[None]:
        """Wait for the turn of `place`, then hold its slot for the block.

        Raises:
            ShuttingDown: the queue was closed while the place waited.
        """
        try:
            await place.turn
        except asyncio.CancelledError:
            self.leave(place)
            raise
        try:
            yield
        finally:
            self._release(place.member)

    def close(self) -> None:
        """Take no more jobs and send the waiting ones away; slots in use stay until released."""
        self._closed = True
        while self._queue:
            place = self._queue.popleft()
            if not place.turn.done():
                place.turn.set_exception(ShuttingDown())

    def leave(self, place: Place) -> None:
        """Give up a place that will not be used, with its slot if it has one already."""
        turn = place.turn
        if turn.done() and not turn.cancelled() and turn.exception() is None:
            self._release(place.member)  # cancelled in the moment in which its turn came
        elif place in self._queue:
            self._queue.remove(place)

    def _release(self, member: int) -> None:
        self._running[member] -= 1
        if not self._running[member]:
            del self._running[member]
        self._admit()

    def _admit(self) -> None:
        """Give free slots to the first in the queue whose member has not had their share."""
        passed_over: list[Place] = []
        while self._queue and self.running < self._in_process:
            place = self._queue.popleft()
            if place.turn.done():
                continue
            if self._running[place.member] >= self._per_member:
                passed_over.append(place)
                continue
            self._running[place.member] += 1
            place.turn.set_result(None)
        self._queue.extendleft(reversed(passed_over))
