"""The one source of wall-clock time, so that the sandbox and tests can move it.

Durations are measured with `time.monotonic()` where they are used; only *when* comes from here.
"""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch, UTC."""
        ...

    async def sleep_until(self, when_ms: int) -> None:
        """Return when it is `when_ms` or later, at once if it is already."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch, UTC."""
        return time.time_ns() // 1_000_000

    async def sleep_until(self, when_ms: int) -> None:
        """Return when it is `when_ms` or later; a clock that was set back is waited for."""
        while (left := when_ms - self.now_ms()) > 0:  # noqa: ASYNC110 - time sets no event
            await asyncio.sleep(left / 1000)
