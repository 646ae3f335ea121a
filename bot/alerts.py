"""Tell the operator what only they can mend: by direct message, at most hourly for each trouble.

What can't be delivered, or comes too often, is in the log all the same.
"""

import asyncio
import logging
from typing import Final

from bot.cards import Alert, Messenger, RouteBusy, RouteClosed, Trouble, UploadTooLarge
from bot.clock import Clock

_log = logging.getLogger(__name__)

PAUSE_MS: Final = 3_600_000
"""How long a trouble is not told again."""


class Alerts:
    """Sends alerts from tasks of its own; `operators` are known once Discord has answered."""

    def __init__(self, *, messenger: Messenger, clock: Clock) -> None:
        self._messenger = messenger
        self._clock = clock
        self._told: dict[Trouble, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.operators: tuple[int, ...] = ()

    def raise_alert(self, alert: Alert) -> None:
        """Log `alert`, and tell the operators unless they were told within the hour."""
        _log.error("The operator is needed: %s %s", alert.trouble.value, alert.detail)
        now = self._clock.now_ms()
        last = self._told.get(alert.trouble)
        if last is not None and 0 <= now - last < PAUSE_MS:
            return
        self._told[alert.trouble] = now
        for user_id in self.operators:
            task = asyncio.create_task(self._tell(user_id, alert, now))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait a moment for alerts that are on their way."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=5)
            for task in late:
                task.cancel()

    async def _tell(self, user_id: int, alert: Alert, now: int) -> None:
        try:
            nonce = f"{alert.trouble.value[:8]}{now}"
            await self._messenger.direct(user_id, alert, nonce=nonce)
        except (RouteClosed, RouteBusy, UploadTooLarge) as error:
            _log.warning("The operator %d could not be told: %r", user_id, error)
