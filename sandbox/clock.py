"""The clock that a sandbox's bot, local Discord and local ImageRouter share.

It owns *when* it is; how long something takes is measured with `time.monotonic()` elsewhere.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable


class SandboxClock:
    """Real time plus an offset that tests, and the page's "next day" button, move forward."""

    def __init__(self, *, offset_ms: int = 0) -> None:
        self._offset_ms = offset_ms
        self._listeners: list[Callable[[], None]] = []

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch, UTC."""
        return time.time_ns() // 1_000_000 + self._offset_ms

    def advance(self, ms: int) -> None:
        """Move the time forward by `ms` milliseconds; everything that lapses meanwhile lapses now.

        Raises ValueError for a negative number: time in a sandbox never runs backwards.
        """
        if ms < 0:
            raise ValueError("time cannot be moved backwards")
        self._offset_ms += ms
        for listener in tuple(self._listeners):
            listener()

    async def sleep_until(self, when_ms: int) -> None:
        """Return when it is `when_ms` or later, because time passed or was advanced."""
        moved = asyncio.Event()
        stop = self.listen(moved.set)
        try:
            while (left := when_ms - self.now_ms()) > 0:
                moved.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(left / 1000):
                        await moved.wait()
        finally:
            stop()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after each `advance`; the returned function ends that."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop
