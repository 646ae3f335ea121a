"""Requests behind buttons: what may be run instead of what failed.

Kept in the database, so that the buttons outlive a restart; private ones only in memory, since
their prompts are never stored, so a restart forgets those.
"""

import json
import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from bot.cards import Offer
from bot.clock import Clock
from bot.errors import LedgerUnavailable
from bot.ids import make_id
from bot.requests import Actor, ImageRequest, OutputFormat, Quality
from bot.storage import OfferStore

_log = logging.getLogger(__name__)

KEPT_MS: Final = 7 * 86_400_000
PRIVATE_KEPT_MS: Final = 15 * 60_000
MOST_PRIVATE: Final = 500


@dataclass(frozen=True, slots=True)
class KeptOffer:
    """An offer as it was made; only `user_id` may take it."""

    user_id: int
    requests: tuple[ImageRequest, ...]
    expires_ms: int


class Offers:
    """Keeps and finds offers."""

    def __init__(self, store: OfferStore, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._private: OrderedDict[int, KeptOffer] = OrderedDict()

    async def save(
        self, actor: Actor, requests: Sequence[ImageRequest], *, private: bool
    ) -> Offer | None:
        """Keep `requests` for `actor`; None when there is nothing to offer, or no way to keep it.

        An offer is a kindness: that it could not be stored must not hide what it comes with.
        """
        if not requests:
            return None
        offer_id = make_id(self._clock)
        now = self._clock.now_ms()
        if private:
            self._keep_private(offer_id, actor.user_id, tuple(requests), now)
            return Offer(offer_id, tuple(requests))
        try:
            await self._store.add(
                offer_id,
                user_id=actor.user_id,
                requests=json.dumps([asdict(request) for request in requests]),
                expires_ms=now + KEPT_MS,
            )
        except LedgerUnavailable:
            _log.exception("An offer could not be kept")
            return None
        return Offer(offer_id, tuple(requests))

    async def get(self, offer_id: int) -> KeptOffer | None:
        """Return an offer; None when it has expired, was never made, or was forgotten."""
        kept = self._private.get(offer_id)
        if kept is not None:
            return kept if kept.expires_ms > self._clock.now_ms() else None
        found = await self._store.get(offer_id)
        if found is None:
            return None
        user_id, text = found
        return KeptOffer(user_id, tuple(_request(entry) for entry in json.loads(text)), 0)

    def _keep_private(
        self, offer_id: int, user_id: int, requests: tuple[ImageRequest, ...], now: int
    ) -> None:
        self._private[offer_id] = KeptOffer(user_id, requests, now + PRIVATE_KEPT_MS)
        while len(self._private) > MOST_PRIVATE:
            self._private.popitem(last=False)


def _request(entry: dict[str, object]) -> ImageRequest:
    """Rebuild a request that `save` wrote."""
    return ImageRequest(
        command=str(entry["command"]),
        prompt=str(entry["prompt"]),
        model=None if entry["model"] is None else str(entry["model"]),
        size=str(entry["size"]),
        quality=Quality(str(entry["quality"])),
        output_format=OutputFormat(str(entry["output_format"])),
        count=int(str(entry["count"])),
        private=False,
    )
