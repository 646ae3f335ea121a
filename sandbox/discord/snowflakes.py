"""Discord's ids: ascending numbers that carry the millisecond they were made in.

Source: Discord's API reference, "Snowflakes".
"""

from typing import Final

from bot.clock import Clock

DISCORD_EPOCH_MS: Final = 1_420_070_400_000
"""2015-01-01T00:00:00Z, in milliseconds since the Unix epoch."""
_SEQUENCE_BITS: Final = 22


class Snowflakes:
    """Makes ids by a clock; two of them are never equal, and later ones are always greater."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def make(self) -> int:
        """Return the next id."""
        stamp = (self._clock.now_ms() - DISCORD_EPOCH_MS) << _SEQUENCE_BITS
        self._last = max(stamp, self._last + 1)
        return self._last


def created_ms(snowflake: int) -> int:
    """Return the moment (epoch ms) in which an id was made."""
    return (snowflake >> _SEQUENCE_BITS) + DISCORD_EPOCH_MS
