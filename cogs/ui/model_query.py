"""What somebody wants to see of the list of models, and how that fits into a `custom_id`.

Pure. What comes back in a `custom_id` is as hostile as any input: the pattern bounds it.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import date
from enum import Enum, StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bot.catalog import Ability, Catalog, Model
from bot.money import MAX_MICROS, Micros
from bot.records import Record

PAGE: Final = 8
"""Models on a page."""
MOST_KEY: Final = 60
_HASH: Final = 16
_CUT: Final = "~"


class Sort(StrEnum):
    """In which order models are listed; the letter stands for it in a `custom_id`."""

    POPULAR = "p"
    NEWEST = "n"
    PRICE = "c"
    NAME = "a"
    FASTEST = "f"


class Supports(Enum):
    """What a model may be asked to be able to do; the number is its bit."""

    EDIT = 1
    MASK = 2
    QUALITY = 4
    IMAGES = 8


STATE: Final = (
    r"(?P<sort>[pncaf])(?P<supports>[0-9a-f])(?P<free>[01]):(?P<most>[0-9]{0,16})"
    r":(?P<page>[0-9]{1,4})"
)
"""A query in a `custom_id`: 25 characters at most."""
KEY: Final = rf"(?P<key>.{{1,{MOST_KEY}}})"
"""A model in a `custom_id`, as `key_of` names it."""


class Query(Struct, frozen=True):
    """A page of the list."""

    sort: Sort = Sort.POPULAR
    supports: frozenset[Supports] = frozenset()
    free: bool = False
    max_price: Micros | None = None
    """The highest price that a picture usually has."""
    page: int = 1

    @property
    def state(self) -> str:
        """The query as it stands in a `custom_id`."""
        bits = sum(each.value for each in self.supports)
        most = "" if self.max_price is None else str(self.max_price)
        return f"{self.sort.value}{bits:x}{self.free:d}:{most}:{self.page}"

    @property
    def is_filtered(self) -> bool:
        """Whether it leaves models out."""
        return bool(self.supports) or self.free or self.max_price is not None

    def at(self, page: int) -> "Query":
        """Return the same list at another page."""
        return replace(self, page=min(max(page, 1), 9999))


def query_of(match: re.Match[str]) -> Query:
    """Read a query out of a `custom_id` that `STATE` is part of."""
    bits = int(match["supports"], 16)
    return Query(
        sort=Sort(match["sort"]),
        supports=frozenset(each for each in Supports if bits & each.value),
        free=match["free"] == "1",
        max_price=min(int(match["most"]), MAX_MICROS) if match["most"] else None,
    ).at(int(match["page"]))


class Found(Struct, frozen=True):
    """What a query comes to."""

    query: Query
    """With the page that there is."""
    models: tuple[Model, ...]
    """Those of the page."""
    total: int

    @property
    def pages(self) -> int:
        """How many there are; one where nothing was found."""
        return max(1, -(-self.total // PAGE))


def find(
    query: Query,
    models: Sequence[Model],
    *,
    popular: Sequence[str],
    record: Callable[[str], Record | None],
    allowed: Callable[[Model], bool],
) -> Found:
    """Choose, sort and cut out a page. `popular`: ids, the most popular first."""
    fitting = [each for each in models if _fits(each, query) and allowed(each)]
    ranks = {model_id: rank for rank, model_id in reversed(list(enumerate(popular)))}
    match query.sort:
        case Sort.POPULAR:  # then the newest
            fitting.sort(key=lambda each: each.release_date or date.min, reverse=True)
            fitting.sort(key=lambda each: ranks.get(each.id, len(ranks)))
        case Sort.NEWEST:
            fitting.sort(key=lambda each: each.release_date or date.min, reverse=True)
        case Sort.PRICE:
            fitting.sort(key=lambda each: (_price(each) is None, _price(each) or 0))
        case Sort.NAME:
            fitting.sort(key=lambda each: each.display_name.casefold())
        case Sort.FASTEST:
            fitting.sort(key=lambda each: _seconds(record(each.id)))
    fitting.sort(key=lambda each: each.is_test)  # it makes nothing that anybody looks for
    last = max(1, -(-len(fitting) // PAGE))
    shown = query.at(min(query.page, last))
    start = (shown.page - 1) * PAGE
    return Found(shown, tuple(fitting[start : start + PAGE]), len(fitting))


def _fits(model: Model, query: Query) -> bool:
    if model.is_test and query.is_filtered and not query.free:
        return False  # it can do everything, and does nothing
    if query.free and not model.is_free:
        return False
    if query.max_price is not None:
        price = _price(model)
        if price is None or price > query.max_price:
            return False
    return all(_can(model, each) for each in query.supports)


def _can(model: Model, wanted: Supports) -> bool:
    match wanted:
        case Supports.EDIT:
            return Ability.EDIT in model.abilities
        case Supports.MASK:
            return Ability.MASK in model.abilities
        case Supports.QUALITY:
            return Ability.QUALITY in model.abilities
        case Supports.IMAGES:
            return model.max_images > 1


def _price(model: Model) -> Micros | None:
    """What a picture usually costs, else the most that it may."""
    return model.at_most if model.about is None else model.about


def _seconds(record: Record | None) -> tuple[int, int]:
    """For sorting: those with enough measurements first."""
    if record is None or record.median_ms is None:
        return (2, 0)
    return (0 if record.is_settled else 1, record.median_ms)


def key_of(model_id: str) -> str:
    """Name a model in at most 60 characters: by its id, or where that is longer by its hash."""
    if len(model_id) <= MOST_KEY:
        return model_id
    digest = hashlib.sha256(model_id.encode(errors="replace")).hexdigest()[:_HASH]
    return f"{model_id[: MOST_KEY - _HASH - 1]}{_CUT}{digest}"


def model_of(key: str, catalog: Catalog) -> str:
    """Return the id that `key_of` has named; the key itself where no listed model is meant."""
    begins, cut, _ = key.rpartition(_CUT)
    if len(key) == MOST_KEY and cut and catalog.get(key) is None:
        for model in catalog.models:
            if model.id.startswith(begins) and key_of(model.id) == key:
                return model.id
    return key
