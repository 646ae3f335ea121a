"""The catalogue itself: load it, keep it fresh, and answer questions from memory."""

import asyncio
import contextlib
import logging
import random
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from bot.catalog import _disk
from bot.catalog._models import MAX_CHOICE, TEST_MODEL, Ability, Model, build, dummy_entry
from bot.catalog._search import Index
from bot.clock import Clock
from bot.errors import NoModelAvailable, UnknownModel, UnpricedModel, UnsuitableModel
from bot.imagerouter import CatalogueModel, ImageRouterError, ModelsPage, RateLimited
from bot.money import Micros

_log = logging.getLogger(__name__)

_ASK_TIMEOUT_S: Final = 60.0
_START_TIMEOUT_S: Final = 15.0
_FIRST_BACKOFF_S: Final = 15.0
_JITTER: Final = 0.15
"""So many processes do not ask in the same second."""

_PLAUSIBLE_SHARE: Final = 0.25
"""A list that keeps less than this share of the last one is taken for a fault at first..."""
_BELIEVED_AFTER: Final = 6
"""... and believed when it was the answer so many times on end."""

_MAX_VANISHED: Final = 2_000
_ALTERNATIVES: Final = 3


class Source(Protocol):
    """The part of `bot.imagerouter.ImageRouter` that a catalogue needs."""

    async def models(self, *, etag: str | None = None) -> ModelsPage:
        """Read the whole list of picture models, newest first."""
        ...


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """One state of the list. Replaced as a whole, so that a reader never sees half of one."""

    saved: _disk.Saved
    models: tuple[Model, ...]
    by_id: dict[str, Model]
    by_folded: dict[str, Model | None]
    """None where two ids differ in case only."""
    vanished: dict[str, Model]
    index: Index


class Catalog:
    """One catalogue a process.

    An async context manager that owns the task which refreshes the list about every `refresh_s`
    seconds, less often while ImageRouter fails. `unpriced_ceiling` (micro-USD) is what may be held
    for models without a price; None: they can't be used. `cache_path` None keeps nothing on disk.
    Every question is answered from memory, at any time: before the first answer from ImageRouter
    only `test/test` is known.
    """

    def __init__(
        self,
        router: Source,
        *,
        clock: Clock,
        cache_path: Path | None,
        unpriced_ceiling: Micros | None,
        refresh_s: float = 900.0,
    ) -> None:
        self._router = router
        self._clock = clock
        self._cache_path = cache_path
        self._unpriced_ceiling = unpriced_ceiling
        self._refresh_s = refresh_s
        self._snapshot = _snapshot(_disk.Saved(models=()), unpriced_ceiling)
        self._loaded = asyncio.Event()
        self._next_s = 0.0
        self._failures = 0
        self._doubts = 0
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start refreshing, from when `load` is done."""
        self._task = asyncio.create_task(self._keep_fresh(), name="catalogue refresh")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def load(self) -> None:
        """Take the copy on disk; without one, ask ImageRouter, for at most 15 seconds.

        Never fails: the list stays empty until ImageRouter answers.
        """
        if self._cache_path is not None:
            saved = await asyncio.to_thread(_disk.read, self._cache_path)
            if saved is not None and saved.models:
                self._snapshot = await asyncio.to_thread(_snapshot, saved, self._unpriced_ceiling)
        if not self._snapshot.saved.models:
            self._next_s = await self.refresh(timeout_s=_START_TIMEOUT_S)
        self._loaded.set()

    async def refresh(self, *, timeout_s: float = _ASK_TIMEOUT_S) -> float:
        """Ask ImageRouter once; return in how many seconds to ask again. A failure is logged."""
        known = self._snapshot.saved
        try:
            async with asyncio.timeout(timeout_s):
                page = await self._router.models(etag=known.etag)
        except (ImageRouterError, TimeoutError) as error:
            self._failures += 1
            _log.warning("the catalogue could not be read: %s", type(error).__name__)
            backoff = _FIRST_BACKOFF_S * 2.0 ** min(self._failures - 1, 16)
            asked_for = error.retry_after if isinstance(error, RateLimited) else 0.0
            return _jittered(max(min(backoff, self._refresh_s), asked_for))
        self._failures = 0
        if page.not_modified:
            self._doubts = 0
        else:
            models = tuple(model for model in page.models if _is_for_pictures(model))
            if self._is_plausible(models):
                await self._take(models, etag=page.etag)
        return _jittered(self._refresh_s)

    @property
    def models(self) -> tuple[Model, ...]:
        """All models listed now, newest first; `test/test` is always among them."""
        return self._snapshot.models

    @property
    def fetched_ms(self) -> int | None:
        """When the list was fetched (epoch ms); None while there is none."""
        return self._snapshot.saved.fetched_ms or None

    def get(self, name: str) -> Model | None:
        """Return the model with this id; case is overlooked where that leaves only one."""
        snapshot = self._snapshot
        name = name.strip()
        return snapshot.by_id.get(name) or snapshot.by_folded.get(name.casefold())

    def known(self, name: str) -> Model | None:
        """Like `get`, also for models that are listed no more: they stay nameable in history."""
        return self.get(name) or self._snapshot.vanished.get(name.strip())

    def require(self, name: str, needs: Collection[Ability] = ()) -> Model:
        """Return the model `name`, which has all of `needs` and a ceiling to hold.

        Raises:
            UnknownModel: not listed; carries the nearest names.
            UnsuitableModel: carries the first ability that it lacks, and models that have all.
            UnpricedModel: nobody knows what it costs at most.
        """
        model = self.get(name)
        if model is None:
            raise UnknownModel(name, self.suggest(name))
        missing = next((need for need in needs if need not in model.abilities), None)
        if missing is not None:
            able = [other for other in self._usable(needs) if not other.is_test]
            able.sort(key=lambda other: (_vendor(other) != _vendor(model), _price(other)))
            raise UnsuitableModel(model.id, missing, [other.id for other in able[:_ALTERNATIVES]])
        if model.ceiling is None:
            raise UnpricedModel(model.id)
        return model

    def suggest(self, text: str, limit: int = 3) -> list[str]:
        """Return ids that `text` may have meant, the best first: "did you mean"."""
        index = self._snapshot.index
        found = dict.fromkeys(model.id for model in [*index.alike(text), *index.search(text)])
        return [name for name in found if name != TEST_MODEL][:limit]

    def search(self, text: str, *, limit: int = 25, needs: Collection[Ability] = ()) -> list[Model]:
        """Return models for autocomplete, the best first, only those that have all of `needs`.

        Where nothing contains the words typed, those spelled most nearly so.
        """
        index = self._snapshot.index
        found = index.search(text) or index.alike(text)
        return [model for model in found if model.can(needs)][:limit]

    def cheapest(self, needs: Collection[Ability] = ()) -> Model:
        """Return the cheapest model that has all of `needs`; never the dummy.

        Raises:
            NoModelAvailable: there is none with a known ceiling.
        """
        able = [model for model in self._usable(needs) if not model.is_test]
        if not able:
            raise NoModelAvailable
        from_text = Ability.EDIT not in needs and Ability.MASK not in needs
        return min(
            able, key=lambda model: (from_text and model.seems_to_need_picture, _price(model))
        )

    def choose_default(self, wanted: str | None, needs: Collection[Ability] = ()) -> Model:
        """Return `wanted` if it can do the job, else the cheapest model that can.

        Nothing `wanted`, nothing configured: the dummy model, which costs nothing.

        Raises:
            NoModelAvailable: no model can.
        """
        model = self.get(TEST_MODEL if wanted is None else wanted)
        if model is not None and model.can(needs) and model.ceiling is not None:
            return model
        return self.cheapest(needs)

    def _usable(self, needs: Collection[Ability]) -> Iterable[Model]:
        return (model for model in self.models if model.can(needs) and model.ceiling is not None)

    async def _keep_fresh(self) -> None:
        await self._loaded.wait()
        while True:
            await asyncio.sleep(self._next_s)
            try:
                self._next_s = await self.refresh()
            except Exception:  # noqa: BLE001 - an old list beats a bot that stops asking
                _log.exception("refreshing the catalogue failed")
                self._next_s = _jittered(self._refresh_s)

    def _is_plausible(self, models: Collection[CatalogueModel]) -> bool:
        """Whether to believe an answer: an empty or a gutted list is mostly somebody's fault."""
        before = {model.id for model in self._snapshot.saved.models}
        kept = sum(model.id in before for model in models)
        if models and (not before or kept >= _PLAUSIBLE_SHARE * len(before)):
            self._doubts = 0
            return True
        self._doubts += 1
        _log.warning("the catalogue has %d models, not believed", len(models))
        if models and self._doubts >= _BELIEVED_AFTER:
            self._doubts = 0
            return True
        return False

    async def _take(self, models: tuple[CatalogueModel, ...], *, etag: str | None) -> None:
        listed = {model.id for model in models}
        before = self._snapshot.saved
        gone = [model for model in (*before.models, *before.vanished) if model.id not in listed]
        saved = _disk.Saved(
            models=models,
            vanished=tuple(gone[:_MAX_VANISHED]),
            etag=etag,
            fetched_ms=self._clock.now_ms(),
        )
        self._snapshot = await asyncio.to_thread(_snapshot, saved, self._unpriced_ceiling)
        if self._cache_path is None:
            return
        try:
            await asyncio.to_thread(_disk.write, self._cache_path, saved)
        except OSError as error:
            _log.warning("the catalogue could not be kept on disk: %s", error.strerror)


def _snapshot(saved: _disk.Saved, unpriced_ceiling: Micros | None) -> _Snapshot:
    """Work out everything that questions need; takes a while for long lists, so in a thread."""
    entries = {entry.id: entry for entry in saved.models}
    entries.setdefault(TEST_MODEL, dummy_entry())
    shorts = Counter(name.partition("/")[2].casefold() for name in entries)
    ambiguous = {name for name, count in shorts.items() if count > 1}

    def describe(entry: CatalogueModel) -> Model:
        return build(entry, unpriced_ceiling=unpriced_ceiling, ambiguous=ambiguous)

    models = tuple(describe(entry) for entry in entries.values())
    by_folded: dict[str, Model | None] = {}
    for model in models:
        folded = model.id.casefold()
        by_folded[folded] = None if folded in by_folded else model
    return _Snapshot(
        saved=saved,
        models=models,
        by_id={model.id: model for model in models},
        by_folded=by_folded,
        vanished={entry.id: describe(entry) for entry in saved.vanished},
        index=Index(models),
    )


def _is_for_pictures(entry: CatalogueModel) -> bool:
    """Whether it makes pictures and can be named in a choice of Discord's."""
    return (not entry.output or "image" in entry.output) and len(entry.id) <= MAX_CHOICE


def _price(model: Model) -> tuple[Micros, Micros, str]:
    """For sorting: what it usually costs, then what it may cost, then something stable."""
    ceiling = model.ceiling or 0
    return (ceiling if model.about is None else model.about, ceiling, model.id)


def _vendor(model: Model) -> str:
    return model.id.partition("/")[0]


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - spreads load
