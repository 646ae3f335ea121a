"""The one source of wall-clock time, so that the sandbox and tests can move it.

Durations are measured with `time.monotonic()` where they are used; only *when* comes from here.
"""

import asyncio
import time
from contextlib import suppress
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


async def pause(clock: Clock, seconds: float) -> None:
    """Wait so long by `clock` or by the machine, whichever is over first.

    So a clock that is set back makes nobody wait longer, and one that a sandbox moves wakes whoever
    looks after something now and then.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await clock.sleep_until(clock.now_ms() + int(seconds * 1000))
