"""Tell who minds a guild's money what is spent of it faster than they may think.

50, 80 or 100% of a pooled budget, once each in a window; and a member who spends far more than
usually, once a day. In the guild's alert channel, else by direct message to whoever set the budget
(or has set a limit there last), else to the operators; the budget of the whole bot is the
operators' alone. What is reached, and that it is told once however many processes run, is
`bot.storage`'s.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from bot.alerts import Alerts
from bot.cards import BudgetAlert, SpikeAlert
from bot.errors import LedgerUnavailable
from bot.quotas import Scope
from bot.storage import Crossing, Policies, Spike

_log = logging.getLogger(__name__)

Claimed: TypeAlias = Crossing | Spike
"""Something that was reached, and that whoever claimed it tells."""
Manages: TypeAlias = Callable[[int, int, int | None], Awaitable[bool]]
"""Whether somebody manages a guild now: its id, theirs, and the managers' role, if there is one."""


class BudgetAlerts:
    """Owns no task: the job that reached a threshold tells it, after its own delivery."""

    def __init__(self, *, policies: Policies, alerts: Alerts, manages: Manages) -> None:
        self._policies = policies
        self._alerts = alerts
        self._manages = manages
        self._later: set[int] = set()
        """Jobs whose thresholds Discord did not take: a budget that is full has no later job."""

    async def check(self, job_id: int, claimed: Sequence[Claimed] | None = None) -> None:
        """Tell everything that a job, whose charges are settled, has reached.

        `claimed` is what `claim` took over; None: it was not asked. That may be long ago: what
        took so long may have been told by others meanwhile.
        """
        try:
            if claimed is None:
                claimed = await self._claim(job_id)
            else:
                claimed = [each for each in claimed if await self._policies.renew(each)]
            for each in claimed:
                told = self._tell_spike(each) if isinstance(each, Spike) else self._tell(each)
                if await told:
                    await self._policies.told(each)
                else:
                    await self._policies.give_back(each)
                    self._later.add(job_id)
        except LedgerUnavailable:
            _log.exception("The budgets of job %d could not be looked at", job_id)

    async def claim(self, job_id: int) -> list[Claimed] | None:
        """Take over what a job has reached: if this process dies before it tells, another does.

        None where the books can't say it now; `check` asks them again.
        """
        try:
            return await self._claim(job_id)
        except LedgerUnavailable:
            return None

    async def untold(self) -> list[int]:
        """List jobs to `check` anew: nobody told what they reached. Raises LedgerUnavailable."""
        others = await self._policies.untold()
        later, self._later = self._later, set()
        return [*later, *others]

    async def _claim(self, job_id: int) -> list[Claimed]:
        claimed: list[Claimed] = [*await self._policies.crossed(job_id)]
        spike = await self._policies.spiked(job_id)
        return claimed if spike is None else [*claimed, spike]

    async def _tell(self, crossing: Crossing) -> bool:
        """Bring it to the first who can be reached; False when a later try may do better."""
        _log.warning(
            "%d%% of a budget is spent: %s %s in guild %d",
            crossing.percent,
            crossing.scope.value,
            crossing.window.value,
            crossing.guild_id,
        )
        return await self._alerts.tell_managers(
            BudgetAlert(crossing),
            nonce=f"b{crossing.percent}-{crossing.bucket_id}",
            channel_id=None if crossing.scope is Scope.BOT else crossing.alert_channel,
            user_id=crossing.set_by,
        )

    async def _tell_spike(self, spike: Spike) -> bool:
        """Bring it to those who manage the guild now: what a member spends is nobody else's."""
        _log.warning("A member spends far more than usually in guild %d", spike.guild_id)
        manager = spike.set_by
        if manager is not None:
            role_id = (await self._policies.config(spike.guild_id)).manager_role
            if not await self._manages(spike.guild_id, manager, role_id):
                manager = None
        return await self._alerts.tell_managers(
            SpikeAlert(spike),
            nonce=f"b{spike.percent}-{spike.bucket_id}",
            channel_id=spike.alert_channel,
            user_id=manager,
        )
