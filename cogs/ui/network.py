"""Calls to Discord: the one place that knows what discord.py lets through, and what it means.

Discord's answers and broken connections become the errors that `bot.delivery` knows.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
import discord

from bot.cards import CardRefused, MessageGone, RouteBusy, RouteClosed, UploadTooLarge

_log = logging.getLogger(__name__)

NETWORK_FAULTS: Final = (TimeoutError, OSError, aiohttp.ClientError)
"""The request may or may not have been carried out."""
CALL_SECONDS: Final = 120
"""How long one call may take, with discord.py's own repetitions."""

_UNKNOWN_MESSAGE: Final = 10008
_TOO_LARGE: Final = 40005
_INVALID_FORM: Final = 50035
_STATUS_TOO_LARGE: Final = 413
_STATUS_REQUEST_TIMEOUT: Final = 408
_STATUS_RATE_LIMITED: Final = 429
_STATUS_SERVER: Final = 500
_ERROR_SHOWN: Final = 200
"""Characters of Discord's own words in the log."""


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Bound one exchange with Discord in time, and name its failure."""
    try:
        async with asyncio.timeout(CALL_SECONDS):
            yield
    except discord.HTTPException as error:
        raise _named(error) from error
    except (*NETWORK_FAULTS, discord.RateLimited) as error:
        raise RouteBusy(type(error).__name__) from error
    except RouteBusy:
        raise
    except Exception as error:
        # discord.py trusts Discord's answers, and trips over what a proxy makes of them.
        _log.exception("An answer of Discord made no sense")
        raise RouteBusy(type(error).__name__) from error


def _named(error: discord.HTTPException) -> Exception:
    if error.status == _STATUS_TOO_LARGE or error.code == _TOO_LARGE:
        return UploadTooLarge(str(error.code))
    if error.code == _UNKNOWN_MESSAGE:
        return MessageGone(str(error.code))
    if error.code == _INVALID_FORM:
        return CardRefused(f"{error.status}/{error.code}: {error.text[:_ERROR_SHOWN]}")
    busy = {_STATUS_REQUEST_TIMEOUT, _STATUS_RATE_LIMITED}
    if error.status >= _STATUS_SERVER or error.status in busy:
        return RouteBusy(f"{error.status}/{error.code}")
    return RouteClosed(f"{error.status}/{error.code}: {error.text[:_ERROR_SHOWN]}")
