"""How fast requests may begin."""

import asyncio
import time
from collections import deque


class Pacer:
    """Lets at most `per_second` requests begin in any second, first come, first served."""

    def __init__(self, per_second: float | None) -> None:
        self._recent: deque[float] | None = None
        self._window_s = 1.0
        if per_second is not None:
            if per_second <= 0:
                raise ValueError("requests_per_second must be above 0")
            self._recent = deque(maxlen=max(1, int(per_second)))
            self._window_s = max(1.0, 1.0 / per_second)

    async def wait(self) -> float:
        """Wait for a turn; return how long it took in seconds."""
        if self._recent is None:
            return 0.0
        now = time.monotonic()
        start = now
        if len(self._recent) == self._recent.maxlen:
            start = max(now, self._recent[0] + self._window_s)
        # Taken before sleeping, so that those who come meanwhile queue up behind.
        self._recent.append(start)
        if start > now:
            await asyncio.sleep(start - now)
        return start - now
