"""Requests behind buttons: what may be run instead of what failed.

Kept in the database, so that the buttons outlive a restart; private ones only in memory, since
their prompts are never stored, so a restart forgets those.
"""

import json
import logging
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from msgspec import Struct, to_builtins

from bot.cards import Offer
from bot.clock import Clock
from bot.errors import LedgerUnavailable
from bot.ids import make_id
from bot.money import Micros
from bot.requests import Actor, ImageRequest, request_from
from bot.storage import OfferStore

_log = logging.getLogger(__name__)

KEPT_MS: Final = 7 * 86_400_000
PRIVATE_KEPT_MS: Final = 15 * 60_000
MOST_PRIVATE: Final = 500


class KeptOffer(Struct, frozen=True):
    """An offer as it was made; only `user_id` may take it."""

    user_id: int
    requests: tuple[ImageRequest, ...]
    parent_id: int | None = None
    """The job whose result they repeat or edit."""
    agreed: Micros = 0
    """What the person says yes to by taking it (micro-USD)."""


class Offers:
    """Keeps and finds offers."""

    def __init__(self, store: OfferStore, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._private: OrderedDict[int, tuple[KeptOffer, int]] = OrderedDict()

    async def save(
        self,
        actor: Actor,
        requests: Sequence[ImageRequest],
        *,
        private: bool,
        parent_id: int | None = None,
        agreed: Micros = 0,
    ) -> Offer | None:
        """Keep `requests` for `actor`; None when there is nothing to offer, or no way to keep it.

        An offer is a kindness: that it could not be stored must not hide what it comes with.
        """
        if not requests:
            return None
        offer_id = make_id(self._clock)
        kept = KeptOffer(actor.user_id, tuple(requests), parent_id, agreed)
        if private:
            self._keep_private(offer_id, kept)
            return Offer(offer_id, kept.requests)
        try:
            await self._store.add(
                offer_id,
                user_id=actor.user_id,
                content=json.dumps(to_builtins(kept)),
                expires_ms=self._clock.now_ms() + KEPT_MS,
            )
        except LedgerUnavailable:
            _log.exception("An offer could not be kept")
            return None
        return Offer(offer_id, kept.requests)

    async def get(self, offer_id: int) -> KeptOffer | None:
        """Return an offer; None when it has expired, was never made, or was forgotten."""
        if (private := self._private.get(offer_id)) is not None:
            kept, expires_ms = private
            return kept if expires_ms > self._clock.now_ms() else None
        found = await self._store.get(offer_id)
        if found is None:
            return None
        entry = json.loads(found)
        requests = tuple(request_from(each) for each in entry["requests"])
        return KeptOffer(entry["user_id"], requests, entry["parent_id"], entry["agreed"])

    def forget_person(self, user_id: int) -> None:
        """Forget what was offered to a person and is kept in memory only."""
        for offer_id in [
            key for key, (kept, _) in self._private.items() if kept.user_id == user_id
        ]:
            del self._private[offer_id]

    def _keep_private(self, offer_id: int, kept: KeptOffer) -> None:
        self._private[offer_id] = (kept, self._clock.now_ms() + PRIVATE_KEPT_MS)
        while len(self._private) > MOST_PRIVATE:
            self._private.popitem(last=False)
