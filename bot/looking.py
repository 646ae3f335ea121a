"""Look after something now and then, for ever: no look that fails is the last.

Owns the loop; what is looked at, and how often, is the caller's, and so is the task.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

from bot.clock import Clock, pause
from bot.errors import LedgerUnavailable

_log = logging.getLogger(__name__)


async def keep_looking(
    look: Callable[[], Awaitable[None]],
    words: str,
    *,
    ready: asyncio.Event,
    every_s: float,
    clock: Clock,
) -> NoReturn:
    """Look once `ready` (Discord is connected), and again every so many seconds.

    `words` follow "looked" in the log: "whether digests are due".
    """
    await ready.wait()
    while True:
        try:
            await look()
        except LedgerUnavailable:
            _log.warning("It could not be looked %s", words)
        except Exception:  # noqa: BLE001 - whatever it is, the next look may succeed
            _log.exception("A fault while it was looked %s", words)
        await pause(clock, every_s)
