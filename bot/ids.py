"""Ids that the bot makes: 63-bit, ascending with time, unique without asking a database."""

import secrets
import threading
from typing import Final

from bot.clock import Clock

_EPOCH_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
_RANDOM_BITS = 22

MOST_ID: Final = 2**63 - 1
"""The largest BIGINT; never made in practice."""


def make_id(clock: Clock) -> int:
    """Return a new positive id that fits a BIGINT: 41 bits of ms, then 22 random bits.

    A process makes no id twice in a millisecond: what it asks for again follows what it got. Two
    processes that ask in the same one collide once in four million, which the primary key catches.
    """
    return make_ids(clock, 1)[0]


def make_ids(clock: Clock, count: int) -> range:
    """Return `count` new ids at once, for rows that are written together; each follows the last."""
    elapsed = max(0, clock.now_ms() - _EPOCH_MS) & ((1 << 41) - 1)
    return _maker.take(elapsed, count)


def last_id_of(when_ms: int) -> int:
    """Return the largest id that can have been made at `when_ms` (epoch ms)."""
    return ((when_ms - _EPOCH_MS + 1) << _RANDOM_BITS) - 1


class _Maker:
    """Knows the last id that this process made, whichever of its threads asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def take(self, elapsed: int, count: int) -> range:
        """Return the next `count` ids of a millisecond."""
        with self._lock:
            if self._last >> _RANDOM_BITS == elapsed:
                first = self._last + 1
            else:
                first = (elapsed << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
            self._last = first + count - 1
            return range(first, first + count)


_maker: Final = _Maker()
