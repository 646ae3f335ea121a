"""Waiting for something to become true without polling: whoever changes it fires the signal."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


class Signal:
    """Wakes everyone who waits for a condition, so that they look again."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    def fire(self) -> None:
        """Tell all waiters to look again."""
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def until(
        self,
        look: Callable[[], _T | None],
        *,
        timeout: float,
        complain: Callable[[], str],
    ) -> _T:
        """Return what `look` finds as soon as it is not None.

        Raises TimeoutError with the text of `complain` after `timeout` seconds.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        while (found := look()) is None:
            waiter: asyncio.Future[None] = loop.create_future()
            self._waiters.add(waiter)
            try:
                async with asyncio.timeout_at(deadline):
                    await waiter
            except TimeoutError:
                raise TimeoutError(complain()) from None
            finally:
                self._waiters.discard(waiter)
        return found
