"""Forgetting a person or a guild: words go, ids become a tombstone, and every sum stays.

What is erased: prompts, offers, pictures that they gave or painted, where results are (addresses,
messages, channels of direct messages), and the person's id wherever it stands, as a member or as
who has changed a rule. What others have made from a person's jobs loses the words and links that
it took from them (`_forget`). What stays: money, and all that is keyed by `HMAC(secret, place,
person)`, so that counters, limits and blocks hold as before and being erased refills no quota.
What others wrote about a person (the reason of a block) stays with the rule that it explains.
Of a guild, what it has set goes as well, but for the operator's budget and its time zones, in
which its sums were counted. Copies of the database are their owner's to delete.

A tombstone is a random negative number, one for each erasure, that no id of Discord's is like.

Jobs are erased once they have ended: nothing open, and their answer delivered. Those that still
run when the erasure is asked for work on, and `resume` erases them later. What is asked for
*after* an erasure is not concerned by it. A row of `setting` says that an erasure is not finished,
since when, which tombstone it has, and which removal wants the links to its messages; so one that
a crash interrupts goes on where it was.

Works in transactions of a few jobs each, which lock the marker, then charges, jobs, and the months
in the order of their keys: the ledger's order, so nobody waits for anybody in a circle.
"""

import secrets
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Final

from msgspec import Struct

from bot.clock import Clock
from bot.ids import MOST_ID
from bot.storage._erased_jobs import erase_some, finish, next_ended, waiting
from bot.storage._erasing import MARKER, Erasable, Order, subject_of_marker
from bot.storage._named import begin, named_guilds, named_people
from bot.storage.rows import Store, Tx

_LOOK_S: Final = 60.0
"""Seconds for a look at all that a guild ever asked for, which may be millions of charges."""


class Erased(Struct, frozen=True):
    """What an erasure did."""

    rows: Mapping[str, int]
    """How many rows were deleted or changed, by table; tables without any are left out."""
    waiting: int
    """Jobs that have not ended yet and will be erased by `resume` once they have."""


class Erasure:
    """Erases people and guilds.

    Every method may raise `LedgerUnavailable`; what was erased stays erased.
    """

    def __init__(self, db: Store, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def erase_person(
        self, user_id: int, *, until_ms: int | None = None, removal_id: int | None = None
    ) -> Erased:
        """Forget everything that a person has asked for until now, or until `until_ms`.

        Done again, it erases what has come since, under the same tombstone while the first is not
        finished and under a new one later. The links to messages with results go to a removal, if
        one is named.

        Raises:
            ValueError: no user's id.
        """
        return await self._erase(Erasable.PERSON, user_id, until_ms, removal_id)

    async def erase_guild(self, guild_id: int, *, until_ms: int | None = None) -> Erased:
        """Forget everything that was asked for and set in a guild, likewise.

        Raises:
            ValueError: no guild's id.
        """
        return await self._erase(Erasable.GUILD, guild_id, until_ms, None)

    async def resume(self) -> int:
        """Go on with erasures that were interrupted or wait for jobs; returns how many still do.

        For the start, and every now and then.
        """
        unfinished = 0
        for kind, subject_id in await self._db.read(_unfinished):
            erased = await self._erase_jobs(kind, subject_id, Counter())
            unfinished += bool(erased.waiting)
        return unfinished

    async def unfinished(self) -> int:
        """Tell how many erasures are not finished."""
        return len(await self._db.read(_unfinished))

    async def people(self) -> list[int]:
        """List every person whom the database names."""
        return await self._db.read(named_people)

    async def guilds(self) -> list[int]:
        """List every guild that the database names."""
        return await self._db.read(named_guilds)

    async def _erase(
        self, kind: Erasable, subject_id: int, until_ms: int | None, removal_id: int | None
    ) -> Erased:
        if not 0 < subject_id <= MOST_ID:
            raise ValueError(f"not a {kind.value}: {subject_id}")
        asked_ms = self._clock.now_ms() if until_ms is None else until_ms
        order = Order(kind, subject_id, -1 - secrets.randbelow(MOST_ID), asked_ms, removal_id)
        rows = await self._db.write(partial(begin, order, everything=until_ms is None))
        return await self._erase_jobs(kind, subject_id, rows)

    async def _erase_jobs(self, kind: Erasable, subject_id: int, rows: Counter[str]) -> Erased:
        """Erase what has ended. What may take long is read first, so that nobody waits for it."""
        after_ms: int | None = 0
        while after_ms is not None:
            look = partial(next_ended, kind, subject_id, after_ms)
            after_ms = await self._db.read(look, limit_s=_LOOK_S)
            if after_ms is not None:
                run = partial(erase_some, kind, subject_id, after_ms)
                changed, after_ms = await self._db.write(run)
                rows += changed
        order, jobs = await self._db.read(partial(waiting, kind, subject_id), limit_s=_LOOK_S)
        if order is not None and not jobs:
            rows += await self._db.write(partial(finish, order))
        return Erased(dict(rows), jobs)


async def _unfinished(tx: Tx) -> list[tuple[Erasable, int]]:
    rows = await tx.fetch(
        "SELECT name FROM setting WHERE name LIKE $1 ORDER BY changed_at", f"{MARKER}%"
    )
    return [subject_of_marker(row.text("name")) for row in rows]
