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

    async def check(self, job_id: int) -> None:
        """Tell every threshold that a job, whose charges are settled, has reached."""
        await self.tell(await self.claim(job_id))

    async def claim(self, job_id: int) -> Sequence[Claimed]:
        """Take over to `tell` what a job has reached: if this process dies, another one does."""
        try:
            crossings = await self._policies.crossed(job_id)
            spike = await self._policies.spiked(job_id)
        except LedgerUnavailable:
            _log.exception("The budgets of job %d could not be looked at", job_id)
            return []
        return crossings if spike is None else [*crossings, spike]

    async def tell(self, claimed: Sequence[Claimed]) -> None:
        """Tell thresholds that were claimed."""
        for each in claimed:
            told = self._tell_spike(each) if isinstance(each, Spike) else self._tell(each)
            try:
                await (self._policies.told if await told else self._policies.give_back)(each)
            except LedgerUnavailable:
                _log.exception("That a budget was told of could not be recorded")

    async def untold(self) -> list[int]:
        """List jobs whose thresholds were claimed and not told. Raises LedgerUnavailable."""
        return await self._policies.untold()

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
