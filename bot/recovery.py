"""Close truthfully what earlier processes left open, and keep the leases of this one alive.

At start, and every minute, the ledger's sweeper closes the charges of dead processes; then every
job whose person still waits is told: not sent, finished, or unknown.
"""

import asyncio
import logging
from typing import Final

from bot.errors import LedgerUnavailable
from bot.generation import Generation
from bot.outcomes import stored_report
from bot.storage import Jobs, Ledger

_log = logging.getLogger(__name__)

HEARTBEAT_SECONDS: Final = 20
SWEEP_SECONDS: Final = 60


class Recovery:
    """Owns no task: `run` is one, of whoever starts it."""

    def __init__(self, *, ledger: Ledger, jobs: Jobs, generation: Generation, alone: bool) -> None:
        """`alone`: no other process may have this database open, so all others are dead."""
        self._ledger = ledger
        self._jobs = jobs
        self._generation = generation
        self._alone = alone

    async def run(self, ready: asyncio.Event) -> None:
        """Beat from the start; once `ready` (Discord is connected), sweep and tell, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._beat(), name="heartbeat")
            group.create_task(self._sweep(ready), name="sweeper")

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
                await self.sweep(adopt_all=first and self._alone)
                first = False
            except LedgerUnavailable:
                _log.exception("The ledger could not be swept")
            await asyncio.sleep(SWEEP_SECONDS)

    async def sweep(self, *, adopt_all: bool = False) -> None:
        """Sweep once, and tell everybody whose job has ended without their knowing."""
        swept = await self._ledger.sweep(adopt_all=adopt_all)
        for charge_id in swept.presumed_charges:
            _log.warning("Charge %d counts as spent: no answer came in time", charge_id)
        await self._generation.deliver_late()
        for job_id in await self._jobs.open_deliveries():
            await self._tell(job_id)

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
        await self._generation.deliver(report)
