"""What is kept no longer: erasures that wait, what guilds keep for some days, guilds that left.

Owns the tasks that see to it, at the start, every minute and every hour. Nothing here is in a
hurry, and nothing that goes wrong here ends the bot: it is tried again.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Protocol

from bot.aside import aside
from bot.clock import Clock
from bot.errors import LedgerUnavailable
from bot.privacy import Privacy
from bot.removing import Remover
from bot.storage import DAY_MS, Retention, forget_backups
from bot.takeout import Takeouts

_log = logging.getLogger(__name__)

GO_ON_SECONDS: Final = 60
TIDY_SECONDS: Final = 3600
JITTER: Final = 0.2
"""How much earlier or later that is: several processes need not begin together."""
LEFT_DAYS: Final = 30
"""How long the data of a guild that the bot has left is kept."""
BACKUP_DAYS: Final = 30
"""How long copies are kept that the bot made before it changed the tables."""


class Membership(Protocol):
    """In which guilds the bot is, as far as this process can know."""

    def here(self) -> frozenset[int]:
        """Return the guilds of this process' shards, those that are down just now included."""
        ...

    def ours(self, guild_id: int) -> bool:
        """Whether a guild would be among them."""
        ...

    async def is_gone(self, guild_id: int) -> bool:
        """Ask Discord; False unless it says that the bot is no member there."""
        ...


class Keeper:
    """Owns no task: `run` is one, of whoever starts it."""

    def __init__(
        self,
        privacy: Privacy,
        *,
        retention: Retention,
        remover: Remover,
        takeouts: Takeouts,
        membership: Membership,
        clock: Clock,
        default_days: int,
        file: Path | None,
    ) -> None:
        """`default_days`: for guilds that set nothing, 0 for good; `file`: the database, if one."""
        self._privacy = privacy
        self._retention = retention
        self._remover = remover
        self._takeouts = takeouts
        self._membership = membership
        self._clock = clock
        self._default_days = default_days
        self._file = file

    async def run(self, ready: asyncio.Event) -> None:
        """Erase again at once; once `ready` (Discord is connected), see to the rest, for ever."""
        await self._insist(self._privacy.reapply)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_on(), name="erasures")
            group.create_task(self._keep_tidy(ready), name="retention")
            group.create_task(self._remove(ready), name="removals")

    async def tidy(self) -> None:
        """Do once what is done every hour."""
        deleted = False
        for guild_id, days in await self._periods():
            if await self._retention.sweep(guild_id, days=days):
                _log.info("Words and links in guild %d were older than %d days", guild_id, days)
                deleted = True
        if deleted:
            await self._privacy.clean()
        await self._erase_left()
        if self._file is not None:
            before_ms = self._clock.now_ms() - BACKUP_DAYS * DAY_MS
            await aside(forget_backups, self._file, before_ms=before_ms)
        await self._takeouts.tidy()

    async def guild_left(self, guild_id: int) -> None:
        """Note that the bot was removed from a guild. Raises LedgerUnavailable."""
        if await self._retention.leave(guild_id):
            _log.info("The bot has left guild %d; its data is kept %d days", guild_id, LEFT_DAYS)

    async def guild_joined(self, guild_id: int) -> None:
        """Note that the bot is in a guild. Raises LedgerUnavailable."""
        if await self._retention.come_back(guild_id):
            _log.info("The bot is back in guild %d", guild_id)

    async def notice(self) -> None:
        """Find the guilds that the bot has left, or come back to, while it did not run.

        Only once every shard of this process has named its guilds, and then Discord is asked about
        each: a guild that is down is none that was left. Raises LedgerUnavailable.
        """
        here = self._membership.here()
        left = await self._retention.left()
        for guild_id in here & left.keys():
            await self.guild_joined(guild_id)
        for kept in await self._retention.kept():
            guild_id = kept.guild_id
            known = not guild_id or guild_id in here or guild_id in left
            if known or not self._membership.ours(guild_id):
                continue
            if await self._membership.is_gone(guild_id):
                await self.guild_left(guild_id)

    async def _periods(self) -> list[tuple[int, int]]:
        """Guilds that keep things for so many days only."""
        return [
            (kept.guild_id, days)
            for kept in await self._retention.kept()
            if (days := self._default_days if kept.days is None else kept.days)
        ]

    async def _erase_left(self) -> None:
        """Erase guilds that were left long ago, and what has come since when that is long ago.

        Not those whose commands are used all the same, which a guild can have without the bot.
        """
        due_ms = self._clock.now_ms() - LEFT_DAYS * DAY_MS
        for guild_id, left_ms in (await self._retention.left()).items():
            if left_ms > due_ms or not self._membership.ours(guild_id):
                continue
            if guild_id in self._membership.here():
                await self.guild_joined(guild_id)
            elif await self._retention.last_asked(guild_id) <= due_ms:
                await self._privacy.erase_guild(guild_id)
                await self._retention.leave(guild_id, again=True)

    async def _keep_on(self) -> None:
        while True:
            await self._safely(self._privacy.go_on)
            await asyncio.sleep(GO_ON_SECONDS)

    async def _keep_tidy(self, ready: asyncio.Event) -> None:
        await ready.wait()
        while True:
            # Every time, since neither Discord nor the database need have answered the last one.
            await self._safely(self.notice)
            await self._safely(self.tidy)
            await asyncio.sleep(TIDY_SECONDS * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311

    async def _remove(self, ready: asyncio.Event) -> None:
        await ready.wait()
        while True:
            await self._safely(self._remover.run)
            await asyncio.sleep(GO_ON_SECONDS)

    async def _insist(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do `work` until it can be done: nobody who was erased may stay after a restore."""
        while True:
            if await self._safely(work):
                return
            await asyncio.sleep(GO_ON_SECONDS)

    async def _safely(self, work: Callable[[], Awaitable[object]]) -> bool:
        try:
            await work()
        except LedgerUnavailable:
            _log.exception("What is kept no longer is deleted later")
            return False
        except Exception:  # noqa: BLE001 - whatever it is, the bot makes pictures all the same
            _log.exception("A fault in deleting what is kept no longer")
            return False
        return True
