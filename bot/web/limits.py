"""How often somebody may ask: token buckets in memory, for addresses and for links.

A process counts for itself. What costs money is limited by quotas, not here: this keeps a flood
from the database, the picture hosts and the disk.
"""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

_MOST_KEYS: Final = 10_000


class Rate(Struct, frozen=True):
    """`burst` requests at once, then `per_second` on average."""

    burst: float
    per_second: float


class Limiter:
    """Counts requests by key; remembers the keys that were used last."""

    def __init__(self, rate: Rate, *, most_keys: int = _MOST_KEYS) -> None:
        self._rate = rate
        self._most_keys = most_keys
        self._buckets: OrderedDict[str | int, tuple[float, float]] = OrderedDict()

    def wait_s(self, key: str | int, *, now: float | None = None) -> float:
        """Count a request; return 0, or in how many seconds one would be taken."""
        now = time.monotonic() if now is None else now
        left, since = self._buckets.pop(key, (self._rate.burst, now))
        left = min(self._rate.burst, left + (now - since) * self._rate.per_second)
        taken = left >= 1
        self._buckets[key] = (left - 1 if taken else left, now)
        while len(self._buckets) > self._most_keys:
            self._buckets.popitem(last=False)
        return 0.0 if taken else (1 - left) / self._rate.per_second


def client_address(peer: str | None, headers: Mapping[str, str]) -> str:
    """Return who asks: the peer, or whom the reverse proxy names as its own peer.

    A proxy is believed where it comes from this machine or a private network, and of its list
    only the last entry, which it has written itself. Of IPv6 the /64 counts: one household has one.
    """
    address = _address(peer or "")
    if address is not None and (address.is_loopback or address.is_private):
        forwarded = headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        address = _address(forwarded) or address
    if address is None:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
