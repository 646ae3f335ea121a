"""Ids that the bot makes: 63-bit, ascending with time, unique without asking a database."""

import secrets
from typing import Final

from bot.clock import Clock

_EPOCH_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
_RANDOM_BITS = 22

MOST_ID: Final = 2**63 - 1
"""The largest BIGINT; never made in practice."""


def make_id(clock: Clock) -> int:
    """Return a new positive id that fits a BIGINT: 41 bits of ms, then 22 random bits.

    Two processes that ask in the same millisecond collide once in four million; the primary key
    catches that, and the transaction runs again with a new id.
    """
    elapsed = max(0, clock.now_ms() - _EPOCH_MS) & ((1 << 41) - 1)
    return (elapsed << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)


def make_ids(clock: Clock, count: int) -> range:
    """Return `count` new ids at once, for rows that are written together.

    Those after the first follow it, and collide with others as rarely as so many single ones.
    """
    first = make_id(clock)
    return range(first, first + count)


def last_id_of(when_ms: int) -> int:
    """Return the largest id that can have been made at `when_ms` (epoch ms)."""
    return ((when_ms - _EPOCH_MS + 1) << _RANDOM_BITS) - 1
