"""Erasing people and guilds, everywhere: in the database and its log, in memory, and for good.

What is erased where in the database is `bot.storage`'s business. Here each erasure is remembered
beside it first, so that a restored backup is erased again; then memory forgets, and what SQLite
has left behind is overwritten.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol
from weakref import WeakValueDictionary

from bot.clock import Clock
from bot.erased import ErasedList
from bot.storage import Database, Erasable, Erased, Erasure, scrub

_log = logging.getLogger(__name__)

_MOST_ANSWERED: Final = 1_000
_SCRUB_PAUSES_S: Final = (0.1, 0.3, 1.0)
"""Before the log is emptied again where somebody reads it; after that, `go_on` tries."""


class Memory(Protocol):
    """What holds something of people in memory."""

    def forget_person(self, user_id: int) -> None:
        """Forget what it holds of a person."""
        ...


class GuildMemory(Protocol):
    """What holds in memory what guilds have set, or what is set in them."""

    def forget_guild(self, guild_id: int) -> None:
        """Read it anew when it is asked for."""
        ...


class Privacy:
    """Erases. Every method may raise `LedgerUnavailable`; what was erased stays erased."""

    def __init__(
        self,
        erasure: Erasure,
        *,
        database: Database,
        erased: ErasedList,
        clock: Clock,
        note_deliveries: Callable[[], Awaitable[None]] | None = None,
        memories: Sequence[Memory] = (),
        guilds: Sequence[GuildMemory] = (),
    ) -> None:
        """`note_deliveries` writes down which jobs have ended: while one runs it is not erased."""
        self._erasure = erasure
        self._database = database
        self._erased = erased
        self._clock = clock
        self._note_deliveries = note_deliveries
        self._memories = memories
        self._guilds = guilds
        self._locks: WeakValueDictionary[tuple[Erasable, int], asyncio.Lock] = WeakValueDictionary()
        self._answered: OrderedDict[int, None] = OrderedDict()
        self._unclean = False
        """Something was erased whose traces may still be in the database's log."""

    def answer(self, question: int) -> bool:
        """Whether a question is answered for the first time: not by the second of two clicks."""
        if question in self._answered:
            return False
        self._answered[question] = None
        while len(self._answered) > _MOST_ANSWERED:
            self._answered.popitem(last=False)
        return True

    def unanswer(self, question: int) -> None:
        """Let a question be answered again, since what was asked for failed."""
        self._answered.pop(question, None)

    async def erase_person(self, user_id: int, *, removal_id: int | None = None) -> Erased:
        """Erase a person. The links to their pictures' messages go to a removal, if one is named.

        Raises:
            ValueError: no user's id.
        """
        async with self._lock(Erasable.PERSON, user_id):
            await self._erased.add(Erasable.PERSON, user_id, when_ms=self._clock.now_ms())
            await self._end_jobs()
            try:
                done = await self._erasure.erase_person(user_id, removal_id=removal_id)
            finally:
                self._unclean = True
                for memory in self._memories:
                    memory.forget_person(user_id)
        await self.clean()
        _log.info("A person was erased; %d of their jobs still run", done.waiting)
        return done

    async def erase_guild(self, guild_id: int) -> Erased:
        """Erase what was asked for and set in a guild.

        Raises:
            ValueError: no guild's id.
        """
        async with self._lock(Erasable.GUILD, guild_id):
            await self._erased.add(Erasable.GUILD, guild_id, when_ms=self._clock.now_ms())
            await self._end_jobs()
            try:
                done = await self._erasure.erase_guild(guild_id)
            finally:
                self._unclean = True
                for memory in self._guilds:
                    memory.forget_guild(guild_id)
        await self.clean()
        _log.info("Guild %d was erased; %d of its jobs still run", guild_id, done.waiting)
        return done

    async def reapply(self) -> int:
        """Erase again whoever is in the database as they were before they were erased.

        For the start: somebody may have restored a backup. Returns how many that concerned.
        """
        if self._erased.is_empty:
            return 0
        again = 0
        people = await self._erased.times(Erasable.PERSON, await self._erasure.people())
        for user_id, until_ms in people.items():
            done = await self._erasure.erase_person(user_id, until_ms=until_ms)
            again += bool(done.rows)
        guilds = await self._erased.times(Erasable.GUILD, await self._erasure.guilds())
        for guild_id, until_ms in guilds.items():
            done = await self._erasure.erase_guild(guild_id, until_ms=until_ms)
            again += bool(done.rows)
        if again:
            _log.warning("%d were erased again: the database is older than their erasure", again)
            await self.clean()
        return again

    async def go_on(self) -> int:
        """Go on with what waits for jobs or was interrupted; returns how many erasures still do."""
        before = await self._erasure.unfinished()
        after = await self._erasure.resume() if before else 0
        self._unclean = self._unclean or before > after
        if self._unclean:
            self._unclean = not await scrub(self._database)
        return after

    async def clean(self) -> None:
        """Leave no trace of what was deleted; what somebody reads just now, `go_on` cleans."""
        for pause in (*_SCRUB_PAUSES_S, None):
            self._unclean = not await scrub(self._database)
            if not self._unclean or pause is None:
                return
            await asyncio.sleep(pause)

    async def _end_jobs(self) -> None:
        if self._note_deliveries is not None:
            await self._note_deliveries()

    def _lock(self, kind: Erasable, subject_id: int) -> asyncio.Lock:
        """Let one erasure of somebody come after the other: of a double click, the second waits."""
        return self._locks.setdefault((kind, subject_id), asyncio.Lock())
