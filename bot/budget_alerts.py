"""Tell who minds a pooled budget that 50, 80 or 100% of it is spent: once each in a window.

In the guild's alert channel, else by direct message to whoever set the budget, else to the
operators; the budget of the whole bot is the operators' alone. Which thresholds are reached, and
that each is told once however many processes run, is `bot.storage`'s.
"""

import logging

from bot.alerts import Alerts
from bot.cards import BudgetAlert, Messenger, RouteBusy, RouteClosed, UploadTooLarge
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

    async def check(self, job_id: int) -> None:
        """Tell every threshold that a job, whose charges are settled, has reached."""
        try:
            for crossing in await self._policies.crossed(job_id):
                if not await self._tell(crossing):
                    await self._policies.give_back(crossing)
        except LedgerUnavailable:
            _log.exception("The budgets of job %d could not be looked at", job_id)

    async def _tell(self, crossing: Crossing) -> bool:
        """Bring it to the first who can be reached; False when a later try may do better."""
        _log.warning(
            "%d%% of a budget is spent: %s %s in guild %d",
            crossing.percent,
            crossing.scope.value,
            crossing.window.value,
            crossing.guild_id,
        )
        card = BudgetAlert(crossing)
        nonce = f"b{crossing.percent}-{crossing.bucket_id}"
        busy = False
        pooled_here = crossing.scope is not Scope.BOT
        if pooled_here and crossing.alert_channel is not None:
            try:
                await self._messenger.post(crossing.alert_channel, card, nonce=nonce)
            except (RouteClosed, UploadTooLarge) as error:
                _log.info("The alert channel of guild %d is shut: %r", crossing.guild_id, error)
            except RouteBusy:
                busy = True
            else:
                return True
        if crossing.set_by is not None and await self._direct(crossing.set_by, card, nonce):
            return True
        told = [await self._direct(user_id, card, nonce) for user_id in self._alerts.operators]
        return any(told) or not busy

    async def _direct(self, user_id: int, card: BudgetAlert, nonce: str) -> bool:
        try:
            await self._messenger.direct(user_id, card, nonce=nonce)
        except (RouteClosed, RouteBusy, UploadTooLarge) as error:
            _log.info("The user %d could not be told of a budget: %r", user_id, error)
            return False
        return True
