"""Time zones to choose from: the usual ones in a menu, and all of them as one types."""

import heapq
from functools import lru_cache
from typing import Final

from bot.quotas import known_zones

USUAL: Final = (
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Athens",
    "Europe/Istanbul",
    "Europe/Moscow",
    "Africa/Lagos",
    "Africa/Johannesburg",
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "America/Argentina/Buenos_Aires",
    "Asia/Dubai",
    "Asia/Karachi",
    "Asia/Kolkata",
    "Asia/Dhaka",
    "Asia/Bangkok",
    "Asia/Singapore",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Pacific/Auckland",
)
"""Twenty-four, so that the menu has a place for one more that a guild has chosen."""


def search_zones(typed: str, *, most: int) -> list[str]:
    """Return names that match what is typed so far, the usual ones and early matches first."""
    wanted = _key(typed)
    if not wanted:
        return list(USUAL[:most])
    found = ((key.find(wanted), name) for key, name in _by_key() if wanted in key)
    ranked = heapq.nsmallest(most, ((name not in USUAL, at, name) for at, name in found))
    return [name for _, _, name in ranked]


@lru_cache(maxsize=1)
def _by_key() -> tuple[tuple[str, str], ...]:
    return tuple((_key(name), name) for name in known_zones())


def _key(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
