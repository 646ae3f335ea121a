"""The catalogue itself: load it, keep it fresh, and answer questions from memory."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from msgspec.structs import replace

from bot.catalog import _disk, _lessons
from bot.catalog._keeper import Keeper
from bot.catalog._lessons import Lesson, Lessons
from bot.catalog._lookups import Lookups
from bot.catalog._models import MAX_CHOICE, Ability, Model
from bot.catalog._snapshot import Snapshot, make_snapshot
from bot.clock import Clock
from bot.errors import NoModelAvailable, UnknownModel, UnpricedModel, UnsuitableModel
from bot.imagerouter import CatalogueModel, ImageRouterError, ModelsPage, RateLimited
from bot.money import Micros

_log = logging.getLogger(__name__)

_ASK_TIMEOUT_S: Final = 60.0
_START_TIMEOUT_S: Final = 15.0
_POPULAR_TIMEOUT_S: Final = 10.0
_FIRST_BACKOFF_S: Final = 15.0
_JITTER: Final = 0.15
"""So many processes do not ask in the same second."""

_PLAUSIBLE_SHARE: Final = 0.25
"""A list that keeps less than this share of the last one is taken for a fault at first..."""
_BELIEVED_AFTER: Final = 6
"""... and believed when it was the answer so many times on end."""

_ALTERNATIVES: Final = 3


class Source(Protocol):
    """The part of `bot.imagerouter.ImageRouter` that a catalogue needs."""

    async def models(self, *, etag: str | None = None) -> ModelsPage:
        """Read the whole list of picture models, newest first."""
        ...

    async def model(self, model_id: str) -> CatalogueModel | None:
        """Ask for one model, aliases included; None when there is none."""
        ...

    async def popular_models(self) -> list[str]:
        """Ask for the most popular models' ids; empty whenever that fails."""
        ...


class Catalog:
    """One catalogue a process.

    An async context manager that owns the task which refreshes the list about every `refresh_s`
    seconds, less often while ImageRouter fails. `unpriced_ceiling` (micro-USD) is what may be held
    for models without a price; None: they can't be used. `cache_path` None keeps nothing on disk;
    what `learn` is told is kept beside it.
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
        self._snapshot = make_snapshot(_disk.Saved(models=()), unpriced_ceiling)
        self._lookups = Lookups(router, clock=clock)
        self._lessons = Lessons()
        self._lessons_path = cache_path and cache_path.with_suffix(".lessons.json")
        self._lessons_unsaved = False
        self._keeper = Keeper()
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
        await self._keeper.close()

    async def load(self) -> None:
        """Take the copy on disk; without one, ask ImageRouter, for at most 15 seconds.

        Never fails: the list stays empty until ImageRouter answers.
        """
        if self._cache_path is not None:
            saved = await asyncio.to_thread(_disk.read, self._cache_path)
            if saved is not None and saved.models:
                self._snapshot = await asyncio.to_thread(
                    make_snapshot, saved, self._unpriced_ceiling
                )
        if self._lessons_path is not None:
            self._lessons.adopt(await asyncio.to_thread(_lessons.read, self._lessons_path))
        self._heed_lessons()
        if not self._snapshot.saved.models:
            self._next_s = await self.refresh(timeout_s=_START_TIMEOUT_S)
        self._loaded.set()
        self._save_lessons()

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
            self._heed_lessons()  # some are too old by now
        else:
            models = await asyncio.to_thread(_for_pictures, page.models)
            if self._is_plausible(models):
                await self._take(models, etag=page.etag)
        return _jittered(self._refresh_s)

    @property
    def models(self) -> tuple[Model, ...]:
        """All models listed now, newest first; `test/test` is always among them."""
        return self._snapshot.models

    @property
    def popular(self) -> tuple[str, ...]:
        """Ids of models that ImageRouter calls popular, the most popular first."""
        return self._snapshot.saved.popular

    @property
    def fetched_ms(self) -> int | None:
        """When the list was fetched (epoch ms); None while there is none."""
        return self._snapshot.saved.fetched_ms or None

    def get(self, name: str) -> Model | None:
        """Return the listed model with this id, or with an alias that `lookup` has found.

        Case is overlooked where that leaves only one.
        """
        name = name.strip()
        return self._snapshot.get(name) or self._snapshot.get(self._lookups.listed_as(name))

    async def lookup(self, name: str) -> Model | None:
        """Return the model of any name that ImageRouter knows, aliases included; None: no such one.

        What is listed comes from memory; about the rest ImageRouter is asked, for at most 8
        seconds, and its answer is remembered for a while. An alias found so is understood by `get`
        and `require`, too. A model that is not listed can be looked at, but not used.

        Raises:
            ImageRouterError: nobody could tell.
        """
        model = self.get(name)
        if model is not None:
            return model
        entry = await self._lookups.ask(name.strip())
        if entry is None or not _is_for_pictures(entry):
            return None
        return self._snapshot.get(entry.id) or self._snapshot.describe(entry)

    def known(self, name: str) -> Model | None:
        """Like `get`, also for models that are listed no more: they stay nameable in history."""
        return self.get(name) or self._snapshot.vanished.get(name.strip())

    def learn(self, model_id: str, lesson: Lesson) -> None:
        """Remember what an answer of ImageRouter has taught about a listed model.

        It holds at once, for 30 days or until the catalogue's entry for that model changes, and is
        written to disk behind the caller's back.
        """
        entry = self._snapshot.entry(model_id)
        if entry is None:
            return
        now_ms = self._clock.now_ms()
        self._lessons.add(entry, lesson, now_ms=now_ms)
        about = self._lessons.about(entry, now_ms=now_ms)
        self._snapshot = self._snapshot.taught({model_id: about})
        self._lessons_unsaved = True
        self._save_lessons()

    def require(
        self,
        name: str,
        needs: Collection[Ability] = (),
        *,
        images: int | None = 0,
        allowed: Callable[[Model], bool] | None = None,
    ) -> Model:
        """Return the model `name`, which has all of `needs` and a ceiling to hold.

        `images` is how many input images the job has; EDIT and MASK mean at least one. None: there
        is no job yet, and any number will do. Only what is `allowed` is suggested instead; of
        `name` itself that is not asked.

        Raises:
            UnknownModel: not listed; carries the nearest names.
            UnsuitableModel: carries what it lacks first (an ability; `images`, when it takes fewer;
                `text`, when it makes nothing from words alone), and models that would do.
            UnpricedModel: nobody knows what it costs at most.
        """
        model = self.get(name)
        if model is None:
            found = self.suggest(name, needs=needs, images=images, allowed=allowed)
            raise UnknownModel(name, found)
        missing = model.lacks(needs, images=images)
        if missing is not None:
            others = self.alternatives(model, needs, images=images, allowed=allowed)
            raise UnsuitableModel(model.id, missing, others)
        if model.ceiling is None:
            raise UnpricedModel(model.id)
        return model

    def alternatives(
        self,
        model: Model,
        needs: Collection[Ability] = (),
        *,
        images: int | None = 0,
        allowed: Callable[[Model], bool] | None = None,
    ) -> list[str]:
        """Return ids of models that would do a job instead of `model`, by the same vendor first."""
        able = [m for m in self._usable(needs, images, allowed) if not m.is_test and m != model]
        from_words = _is_from_words(needs, images)
        able.sort(
            key=lambda other: (
                from_words and other.seems_to_need_picture,
                _vendor(other) != _vendor(model),
                _price(other),
            )
        )
        return [other.id for other in able[:_ALTERNATIVES]]

    def suggest(
        self,
        text: str,
        limit: int = 3,
        *,
        needs: Collection[Ability] = (),
        images: int | None = None,
        allowed: Callable[[Model], bool] | None = None,
    ) -> list[str]:
        """Return ids that `text` may have meant, the best first: "did you mean".

        For a model that is listed no more these are its successors: named alike, or newer ones by
        the same vendor.
        """
        snapshot = self._snapshot
        places = snapshot.index.search(text, most=limit, fits=lambda _: True)
        places = (*places, *snapshot.index.alike(text))
        found = [snapshot.models[place] for place in dict.fromkeys(places)]
        gone = snapshot.vanished.get(text.strip())
        if gone is not None:
            found += [model for model in snapshot.models if _vendor(model) == _vendor(gone)]
        able = (m for m in found if not m.is_test and m.can(needs, images=images))
        ids = (m.id for m in able if allowed is None or allowed(m))
        return list(dict.fromkeys(ids))[:limit]

    def search(
        self,
        text: str,
        *,
        limit: int = 25,
        needs: Collection[Ability] = (),
        images: int | None = None,
        first: Sequence[str] = (),
        allowed: Callable[[Model], bool] | None = None,
    ) -> list[Model]:
        """Return models for autocomplete, the best first, only those that have all of `needs`.

        `images` is how many input images the job has; None: it is not known yet. `first` are ids
        that somebody likes or used lately, best first. They lead when nothing is typed, before what
        is popular everywhere and what is new, and decide between equal matches. `allowed` may keep
        models back; it is asked for each that may be shown, so it has to be quick, and quicker is
        None, which keeps none back.
        """
        snapshot = self._snapshot
        favoured = snapshot.places((*first, *self.popular))
        models, able = snapshot.models, snapshot.able(needs, images=images)

        def may_be_shown(place: int) -> bool:
            return place in able and (allowed is None or allowed(models[place]))

        found: Iterable[int]
        if text.strip():
            fits = able if allowed is None else may_be_shown
            found = snapshot.index.search(text, most=limit, fits=fits, favoured=favoured)
        else:
            every = filter(able.__contains__, snapshot.in_order(favoured, images=images))
            found = islice(filter(may_be_shown, every) if allowed else every, max(limit, 0))
        return [models[place] for place in found]

    def cheapest(
        self,
        needs: Collection[Ability] = (),
        *,
        images: int = 0,
        allowed: Callable[[Model], bool] | None = None,
    ) -> Model:
        """Return the cheapest model for a job with `needs` and `images`; never the dummy.

        Raises:
            NoModelAvailable: there is none with a known ceiling, or none is `allowed`.
        """
        able = [model for model in self._usable(needs, images, allowed) if not model.is_test]
        if not able:
            raise NoModelAvailable
        from_words = _is_from_words(needs, images)
        return min(
            able, key=lambda model: (from_words and model.seems_to_need_picture, _price(model))
        )

    def first_able(
        self,
        wanted: Sequence[str],
        needs: Collection[Ability] = (),
        *,
        images: int = 0,
        allowed: Callable[[Model], bool] | None = None,
    ) -> Model | None:
        """Return the first of `wanted` that can do a job and is `allowed`; None when none can."""
        for name in wanted:
            model = self.get(name)
            if model is None or model.ceiling is None or not model.can(needs, images=images):
                continue
            if allowed is None or allowed(model):
                return model
        return None

    def choose(
        self,
        wanted: Sequence[str],
        needs: Collection[Ability] = (),
        *,
        images: int = 0,
        allowed: Callable[[Model], bool] | None = None,
    ) -> Model:
        """Return the first of `wanted` that can do a job, else the cheapest model that can.

        Raises:
            NoModelAvailable: no model can.
        """
        chosen = self.first_able(wanted, needs, images=images, allowed=allowed)
        return chosen or self.cheapest(needs, images=images, allowed=allowed)

    def _usable(
        self,
        needs: Collection[Ability],
        images: int | None,
        allowed: Callable[[Model], bool] | None,
    ) -> Iterable[Model]:
        return (
            model
            for model in self.models
            if model.can(needs, images=images)
            and model.ceiling is not None
            and (allowed is None or allowed(model))
        )

    def _heed_lessons(self) -> None:
        """Apply the lessons that hold now, and no others."""
        now_ms = self._clock.now_ms()
        entries = map(self._snapshot.entry, self._lessons.models)
        about = {
            entry.id: self._lessons.about(entry, now_ms=now_ms)
            for entry in entries
            if entry is not None
        }
        self._snapshot = self._snapshot.taught(about)

    def _save_lessons(self) -> None:
        """Keep the lessons on disk, once those of an earlier process have been read."""
        if self._lessons_path is not None and self._lessons_unsaved and self._loaded.is_set():
            self._lessons_unsaved = False
            now_ms = self._clock.now_ms()
            rows = self._lessons.rows(now_ms=now_ms)
            write = partial(_lessons.write, self._lessons_path, rows, now_ms=now_ms)
            self._keeper.put("what was learned", write)

    async def _keep_fresh(self) -> None:
        await self._loaded.wait()
        while True:
            try:
                await self._ask_what_is_popular()
            except Exception:  # noqa: BLE001 - nobody's favourites are worth the refreshing
                _log.exception("the popular models could not be kept")
            await asyncio.sleep(self._next_s)
            try:
                self._next_s = await self.refresh()
            except Exception:  # noqa: BLE001 - an old list beats a bot that stops asking
                _log.exception("refreshing the catalogue failed")
                self._next_s = _jittered(self._refresh_s)

    async def _ask_what_is_popular(self) -> None:
        """Take the popular models, or keep those of the last answer that had any."""
        try:
            async with asyncio.timeout(_POPULAR_TIMEOUT_S):
                names = tuple(await self._router.popular_models())
        except TimeoutError:
            return
        saved = self._snapshot.saved
        if names and names != saved.popular:
            self._snapshot = replace(self._snapshot, saved=replace(saved, popular=names))
            self._save_list()

    def _is_plausible(self, models: Collection[CatalogueModel]) -> bool:
        """Whether to believe an answer: an empty or a gutted list is mostly somebody's fault."""
        before = len(self._snapshot.saved.models)
        kept = sum(self._snapshot.entry(model.id) is not None for model in models)
        if models and kept >= _PLAUSIBLE_SHARE * before:
            self._doubts = 0
            return True
        self._doubts += 1
        _log.warning("the catalogue has %d models, not believed", len(models))
        if models and self._doubts >= _BELIEVED_AFTER:
            self._doubts = 0
            return True
        return False

    async def _take(self, models: tuple[CatalogueModel, ...], *, etag: str | None) -> None:
        saved, now_ms = self._snapshot.saved, self._clock.now_ms()

        def work_out() -> Snapshot:
            fresh = saved.followed_by(models, etag=etag, fetched_ms=now_ms)
            return make_snapshot(fresh, self._unpriced_ceiling)

        self._snapshot = await asyncio.to_thread(work_out)
        self._heed_lessons()
        self._save_list()

    def _save_list(self) -> None:
        if self._cache_path is not None:
            self._keeper.put(
                "the catalogue", partial(_disk.write, self._cache_path, self._snapshot.saved)
            )


def _for_pictures(entries: Iterable[CatalogueModel]) -> tuple[CatalogueModel, ...]:
    return tuple(entry for entry in entries if _is_for_pictures(entry))


def _is_for_pictures(entry: CatalogueModel) -> bool:
    """Whether it makes pictures and can be named in a choice of Discord's."""
    return (not entry.output or "image" in entry.output) and len(entry.id) <= MAX_CHOICE


def _price(model: Model) -> tuple[Micros, Micros, str]:
    """For sorting: what it usually costs, then what it may cost, then something stable."""
    ceiling = model.ceiling or 0
    return (ceiling if model.about is None else model.about, ceiling, model.id)


def _is_from_words(needs: Collection[Ability], images: int | None) -> bool:
    return images == 0 and Ability.EDIT not in needs and Ability.MASK not in needs


def _vendor(model: Model) -> str:
    return model.id.partition("/")[0]


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - spreads load
