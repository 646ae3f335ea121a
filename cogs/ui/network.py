"""Broken connections to Discord: the one place that knows what discord.py lets through.

It turns Discord's answers into errors of its own, but leaves aiohttp's as they are.
"""

from typing import Final

import aiohttp

NETWORK_FAULTS: Final = (TimeoutError, OSError, aiohttp.ClientError)
"""The request may or may not have been carried out."""
