"""The one account of the local ImageRouter: key, balance, charges, and the limits on using it."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bot.clock import Clock

DAILY_FREE_REQUESTS: Final = 50

_DAY_MS: Final = 24 * 3600 * 1000
_SECOND_MS: Final = 1000
_MICROS_PER_USD: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Charge:
    """Money that was taken for one request."""

    model: str
    cost_micros: int
    request_index: int
    at_ms: int


class Account:
    """Keeps the balance. Amounts are micro-USD."""

    def __init__(self, clock: Clock, *, balance_micros: int, on_change: Callable[[], None]) -> None:
        self._clock = clock
        self._on_change = on_change
        self.deposits_micros = balance_micros
        self.balance_micros = balance_micros
        self.used_micros = 0
        self.charges: list[Charge] = []
        self._free_day = -1
        self._free_used = 0
        self._calls: deque[int] = deque()
        self._generations: deque[int] = deque()

    def deposit(self, micros: int) -> None:
        """Put money on the account."""
        self.balance_micros += micros
        self.deposits_micros += micros

    def charge(self, model: str, cost_micros: int, *, request_index: int) -> None:
        """Take the price of one request."""
        self.balance_micros -= cost_micros
        self.used_micros += cost_micros
        self.charges.append(Charge(model, cost_micros, request_index, self._clock.now_ms()))
        self._on_change()

    def take_free_request(self) -> bool:
        """Count a request to a `:free` model; False when the day's are used up."""
        day = self._clock.now_ms() // _DAY_MS
        if day != self._free_day:
            self._free_day, self._free_used = day, 0
        if self._free_used >= DAILY_FREE_REQUESTS:
            return False
        self._free_used += 1
        return True

    def take_call(self, per_second: int | None) -> bool:
        """Count a call of any kind from the one address that there is."""
        return self._take(self._calls, per_second)

    def take_generation(self, *, limited: bool) -> bool:
        """Count a generation; the more money, the more of them a second."""
        allowed = max(6, min(100, 4 * self.balance_micros // _MICROS_PER_USD))
        return self._take(self._generations, allowed if limited else None)

    def _take(self, recent: deque[int], allowed: int | None) -> bool:
        if allowed is None:
            return True
        now = self._clock.now_ms()
        while recent and recent[0] <= now - _SECOND_MS:
            recent.popleft()
        if len(recent) >= allowed:
            return False
        recent.append(now)
        return True
