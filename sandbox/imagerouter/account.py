"""The one account of the local ImageRouter: keys, balance, charges, and the limits on using it."""

import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bot.clock import Clock

DAILY_FREE_REQUESTS: Final = 50

_DAY_MS: Final = 24 * 3600 * 1000
_SECOND_MS: Final = 1000
_MICROS_PER_USD: Final = 1_000_000
MICROS_PER_CREDIT: Final = 100
"""What is taken is rounded up to such units, whatever the answer names as its cost."""


@dataclass(frozen=True, slots=True)
class Charge:
    """Money that was taken for one request."""

    model: str
    cost_micros: int
    request_index: int
    at_ms: int


@dataclass(slots=True)
class ApiKey:
    """A key of the account, and what was spent with it."""

    name: str
    secret: str = field(repr=False)
    created_ms: int
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    used_micros: int = 0
    requests: int = 0
    is_active: bool = True


class Account:
    """Keeps the balance. Amounts are micro-USD."""

    def __init__(
        self, clock: Clock, *, key: str, balance_micros: int, on_change: Callable[[], None]
    ) -> None:
        """`key` is the secret of its first key."""
        self._clock = clock
        self._on_change = on_change
        self.deposits_micros = balance_micros
        self.balance_micros = balance_micros
        self.keys: list[ApiKey] = []
        self.charges: list[Charge] = []
        self.add_key("Sandbox", key)
        self._free_day = -1
        self._free_used = 0
        self._calls: deque[int] = deque()
        self._generations: deque[int] = deque()

    @property
    def used_micros(self) -> int:
        """What was ever spent, as the server works it out."""
        return self.deposits_micros - self.balance_micros

    def add_key(self, name: str, secret: str) -> ApiKey:
        """Make one more key, which works at once."""
        key = ApiKey(name, secret, self._clock.now_ms())
        self.keys.append(key)
        return key

    def key_of(self, secret: str) -> ApiKey | None:
        """Find the key that a request came with; None when it opens nothing."""
        return next((key for key in self.keys if key.is_active and key.secret == secret), None)

    def deposit(self, micros: int) -> None:
        """Put money on the account."""
        self.balance_micros += micros
        self.deposits_micros += micros

    def charge(
        self, model: str, cost_micros: int, *, request_index: int, key: ApiKey | None = None
    ) -> None:
        """Take the price of one request, which came with `key`, or with the first one."""
        key = key or self.keys[0]
        billed = -(-cost_micros // MICROS_PER_CREDIT) * MICROS_PER_CREDIT
        self.balance_micros -= billed
        key.used_micros += billed
        key.requests += 1
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
