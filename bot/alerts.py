"""Bring alerts to whom they concern: the operators, or those who mind a guild.

What only the operator can mend comes by direct message, at most hourly for each trouble. What
can't be delivered, or comes too often, is in the log all the same.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Final

from bot.cards import (
    Alert,
    Card,
    Messenger,
    Posted,
    RouteBusy,
    RouteClosed,
    Trouble,
    UploadTooLarge,
)
from bot.clock import Clock
from bot.delivery import Fate

_log = logging.getLogger(__name__)

PAUSE_MS: Final = 3_600_000
"""How long a trouble is not told again."""


class Alerts:
    """Sends alerts; those of trouble from tasks of its own.

    `operators` are known once Discord has answered.
    """

    def __init__(
        self, *, messenger: Messenger, clock: Clock, words: Callable[[Alert], str]
    ) -> None:
        """`words` tells an alert in a line, with its remedy: what the log gets."""
        self._messenger = messenger
        self._clock = clock
        self._words = words
        self._told: dict[Trouble, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.operators: tuple[int, ...] = ()

    def raise_alert(self, alert: Alert) -> None:
        """Log `alert`, and tell the operators unless they were told within the hour."""
        _log.error("The operator is needed: %s", self._words(alert))
        now = self._clock.now_ms()
        last = self._told.get(alert.trouble)
        if last is not None and 0 <= now - last < PAUSE_MS:
            return
        self._told[alert.trouble] = now
        task = asyncio.create_task(self._tell(alert, now))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def tell_operators(self, card: Card, *, nonce: str) -> bool:
        """Tell every operator; False when nobody was reached, and a later try may do better."""
        return _is_settled(await self._direct(self.operators, card, nonce=nonce))

    async def tell_managers(
        self, card: Card, *, nonce: str, channel_id: int | None, user_id: int | None
    ) -> bool:
        """Tell a guild's alert channel, else one person, else the operators, all that are there.

        False when nobody was reached, and a later try may do better.
        """
        fates = []
        if channel_id is not None:
            fates.append(await _try(self._messenger.post(channel_id, card, nonce=nonce)))
        if Fate.DELIVERED not in fates and user_id is not None:
            fates += await self._direct((user_id,), card, nonce=nonce)
        if Fate.DELIVERED not in fates:
            fates += await self._direct(self.operators, card, nonce=nonce)
        return _is_settled(fates)

    async def close(self) -> None:
        """Wait a moment for alerts that are on their way."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=5)
            for task in late:
                task.cancel()

    async def _tell(self, alert: Alert, now: int) -> None:
        if not await self.tell_operators(alert, nonce=f"{alert.trouble.value[:8]}{now}"):
            # Whoever meets the trouble next tells it, without waiting for the hour to end.
            self._told.pop(alert.trouble, None)

    async def _direct(self, user_ids: Sequence[int], card: Card, *, nonce: str) -> list[Fate]:
        """Tell several people side by side: a slow answer about one keeps nobody waiting."""
        return await asyncio.gather(
            *(_try(self._messenger.direct(user_id, card, nonce=nonce)) for user_id in user_ids)
        )


def _is_settled(fates: Sequence[Fate]) -> bool:
    return Fate.DELIVERED in fates or Fate.LATER not in fates


async def _try(sending: Coroutine[object, object, Posted]) -> Fate:
    try:
        await sending
    except RouteBusy as error:
        _log.warning("An alert could not be told just now: %r", error)
        return Fate.LATER
    except (RouteClosed, UploadTooLarge) as error:
        _log.warning("An alert could not be told this way: %r", error)
        return Fate.UNDELIVERABLE
    return Fate.DELIVERED
