"""Tell who minds a pooled budget that 50, 80 or 100% of it is spent: once each in a window.

In the guild's alert channel, else by direct message to whoever set the budget, else to the
operators; the budget of the whole bot is the operators' alone. Which thresholds are reached, and
that each is told once however many processes run, is `bot.storage`'s.
"""

import logging
from collections.abc import Coroutine, Sequence

from bot.alerts import Alerts
from bot.cards import BudgetAlert, Messenger, Posted, RouteBusy, RouteClosed, UploadTooLarge
from bot.delivery import Fate
from bot.errors import LedgerUnavailable
from bot.quotas import Scope
from bot.storage import Crossing, Policies

_log = logging.getLogger(__name__)


class BudgetAlerts:
    """Owns no task: the job that reached a threshold tells it, after its own delivery."""

    def __init__(self, *, policies: Policies, messenger: Messenger, alerts: Alerts) -> None:
        """`alerts` knows the operators."""
        self._policies = policies
        self._messenger = messenger
        self._alerts = alerts
        self._later: set[int] = set()
        """Jobs whose thresholds Discord did not take: a budget that is full has no later job."""

    async def check(self, job_id: int, claimed: Sequence[Crossing] | None = None) -> None:
        """Tell every threshold that a job, whose charges are settled, has reached.

        `claimed` are those that `claim` took over; None: it was not asked.
        """
        try:
            if claimed is None:
                claimed = await self._policies.crossed(job_id)
            for crossing in claimed:
                if await self._tell(crossing):
                    await self._policies.told(crossing)
                else:
                    await self._policies.give_back(crossing)
                    self._later.add(job_id)
        except LedgerUnavailable:
            _log.exception("The budgets of job %d could not be looked at", job_id)

    async def claim(self, job_id: int) -> list[Crossing] | None:
        """Take over what a job has reached: if this process dies before it tells, another does.

        None where the books can't say it now; `check` asks them again.
        """
        try:
            return await self._policies.crossed(job_id)
        except LedgerUnavailable:
            return None

    async def untold(self) -> list[int]:
        """List jobs to `check` anew: nobody told what they reached. Raises LedgerUnavailable."""
        others = await self._policies.untold()
        later, self._later = self._later, set()
        return [*later, *others]

    async def _tell(self, crossing: Crossing) -> bool:
        """Bring it to the first who can be reached; False when a later try may do better."""
        _log.warning(
            "%d%% of a budget is spent: %s %s in guild %d",
            crossing.percent,
            crossing.scope.value,
            crossing.window.value,
            crossing.guild_id,
        )
        card, nonce = BudgetAlert(crossing), f"b{crossing.percent}-{crossing.bucket_id}"
        fates = []
        if crossing.scope is not Scope.BOT and crossing.alert_channel is not None:
            channel_id = crossing.alert_channel
            fates.append(await _try(self._messenger.post(channel_id, card, nonce=nonce)))
        if Fate.DELIVERED not in fates and crossing.set_by is not None:
            direct = self._messenger.direct(crossing.set_by, card, nonce=nonce)
            fates.append(await _try(direct))
        if Fate.DELIVERED not in fates:
            fates += [
                await _try(self._messenger.direct(user_id, card, nonce=nonce))
                for user_id in self._alerts.operators
            ]
        return Fate.DELIVERED in fates or Fate.LATER not in fates


async def _try(sending: Coroutine[object, object, Posted]) -> Fate:
    try:
        await sending
    except RouteBusy as error:
        _log.info("A budget could not be told of just now: %r", error)
        return Fate.LATER
    except (RouteClosed, UploadTooLarge) as error:
        _log.info("A budget could not be told of this way: %r", error)
        return Fate.UNDELIVERABLE
    return Fate.DELIVERED
