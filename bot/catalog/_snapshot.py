"""One state of the list, worked out so that every question is answered from memory."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import force_setattr, replace

from bot.catalog import _disk
from bot.catalog._lessons import Lesson
from bot.catalog._models import TEST_MODEL, Ability, Model, build, dummy_entry
from bot.catalog._search import Index
from bot.imagerouter import CatalogueModel
from bot.money import Micros

_NONE: Final = -1
_MOST_JOBS: Final = 16
"""Kinds of jobs for which it is remembered which models can do them."""


class Snapshot(Struct, frozen=True, eq=False):
    """One state of the list. Replaced as a whole, so that a reader never sees half of one.

    A place is a model's number in `models`, the newest first.
    """

    saved: _disk.Saved
    entries: tuple[CatalogueModel, ...]
    """What the models are made from, at the same places."""
    models: tuple[Model, ...]
    vanished: Mapping[str, Model]
    index: Index
    _places: Mapping[str, int]
    _folded: Mapping[str, int]
    _ambiguous: frozenset[str]
    _unpriced_ceiling: Micros | None
    _able: dict[tuple[frozenset[Ability], int | None], frozenset[int]] = {}

    def __post_init__(self) -> None:
        force_setattr(self, "_able", {})  # a changed copy remembers nothing

    def get(self, name: str) -> Model | None:
        """Return the model with this id; case is overlooked where that leaves only one."""
        place = self._places.get(name)
        if place is None:
            place = self._folded.get(name.casefold(), _NONE)
        return self.models[place] if place != _NONE else None

    def entry(self, model_id: str) -> CatalogueModel | None:
        """Return the catalogue's own words about a listed model."""
        place = self._places.get(model_id)
        return None if place is None else self.entries[place]

    def places(self, names: Iterable[str]) -> tuple[int, ...]:
        """Return the places of listed models among `names`, in the same order, each once."""
        places = (self._places.get(name, _NONE) for name in names)
        return tuple(dict.fromkeys(place for place in places if place != _NONE))

    def able(self, needs: Collection[Ability], *, images: int | None) -> frozenset[int]:
        """Return the places of models that can do a job; `Model.can` tells what that takes."""
        job = (frozenset(needs), images)
        found = self._able.get(job)
        if found is None:
            if len(self._able) >= _MOST_JOBS:
                self._able.clear()
            places = range(len(self.models))
            found = frozenset(p for p in places if self.models[p].can(needs, images=images))
            self._able[job] = found
        return found

    def in_order(self, favoured: Collection[int], *, images: int | None) -> Iterator[int]:
        """Give all places, as they are shown when nothing is typed: the favoured, then the newest.

        For words alone, those that seem to need an image come last.
        """
        yield from favoured
        rest = (place for place in range(len(self.models)) if place not in favoured)
        if images != 0:
            yield from rest
            return
        put_off = []
        for place in rest:
            if self.models[place].seems_to_need_picture:
                put_off.append(place)
            else:
                yield place
        yield from put_off

    def taught(self, lessons: Mapping[str, frozenset[Lesson]]) -> "Snapshot":
        """Return the same state with other lessons about some models; others are not listed."""
        models = list(self.models)
        for model_id, about in lessons.items():
            place = self._places.get(model_id)
            if place is not None:
                models[place] = self.describe(self.entries[place], about)
        changed = tuple(models)
        return self if changed == self.models else replace(self, models=changed)

    def describe(self, entry: CatalogueModel, lessons: frozenset[Lesson] = frozenset()) -> Model:
        """Describe an entry, listed or not, as a neighbour of the models that are listed."""
        return build(
            entry,
            unpriced_ceiling=self._unpriced_ceiling,
            ambiguous=self._ambiguous,
            lessons=lessons,
        )


def make_snapshot(saved: _disk.Saved, unpriced_ceiling: Micros | None) -> Snapshot:
    """Work out everything that questions need; takes a while for long lists, so in a thread."""
    by_id = {entry.id: entry for entry in saved.models}
    by_id.setdefault(TEST_MODEL, dummy_entry())
    entries = tuple(by_id.values())
    shorts = Counter(name.partition("/")[2].casefold() for name in by_id)
    ambiguous = frozenset(name for name, count in shorts.items() if count > 1)

    def describe(entries: Iterable[CatalogueModel]) -> tuple[Model, ...]:
        return tuple(
            build(entry, unpriced_ceiling=unpriced_ceiling, ambiguous=ambiguous)
            for entry in entries
        )

    models = describe(entries)
    folded: dict[str, int] = {}
    for place, model in enumerate(models):
        name = model.id.casefold()
        folded[name] = _NONE if name in folded else place
    return Snapshot(
        saved=saved,
        entries=entries,
        models=models,
        vanished={model.id: model for model in describe(saved.vanished)},
        index=Index([model.id for model in models]),
        _places={model.id: place for place, model in enumerate(models)},
        _folded=folded,
        _ambiguous=ambiguous,
        _unpriced_ceiling=unpriced_ceiling,
    )
