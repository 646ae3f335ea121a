"""The cached model list: names, prices, abilities, search. One catalogue a process."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bot.clock import Clock
from bot.money import Micros

TEST_MODEL: Final = "test/test"


class Ability(StrEnum):
    """What a job may need of a model."""

    EDIT = "edit"
    MASK = "mask"
    QUALITY = "quality"


@dataclass(frozen=True, slots=True)
class Model:
    """One model; money in micro-USD."""

    id: str
    about: Micros | None
    at_most: Micros | None
    """The largest price any of its providers names."""
    ceiling: Micros | None
    """What to hold: `at_most`, else the operator's ceiling for models without a price."""
    abilities: frozenset[Ability]
    sizes: tuple[str, ...]
    release_date: date | None

    @property
    def short_name(self) -> str:
        """The id without its vendor."""
        return self.id.partition("/")[2] or self.id

    @property
    def is_free(self) -> bool:
        return self.at_most == 0

    @property
    def is_test(self) -> bool:
        """The dummy model, which always answers with the same fixed picture."""
        return self.id == TEST_MODEL

    def can(self, needs: Collection[Ability]) -> bool:
        return self.abilities.issuperset(needs)


class Catalog:
    def __init__(
        self,
        router: object,
        *,
        clock: Clock,
        cache_path: Path | None,
        unpriced_ceiling: Micros | None,
        refresh_s: float = 900.0,
    ) -> None: ...

    async def __aenter__(self) -> Self:
        """Start the background refresh (call `load()` first)."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    async def load(self) -> None:
        """Read the disk cache, then ask ImageRouter once; never raises for either."""
        raise NotImplementedError

    @property
    def models(self) -> tuple[Model, ...]:
        raise NotImplementedError

    def get(self, name: str) -> Model | None:
        raise NotImplementedError

    def known(self, name: str) -> Model | None:
        """Like `get`, also for models that have vanished from the list."""
        raise NotImplementedError

    def require(self, name: str, needs: Collection[Ability] = ()) -> Model:
        """The model, or UnknownModel / UnsuitableModel / UnpricedModel with what to say."""
        raise NotImplementedError

    def suggest(self, text: str, limit: int = 3) -> list[str]:
        raise NotImplementedError

    def search(self, text: str, *, limit: int = 25, needs: Collection[Ability] = ()) -> list[Model]:
        raise NotImplementedError

    def cheapest(self, needs: Collection[Ability] = ()) -> Model:
        """Raises NoModelAvailable."""
        raise NotImplementedError

    def choose_default(self, wanted: str | None, needs: Collection[Ability] = ()) -> Model:
        """`wanted` if it can do the job, else the cheapest that can; None: `test/test`."""
        raise NotImplementedError


def size_choices(model: Model | None, typed: str) -> list[tuple[str, str]]:
    """(name, value) pairs for autocomplete, at most 25."""
    raise NotImplementedError


def parse_size(text: str) -> str:
    """`auto` or `WIDTHxHEIGHT`; raises InvalidOption."""
    raise NotImplementedError


def label(model: Model) -> str:
    """`FLUX-1-schnell · about $0.0013 · edit mask`, within 100 characters."""
    raise NotImplementedError
