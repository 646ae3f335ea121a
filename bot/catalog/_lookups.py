"""Questions about names that the catalogue doesn't list, and their answers for a while."""

import asyncio
from typing import Final, Protocol

from msgspec import Struct

from bot.catalog._models import MAX_CHOICE
from bot.clock import Clock
from bot.imagerouter import CatalogueModel, NotStarted

_TIMEOUT_S: Final = 8.0
_AT_ONCE: Final = 2
"""So that curious people don't use up the requests a second that pictures need."""
_KEPT_MS: Final = 15 * 60_000
_MOST_KEPT: Final = 500


class Source(Protocol):
    """The part of `bot.imagerouter.ImageRouter` that answers."""

    async def model(self, model_id: str) -> CatalogueModel | None:
        """Ask for one model, aliases included; None when there is none."""
        ...


class _Answer(Struct, frozen=True):
    entry: CatalogueModel | None
    until_ms: int


class Lookups:
    """Asks ImageRouter about single names; a name that it doesn't know is remembered as well."""

    def __init__(self, router: Source, *, clock: Clock) -> None:
        self._router = router
        self._clock = clock
        self._answers: dict[str, _Answer] = {}
        self._free = asyncio.Semaphore(_AT_ONCE)

    def listed_as(self, name: str) -> str:
        """Return the id behind an alias that was asked about lately; without one, the name."""
        answer = self._known(name)
        return answer.entry.id if answer is not None and answer.entry is not None else name

    async def ask(self, name: str) -> CatalogueModel | None:
        """Return what ImageRouter says about a name; None when it knows no such model.

        Raises:
            ImageRouterError: it did not answer, or not in time.
        """
        if not name.isprintable() or not 0 < len(name) <= MAX_CHOICE:
            return None
        try:
            async with asyncio.timeout(_TIMEOUT_S), self._free:
                answer = self._known(name)
                if answer is None:
                    entry = await self._router.model(name)
                    answer = _Answer(entry, self._clock.now_ms() + _KEPT_MS)
                    self._answers[name] = answer
                    if len(self._answers) > _MOST_KEPT:
                        del self._answers[next(iter(self._answers))]
        except TimeoutError:
            raise NotStarted("no answer about a model in time") from None
        return answer.entry

    def _known(self, name: str) -> _Answer | None:
        answer = self._answers.get(name)
        if answer is not None and answer.until_ms <= self._clock.now_ms():
            del self._answers[name]
            return None
        return answer
