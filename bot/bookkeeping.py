"""Write what became of a charge into the ledger, however long that takes to come back.

What the database does not take within minutes is kept in memory and written at a later sweep, or
at the stop: a cost that is known must not be forgotten, and the ledger takes a truth that is late.
Until then the sweeper may presume the hold. Owns no task, and no rules about money.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bot.alerts import Alerts
from bot.budget_alerts import BudgetAlerts
from bot.cards import Alert, Trouble
from bot.errors import LedgerUnavailable
from bot.money import Micros, format_usd
from bot.storage import ChargeState, Ledger, Output, Settlement

_log = logging.getLogger(__name__)

DELAYS: Final = (0.2, 0.5, 1, 2, 5, 10, 20, 30, 60)
"""Seconds between the tries to record an outcome, before its job goes on without."""
MOST_LATE: Final = 500
"""How many outcomes are kept for later; what comes on top is only in the log."""


class Outcome(Struct, frozen=True):
    """What became of one charge. `cost` is for `SETTLED`; `reason` is why there is no picture."""

    job_id: int
    charge_id: int
    model: str
    held: Micros
    state: ChargeState
    cost: Micros = 0
    reason: str = ""
    outputs: tuple[Output, ...] = ()


class Bookkeeper:
    """Records outcomes, and remembers those that could not be recorded yet."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        alerts: Alerts,
        budgets: BudgetAlerts,
        delays: Sequence[float] = DELAYS,
    ) -> None:
        self._ledger = ledger
        self._alerts = alerts
        self._budgets = budgets
        self._delays = delays
        self._late: dict[int, Outcome] = {}

    async def record(self, outcome: Outcome) -> Settlement | None:
        """Write an outcome, now or later; what settling did, where it is settled now."""
        for delay in (*self._delays, None):
            try:
                return await self._write(outcome)
            except LedgerUnavailable:
                self._alerts.raise_alert(Alert(Trouble.LEDGER))
                if delay is not None:
                    await asyncio.sleep(delay)
            except Exception:  # noqa: BLE001 - whatever broke, its picture must reach its person
                _log.exception("A fault while charge %d was recorded", outcome.charge_id)
                break
        self._keep(outcome)
        return None

    async def record_late(self) -> None:
        """Write what could not be written before; called every minute, and at the stop."""
        for charge_id, outcome in list(self._late.items()):
            try:
                settled = await self._write(outcome)
                if settled is not None and settled.presses_budget:
                    await self._budgets.check(outcome.job_id)
            except LedgerUnavailable:
                _log.exception("%d outcomes can't be recorded yet", len(self._late))
                # Last in line: were it this one's own trouble, it must not keep back the others.
                self._late[charge_id] = self._late.pop(charge_id, outcome)
                return
            except Exception:  # noqa: BLE001 - one that makes no sense must not stop the sweeps
                _log.critical("A fault in charge %d: %s", charge_id, _told(outcome), exc_info=True)
            else:
                _log.warning("Charge %d is recorded at last: %s", charge_id, _told(outcome))
            self._late.pop(charge_id, None)

    def _keep(self, outcome: Outcome) -> None:
        charge_id = outcome.charge_id
        if len(self._late) >= MOST_LATE:
            _log.critical("Charge %d is not recorded: %s", charge_id, _told(outcome))
            return
        _log.error("Charge %d is not recorded yet: %s", charge_id, _told(outcome))
        # Its pictures are on their way to the person; only their number is of use later.
        counted = tuple(replace(output, data=None) for output in outcome.outputs)
        self._late[charge_id] = replace(outcome, outputs=counted)

    async def _write(self, outcome: Outcome) -> Settlement | None:
        charge_id, outputs = outcome.charge_id, outcome.outputs
        match outcome.state:
            case ChargeState.SETTLED:
                settled = await self._ledger.settle(
                    charge_id, actual=outcome.cost, outputs=outputs, reason=outcome.reason
                )
                self._tell_overrun(outcome, settled)
                return settled
            case ChargeState.UNKNOWN:
                await self._ledger.mark_unknown(charge_id, reason=outcome.reason, outputs=outputs)
            case ChargeState.RELEASED:
                await self._ledger.release(charge_id, reason=outcome.reason)
            case _:
                raise AssertionError(f"{outcome.state} is no outcome")
        return None

    def _tell_overrun(self, outcome: Outcome, settled: Settlement) -> None:
        if settled.overrun:
            cost, held = format_usd(outcome.cost), format_usd(outcome.held)
            detail = f"{outcome.model}: {cost} instead of {held}"
            self._alerts.raise_alert(Alert(Trouble.OVERRUN, detail))


def _told(outcome: Outcome) -> str:
    if outcome.state is ChargeState.SETTLED:
        return f"its cost is {format_usd(outcome.cost)}"
    return f"it is {outcome.state.value}"
