"""What people want where a command does not say, and which models they like.

What decides how a command is answered, and what is shown while somebody types, comes from memory:
nothing is awaited for it. The table is `bot.storage`'s; which model a job gets is the planner's.
"""

import asyncio
import contextlib
import logging
from collections import Counter, OrderedDict
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from bot.catalog import Catalog
from bot.clock import Clock
from bot.errors import LedgerUnavailable, RequestError
from bot.requests import NO_GUILD, Actor, ImageRequest
from bot.storage import EVERYWHERE, PreferenceStore, SetWishes
from bot.wishes import Wish, Wishes, WishValue

_log = logging.getLogger(__name__)
_K = TypeVar("_K")
_V = TypeVar("_V")

_REFRESH_SECONDS: Final = 60.0
_HABITS_KEPT_MS: Final = 60_000
_HABITS_WAIT_S: Final = 2.0
_MOST_KNOWN: Final = 2_000
"""People and guilds whose wishes or habits are in memory, each."""
_JOBS_LOOKED_AT: Final = 100
_LIKED_FROM: Final = 3
"""Uses that make a model a favourite."""
_MOST_LIKED: Final = 5
_GUILD_SINCE_MS: Final = 31 * 86_400_000


class PrivateByNow(RequestError):
    """Answered in public, although the person has set that their answers are private.

    It was set through another process a moment ago; run again, it is private.
    """


class _Known(Struct, frozen=True):
    wishes: SetWishes
    read_ms: int


class _Habits(Struct, frozen=True):
    models: tuple[str, ...]
    read_ms: int


class Preferences:
    """Everybody's defaults and habits.

    An async context manager: it reads who wants private answers before anything else happens, and
    owns what reads in the background. `alone`: no other process changes the database.
    """

    def __init__(
        self, store: PreferenceStore, *, catalog: Catalog, clock: Clock, alone: bool
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._clock = clock
        self._alone = alone
        self._privacy: dict[tuple[int, int], bool] = {}
        self._changes = 0
        self._wishes: OrderedDict[tuple[int, int], _Known] = OrderedDict()
        self._habits: OrderedDict[tuple[str, int], _Habits] = OrderedDict()
        self._reading: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Read who wants private answers. Raises LedgerUnavailable."""
        self._privacy = await self._store.privacy()
        self._task = asyncio.create_task(self._keep_fresh(), name="preferences")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        tasks = [*self._reading.values(), *([] if self._task is None else [self._task])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def private(self, user_id: int, guild_id: int) -> bool:
        """Whether somebody's answers are private where they do not say; from memory."""
        here = self._privacy.get((user_id, guild_id))
        everywhere = self._privacy.get((user_id, EVERYWHERE))
        return bool(everywhere if here is None else here)

    async def of(self, actor: Actor, *, within_ms: int = 0) -> SetWishes:
        """Return what somebody has set for where they are, and for everywhere.

        Where other processes may change it, it is read anew unless that was `within_ms`.
        Raises LedgerUnavailable.
        """
        key = (actor.user_id, actor.guild_id)
        now, known = self._clock.now_ms(), self._wishes.get(key)
        if known is not None and (self._alone or 0 <= now - known.read_ms < within_ms):
            return known.wishes
        before = self._changes
        found = await self._store.get(*key)
        if before == self._changes:  # else it may be what was there before the change
            _keep(self._wishes, key, _Known(found, now))
        return found

    async def wishes(self, actor: Actor, *, within_ms: int = 0) -> Wishes:
        """Return what holds for somebody where they are, as `of` reads it."""
        found = await self.of(actor, within_ms=within_ms)
        return found.here.or_else(found.everywhere)

    def remembered(self, actor: Actor) -> Wishes:
        """Return what holds for somebody as far as memory has it, at once."""
        known = self._wishes.get((actor.user_id, actor.guild_id))
        return Wishes() if known is None else known.wishes.here.or_else(known.wishes.everywhere)

    async def complete(self, actor: Actor, request: ImageRequest, said: Wishes) -> ImageRequest:
        """Fill in what somebody did not say in a command, but for the model: the planner's.

        `request.private` is how the command was answered, so it stays. A size that the model
        does not list is left out, as it is for several models: it was set for another one.

        Raises:
            PrivateByNow: it was answered in public, and should not have been.
            LedgerUnavailable: what is set can't be read.
        """
        wanted = await self.wishes(actor)
        if said.private is None and wanted.private and not request.private:
            raise PrivateByNow
        self._outdate(("person", actor.user_id))
        model = self._catalog.get(said.model or wanted.model or "")
        unlisted = model is not None and model.sizes and wanted.size not in model.sizes
        if unlisted or request.models:
            wanted = replace(wanted, size=None)
        return replace(said.or_else(wanted), private=None).fill(request)

    async def set(self, user_id: int, guild_id: int, option: Wish, value: WishValue) -> None:
        """Set one option of a person's; None removes it. Raises LedgerUnavailable."""
        try:
            await self._store.set(user_id, guild_id, option, value)
        finally:
            self.forget(user_id)
        if option is Wish.PRIVATE:
            if isinstance(value, bool):
                self._privacy[user_id, guild_id] = value
            else:
                self._privacy.pop((user_id, guild_id), None)

    async def clear(self, user_id: int, guild_id: int) -> None:
        """Remove all that a person has set for a guild, or for everywhere."""
        try:
            await self._store.clear(user_id, guild_id)
        finally:
            self.forget(user_id)
        self._privacy.pop((user_id, guild_id), None)

    def forget(self, user_id: int) -> None:
        """Read what somebody has set anew when it is asked for: it has changed."""
        self._changes += 1
        for key in [key for key in self._wishes if key[0] == user_id]:
            del self._wishes[key]
        self._habits.pop(("person", user_id), None)

    def forget_person(self, user_id: int) -> None:
        """Forget somebody whose data was erased."""
        self.forget(user_id)
        for key in [key for key in self._privacy if key[0] == user_id]:
            del self._privacy[key]

    def forget_guild(self, guild_id: int) -> None:
        """Forget what people have set in a guild whose data was erased."""
        self._changes += 1
        for key in [key for key in self._wishes if key[1] == guild_id]:
            del self._wishes[key]
        for key in [key for key in self._privacy if key[1] == guild_id]:
            del self._privacy[key]

    def habits(self, actor: Actor) -> tuple[str, ...]:
        """Return models that somebody likes: their own favourites, then their guild's.

        From memory, at once; what is not there yet, or too old, is read meanwhile.
        """
        own = self._habits_of("person", actor.user_id)
        guild = () if actor.guild_id == NO_GUILD else self._habits_of("guild", actor.guild_id)
        return tuple(dict.fromkeys((*own, *guild)))

    async def habits_now(self, actor: Actor) -> tuple[str, ...]:
        """Like `habits`, but waits for what is being read; not for long."""
        self.habits(actor)
        if self._reading:
            await asyncio.wait(set(self._reading.values()), timeout=_HABITS_WAIT_S)
        return self.habits(actor)

    def _habits_of(self, kind: str, subject: int) -> tuple[str, ...]:
        key = (kind, subject)
        known = self._habits.get(key)
        now = self._clock.now_ms()
        if (known is None or now - known.read_ms > _HABITS_KEPT_MS) and key not in self._reading:
            task = asyncio.create_task(self._read_habits(kind, subject), name=f"habits-{kind}")
            self._reading[key] = task
            task.add_done_callback(lambda _: self._reading.pop(key, None))
        return () if known is None else known.models

    def _outdate(self, key: tuple[str, int]) -> None:
        """Have habits read again when they are next asked for; until then they serve."""
        if (known := self._habits.get(key)) is not None:
            self._habits[key] = replace(known, read_ms=-_HABITS_KEPT_MS)

    async def _read_habits(self, kind: str, subject: int) -> None:
        now, before = self._clock.now_ms(), self._changes
        try:
            if kind == "person":
                wanted = (await self._store.get(subject, EVERYWHERE)).everywhere
                used = await self._store.used_by(subject, jobs=_JOBS_LOOKED_AT)
                models = _favourites(wanted.model, used)
            else:
                since = datetime.fromtimestamp((now - _GUILD_SINCE_MS) / 1000, UTC)
                day = since.date().isoformat()
                models = tuple(await self._store.used_in(subject, since_day=day))
        except LedgerUnavailable:
            _log.info("The habits of a %s could not be read", kind)
            return
        if before == self._changes:  # else it may be of somebody who was erased meanwhile
            _keep(self._habits, (kind, subject), _Habits(models, now))

    async def _keep_fresh(self) -> None:
        """Learn what other processes have changed."""
        while True:
            await asyncio.sleep(_REFRESH_SECONDS)
            with contextlib.suppress(LedgerUnavailable):
                before = self._changes
                found = await self._store.privacy()
                if before == self._changes:
                    self._privacy = found


def _favourites(default: str | None, used: list[str]) -> tuple[str, ...]:
    """Order models: the person's default, what they use often, what they used last."""
    often = [model for model, uses in Counter(used).most_common(_MOST_LIKED) if uses >= _LIKED_FROM]
    first = [] if default is None else [default]
    return tuple(dict.fromkeys((*first, *often, *used)))


def _keep(known: OrderedDict[_K, _V], key: _K, value: _V) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > _MOST_KNOWN:
        known.popitem(last=False)
