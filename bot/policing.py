"""What each guild lets its members use, kept in memory: `bot.policy` as it is set now.

Read when it is first asked for, forgotten when this process changes it, read again after a minute
for what other processes change. A job is judged by what is in memory; that this was the latest is
checked in the transaction that holds its money, so nothing passes by a rule of yesterday.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from typing import Final
from weakref import WeakValueDictionary

from msgspec import Struct

from bot.aside import aside
from bot.blocklist import Blocklist
from bot.errors import LedgerUnavailable, PromptBlocked
from bot.policy import Allowance, ModelPolicy
from bot.requests import NO_GUILD, Actor
from bot.storage import ModelPolicies

_log = logging.getLogger(__name__)

TRUSTED_S: Final = 60.0
_LISTS_WAIT_S: Final = 1.0
"""How long a list that somebody opens may wait for the database; Discord waits three seconds."""
_MOST_GUILDS: Final = 5_000
_SHORT: Final = 200
"""Characters of a prompt in which a few entries are looked for at once, without a thread."""
_FEW: Final = 50


class _Known(Struct, frozen=True):
    policy: ModelPolicy
    blocklist: Blocklist
    read_at: float
    """In seconds of the monotonic clock."""


class Policing:
    """Answers what somebody may use where they are."""

    def __init__(
        self,
        store: ModelPolicies,
        *,
        blocklist: Blocklist | None = None,
        trusted_s: float = TRUSTED_S,
    ) -> None:
        """`blocklist`: the operator's own, which holds everywhere.

        `trusted_s`: after so long another process may have changed a guild's rules.
        """
        self._trusted_s = trusted_s
        self._store = store
        self._everywhere = blocklist or Blocklist()
        self._known: OrderedDict[int, _Known] = OrderedDict()
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._reading: dict[int, bool] = {}
        """Guilds that are being read, and whether what comes may be kept."""

    async def for_guild(self, guild_id: int) -> ModelPolicy:
        """Return a guild's policy; outside guilds there is none.

        Raises:
            LedgerUnavailable: it has to be read, and can't be.
        """
        return (await self._of(guild_id)).policy

    async def allowed(self, actor: Actor) -> Allowance:
        """Return what `actor` may use where they are. Raises LedgerUnavailable."""
        return Allowance(await self.for_guild(actor.guild_id), actor)

    async def shown(self, actor: Actor) -> Allowance:
        """Like `allowed`, for what is only shown: never fails, and hardly ever waits.

        While the database can't be read it shows what was allowed before, or everything; what is
        run is judged again.
        """
        if (known := self._trusted(actor.guild_id)) is not None:  # nearly always: no timer for it
            return Allowance(known.policy, actor)
        try:
            async with asyncio.timeout(_LISTS_WAIT_S):
                return await self.allowed(actor)
        except (LedgerUnavailable, TimeoutError):
            _log.warning("The policy of guild %d can't be read just now", actor.guild_id)
        known = self._known.get(actor.guild_id, _NOTHING)
        return Allowance(known.policy, actor)

    def forget_guild(self, guild_id: int) -> None:
        """Read a guild's policy anew when it is next asked for: it has changed."""
        self._known.pop(guild_id, None)
        if guild_id in self._reading:
            self._reading[guild_id] = False  # it may be what was there before the change

    async def check_prompt(self, guild_id: int, prompt: str) -> None:
        """Refuse a prompt that says what it may not.

        Raises:
            PromptBlocked: it has words that the operator or the guild blocks.
            LedgerUnavailable: what the guild blocks can't be read.
        """
        await _look_for(self._everywhere, prompt, by_operator=True)
        await _look_for((await self._of(guild_id)).blocklist, prompt, by_operator=False)

    async def _of(self, guild_id: int) -> _Known:
        if (known := self._trusted(guild_id)) is not None:
            return known
        if guild_id == NO_GUILD:
            return _NOTHING
        # One reads, others wait for it.
        async with self._locks.setdefault(guild_id, asyncio.Lock()):
            if (known := self._trusted(guild_id)) is not None:
                return known
            self._reading[guild_id] = True
            try:
                policy = await self._store.read(guild_id)
            finally:
                may_keep = self._reading.pop(guild_id)
            known = _Known(policy, Blocklist(policy.blocked_phrases), time.monotonic())
            if may_keep:
                self._known[guild_id] = known
                while len(self._known) > _MOST_GUILDS:
                    self._known.popitem(last=False)
            return known

    def _trusted(self, guild_id: int) -> _Known | None:
        known = self._known.get(guild_id)
        if known is None or time.monotonic() - known.read_at >= self._trusted_s:
            return None
        return known


_NOTHING: Final = _Known(ModelPolicy(), Blocklist(), 0.0)


async def _look_for(blocklist: Blocklist, prompt: str, *, by_operator: bool) -> None:
    if not blocklist:
        return
    if len(prompt) <= _SHORT and len(blocklist) <= _FEW:
        found = blocklist.find(prompt)
    else:
        found = await aside(blocklist.find, prompt)
    if found is not None:
        raise PromptBlocked(found, by_operator=by_operator)
