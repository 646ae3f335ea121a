"""Fetching what strangers' addresses point to: into memory, or piece by piece into a file.

Owns which addresses may be contacted (https, public, of given hosts, at every redirect anew), and
the limits on bytes and time. What the bytes are, and what a failure means, is left to its callers.
"""

from bot.downloads._addresses import is_loopback_url
from bot.downloads._client import USER_AGENT, Downloads, Fetched
from bot.downloads._errors import (
    FetchError,
    FetchRefused,
    FetchStatus,
    FetchTooLarge,
    FetchUnkept,
)
from bot.downloads._hosts import Hosts
from bot.downloads._sink import Memory, Onlooker

__all__ = [
    "USER_AGENT",
    "Downloads",
    "FetchError",
    "FetchRefused",
    "FetchStatus",
    "FetchTooLarge",
    "FetchUnkept",
    "Fetched",
    "Hosts",
    "Memory",
    "Onlooker",
    "is_loopback_url",
]
