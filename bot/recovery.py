"""Close truthfully what earlier processes left open, and keep the leases of this one alive.

At start, and every minute, the ledger's sweeper closes the charges of dead processes; then every
job whose person still waits is told: not sent, finished, or unknown.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Final

from bot.budget_alerts import BudgetAlerts
from bot.charging import Charger
from bot.errors import LedgerUnavailable
from bot.outcomes import stored_report
from bot.storage import Jobs, Ledger
from bot.telling import Teller

_log = logging.getLogger(__name__)

HEARTBEAT_SECONDS: Final = 20
SWEEP_SECONDS: Final = 60
FINISH_SECONDS: Final = 30
TOLD_AT_ONCE: Final = 4
"""How many jobs are told of side by side: one that Discord does not take waits for minutes."""


class Recovery:
    """Owns no task: `run` is one, of whoever starts it."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        jobs: Jobs,
        charger: Charger,
        teller: Teller,
        budgets: BudgetAlerts,
        alone: bool,
    ) -> None:
        """`alone`: no other process may have this database open, so all others are dead."""
        self._ledger = ledger
        self._jobs = jobs
        self._charger = charger
        self._teller = teller
        self._budgets = budgets
        self._alone = alone
        self._swept = asyncio.Event()
        self._telling = asyncio.Lock()
        self._finishing = False
        self._again: set[int] = set()
        """Jobs that are ours to tell of, and that could not be read."""
        self._pressing: set[int] = set()
        """Jobs that may have brought a pooled budget to a threshold of which nobody was told."""

    async def run(self, ready: asyncio.Event) -> None:
        """Beat from the start; once `ready` (Discord is connected), sweep and tell, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._beat(), name="heartbeat")
            group.create_task(self._sweep(ready), name="sweeper")
            group.create_task(self._tell_after_sweeps(), name="teller")

    async def finish(self) -> None:
        """Tell of no more jobs, and wait for those that are being told of: half told is untidy.

        Not for long: what Discord does not take now is told at the next start.
        """
        self._finishing = True
        with suppress(TimeoutError):
            async with asyncio.timeout(FINISH_SECONDS), self._telling:
                pass

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                await self._ledger.heartbeat()
            except LedgerUnavailable:
                _log.exception("The heartbeat could not be recorded")

    async def _sweep(self, ready: asyncio.Event) -> None:
        await ready.wait()
        first = True
        while True:
            try:
                await self._close_charges(adopt_all=first and self._alone)
                first = False
            except LedgerUnavailable:
                _log.exception("The ledger could not be swept")
            else:
                self._swept.set()
            await asyncio.sleep(SWEEP_SECONDS)

    async def _tell_after_sweeps(self) -> None:
        """Apart from the sweeps, which must not wait for a Discord that is down."""
        while True:
            await self._swept.wait()
            self._swept.clear()
            try:
                await self._tell_all()
            except LedgerUnavailable:
                _log.exception("The open jobs could not be read")

    async def sweep(self, *, adopt_all: bool = False) -> None:
        """Sweep once, and tell everybody whose job has ended without their knowing."""
        await self._close_charges(adopt_all=adopt_all)
        await self._tell_all()

    async def _close_charges(self, *, adopt_all: bool) -> None:
        await self._charger.record_late()  # before it is presumed
        swept = await self._ledger.sweep(adopt_all=adopt_all)
        for charge_id in swept.presumed_charges:
            _log.warning("Charge %d counts as spent: no answer came in time", charge_id)
        self._pressing.update(swept.pressing_jobs)  # at once: no later sweep finds them again
        self._pressing.update(await self._budgets.untold())

    async def _tell_all(self) -> None:
        async with self._telling:
            await self._teller.deliver_late()
            await self._teller.tell_interrupted()
            again, self._again = self._again, set()
            waiting = [*again, *await self._jobs.open_deliveries()]
            side_by_side = asyncio.Semaphore(TOLD_AT_ONCE)

            async def tell(job_id: int) -> None:
                async with side_by_side:
                    await self._tell_safely(job_id)

            await asyncio.gather(*(tell(job_id) for job_id in waiting))
            while self._pressing and not self._finishing:
                await self._budgets.check(self._pressing.pop())

    async def _tell_safely(self, job_id: int) -> None:
        """Tell of one job; that it can't be told must not keep the others waiting."""
        if self._finishing:
            return
        try:
            await self._tell(job_id)
        except LedgerUnavailable:
            _log.exception("Job %d could not be read", job_id)
            self._again.add(job_id)
        except Exception:  # noqa: BLE001 - a row that makes no sense is one job's trouble only
            _log.exception("Job %d of an earlier process can't be told", job_id)

    async def _tell(self, job_id: int) -> None:
        if not await self._jobs.claim_delivery(job_id):
            return
        job = await self._jobs.get(job_id)
        if job is None:
            return
        report = stored_report(job, restarted=True)
        if report is None:
            await self._jobs.mark_undeliverable(job_id, reason="no message")
            return
        _log.info("Closing job %d of an earlier process", job_id)
        await self._teller.deliver(report)
        self._pressing.add(job_id)  # its process may have died before it looked at the budgets
