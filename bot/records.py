"""How models fare, in memory: seconds and success, as this bot has measured them.

Read from what the ledger knows, when somebody asks and what is in memory is some seconds old. What
is nobody's fault but the request's, the account's or our own says nothing about a model.
"""

import asyncio
from collections import OrderedDict
from typing import Final

from msgspec import Struct

from bot.clock import Clock
from bot.storage import Records, Try

_FRESH_MS: Final = 10_000
_OVERLAP_MS: Final = 60_000
"""Rows may be committed this much after the moment that they carry."""
_MOST_TRIES: Final = 300
"""Of each model, so that what is shown is how it is now."""
_FEWEST: Final = 3
"""Measured seconds from which a model takes part in "fastest": one lucky answer is none."""

_FAULTS: Final = frozenset({"ProviderFailed"})
"""Why a request that cost nothing tells of the model and its providers, as does one that was paid
for. An outcome that stays unknown does not: it may have been lost with a process of ours."""

_NO_FAULTS: Final = frozenset({"Moderated", "RefusedRequest"})
"""What tells nothing of a model even where it was charged: it was the request's."""


class Record(Struct, frozen=True):
    """How a model has fared lately."""

    tries: int
    """Requests that tell something about it."""
    made: int
    median_ms: int | None
    """Half of the pictures took no longer; None where no time was measured."""
    p95_ms: int | None
    """95 of 100 took no longer."""

    @property
    def success(self) -> float:
        """The share of tries that came to a picture, from 0 to 1."""
        return self.made / self.tries if self.tries else 0.0

    @property
    def is_settled(self) -> bool:
        """Whether enough was measured to compare it with others."""
        return self.median_ms is not None and self.made >= _FEWEST


class ModelRecords:
    """Remembers the newest tries of each model."""

    def __init__(self, records: Records, *, clock: Clock) -> None:
        self._records = records
        self._clock = clock
        self._tries: dict[str, OrderedDict[int, Try]] = {}
        self._known: dict[str, Record] = {}
        self._read_ms = -_FRESH_MS
        self._newest_ms = 0
        self._reading = asyncio.Lock()

    async def refresh(self) -> None:
        """Read what has ended since the last time, unless that was just now.

        Raises:
            LedgerUnavailable: what was known before stays.
        """
        async with self._reading:
            now = self._clock.now_ms()
            if 0 <= now - self._read_ms < _FRESH_MS:
                return
            tries = await self._records.tries(since_ms=self._newest_ms - _OVERLAP_MS)
            self._read_ms = now
        for each in reversed(tries):
            self._take(each)
        for model in {each.model for each in tries}:
            self._known[model] = _record(list(self._tries.get(model, {}).values()))

    def of(self, model_id: str) -> Record | None:
        """Return a model's record; None when it has none yet."""
        record = self._known.get(model_id)
        return record if record is not None and record.tries else None

    def since(self, when_ms: int) -> dict[str, list[Try]]:
        """Return the tries of each model that ended later than that, oldest first.

        As of the last `refresh`, and no more than are remembered.
        """
        found = {
            model: [each for each in tries.values() if each.closed_ms > when_ms]
            for model, tries in self._tries.items()
        }
        return {model: tries for model, tries in found.items() if tries}

    def _take(self, each: Try) -> None:
        self._newest_ms = max(self._newest_ms, each.closed_ms)
        known = self._tries.setdefault(each.model, OrderedDict())
        known.pop(each.charge_id, None)  # late truth about it
        if each.made or each.reason in _FAULTS or (each.paid and each.reason not in _NO_FAULTS):
            known[each.charge_id] = each
        while len(known) > _MOST_TRIES:
            known.popitem(last=False)


def _record(tries: list[Try]) -> Record:
    times = sorted(each.took_ms for each in tries if each.made and each.took_ms is not None)
    return Record(
        tries=len(tries),
        made=sum(each.made for each in tries),
        median_ms=_at(times, 50),
        p95_ms=_at(times, 95),
    )


def _at(times: list[int], percent: int) -> int | None:
    """The smallest time that `percent` of them do not exceed (nearest rank)."""
    return times[-(-len(times) * percent // 100) - 1] if times else None
