"""The one use case: admit -> hold -> call -> settle -> deliver.

A cog hands over plain data; from then on the job is owned here, so that neither a cancelled
command nor a lost connection loses money or a picture. `bot.planning` checks a request,
`bot.charging` sends it and keeps the books, `bot.telling` tells its person. Owns no Discord, no
SQL, no HTTP.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypedDict
from weakref import WeakValueDictionary

from msgspec.structs import replace

from bot.budget_alerts import BudgetAlerts
from bot.cards import Progress
from bot.charging import LEASE_MS, Admitted, Charger
from bot.clock import Clock
from bot.delivery import Delivery
from bot.errors import ShuttingDown
from bot.ids import make_id
from bot.inputs import Basket, Inputs
from bot.money import Micros
from bot.outcomes import Assignment, Report
from bot.planner import Planner
from bot.planning import Plan
from bot.requests import Actor, ImageRequest, ReplyRoute
from bot.scheduler import Place, Scheduler
from bot.storage import DuplicateJob, HeldJob, Ledger, NewCharge, NewJob, PolicyChanged
from bot.telling import Teller

_log = logging.getLogger(__name__)

_MOST_PLANS: Final = 5
"""How often a job is judged while its guild's rules are being changed."""


class _Priced(TypedDict):
    """What a new job has from its plan."""

    request: ImageRequest
    charges: tuple[NewCharge, ...]
    about: Micros | None
    policy_version: int


def _priced(planned: Plan) -> _Priced:
    return {
        "request": planned.request,
        "charges": tuple(NewCharge(part.model.id, part.ceiling) for part in planned.parts),
        "about": planned.about,
        "policy_version": planned.policy_version,
    }


class Generation:
    """Runs jobs and owns them from their hold to their delivery."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        charger: Charger,
        teller: Teller,
        planner: Planner,
        inputs: Inputs,
        scheduler: Scheduler,
        delivery: Delivery,
        budgets: BudgetAlerts,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self.charger = charger
        self._teller = teller
        self._planner = planner
        self._inputs = inputs
        self._scheduler = scheduler
        self._delivery = delivery
        self._budgets = budgets
        self._clock = clock
        self._tasks: set[asyncio.Future[None]] = set()
        self._gathering: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    @property
    def in_flight(self) -> int:
        """How many jobs have requests on their way."""
        return self._scheduler.running

    async def submit(
        self,
        actor: Actor,
        request: ImageRequest,
        reply: ReplyRoute,
        *,
        idem: str,
        parent_id: int | None = None,
        agreed: Micros = 0,
    ) -> int:
        """Hold the job's money and start it; returns its id while it still waits or works.

        `agreed`: what the person has said that it may cost.

        Raises:
            BotError: the job was refused; nothing was sent and nothing is held.
        """
        self._scheduler.check_room(actor.user_id)
        planned = await self._planner.plan(actor, request)
        # Before anything is held: a bad picture costs nothing, and no money waits for a download.
        basket = await self._gather(actor, planned, reply)
        try:
            new = self._new_job(
                actor, planned, reply, idem=idem, parent_id=parent_id, agreed=agreed
            )
            planned, held, place = await self._admit_as_judged(new, request, planned)
        except BaseException as error:
            await basket.close()
            if isinstance(error, DuplicateJob):  # its answer comes from the first
                await self._teller.keep_promise(reply)
            raise
        job = Assignment(held.job_id, actor, planned.request, planned.model.id, reply, parent_id)
        running = self._run(Admitted(job, planned, held, basket), place)
        task = asyncio.create_task(running, name=f"job-{job.id}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return job.id

    async def _gather(self, actor: Actor, planned: Plan, reply: ReplyRoute) -> Basket:
        """Fetch what is edited: of one person one job after the other, so that others get turns."""
        if not planned.request.is_edit:
            return Basket()
        await self._ledger.check(actor, price=max(part.ceiling for part in planned.parts))
        await self._teller.promise(actor, planned.request, reply)
        lane = self._gathering.setdefault(actor.user_id, asyncio.Lock())
        async with lane:
            return await self._inputs.gather(planned.request, in_memory=True)

    def _new_job(
        self,
        actor: Actor,
        planned: Plan,
        reply: ReplyRoute,
        *,
        idem: str,
        parent_id: int | None,
        agreed: Micros,
    ) -> NewJob:
        return NewJob(
            id=make_id(self._clock),
            idem=idem,
            actor=actor,
            reply=reply,
            created_ms=self._clock.now_ms(),
            parent_id=parent_id,
            agreed=agreed,
            **_priced(planned),
        )

    async def _admit_as_judged(
        self, new: NewJob, request: ImageRequest, planned: Plan
    ) -> tuple[Plan, HeldJob, Place]:
        """Admit a job by the rules that its plan was made by, or by a new plan of it.

        Raises:
            PolicyChanged: they are changed faster than anybody can judge.
        """
        for _ in range(_MOST_PLANS - 1):
            try:
                return planned, *(await self._admit(new))
            except PolicyChanged:
                planned = await self._planner.plan_anew(new.actor, request)
                new = replace(new, **_priced(planned))
        return planned, *(await self._admit(new))

    async def _admit(self, new: NewJob) -> tuple[HeldJob, Place]:
        """Take a place in the queue and hold the money: both or none."""
        # Others may have come in between, while pictures were fetched.
        self._scheduler.check_room(new.actor.user_id)
        place = self._scheduler.enter(new.actor.user_id)
        lease_ms = LEASE_MS if self._scheduler.has_turn(place) else None
        try:
            return await self._ledger.hold(new, dispatch_lease_ms=lease_ms), place
        except BaseException:
            self._scheduler.leave(place)
            raise

    @contextmanager
    def taking(self) -> Iterator[None]:
        """Let a stop wait for the block: who is being answered must not be left halfway."""
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks.add(answered)
        try:
            yield
        finally:
            self._tasks.discard(answered)
            answered.set_result(None)

    async def drain(self, tell: Callable[[int], None]) -> None:
        """Take no more jobs, send the waiting ones away, and wait for those that were sent.

        `tell` gets the number of jobs that are waited for.
        """
        self._scheduler.close()
        self._inputs.stop()
        self._delivery.stop()
        tell(self.in_flight)
        await self.idle()
        await self.charger.record_late()
        await self._delivery.close()

    async def idle(self) -> None:
        """Wait until everybody who asked is answered, and every job that was started has ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The sweeper closes what such a job left open; nothing is lost but time.
            _log.error("%s ended with a fault", task.get_name(), exc_info=error)

    async def _run(self, admitted: Admitted, place: Place) -> None:
        job = admitted.job
        late = Progress(job, self._clock.now_ms(), late=True)
        try:
            async with self._delivery.lateness.watching(late):
                report = await self._work_or_salvage(admitted, place)
        finally:
            await admitted.basket.close()
        pressing = any(part.presses_budget for part in report.parts)
        # Claimed before the job counts as delivered: a kill in between loses no alert.
        claimed = await self._budgets.claim(job.id) if pressing else None
        await self._teller.deliver(report)
        if pressing:
            await self._budgets.check(job.id, claimed)

    async def _work_or_salvage(self, admitted: Admitted, place: Place) -> Report:
        try:
            return await self._work(admitted, place)
        except Exception:  # noqa: BLE001 - whatever broke, money and person must not hang
            _log.exception("A fault in job %d", admitted.job.id)
            return await self.charger.salvage(admitted.job)

    async def _work(self, admitted: Admitted, place: Place) -> Report:
        job = admitted.job
        try:
            if not self._scheduler.has_turn(place):
                waiting = Progress(job, self._clock.now_ms(), ahead=place.ahead)
                await self._delivery.progress(waiting)
            return await self._work_in_turn(admitted, place)
        except ShuttingDown as error:
            parts = await self.charger.release_all(admitted, error)
            return Report(job, parts, restarted=True, notes=admitted.plan.notes)

    async def _work_in_turn(self, admitted: Admitted, place: Place) -> Report:
        job = admitted.job
        # The slot is free before the showing ends: nobody has to wait for an edit on its way.
        async with self._delivery.showing() as show, self._scheduler.slot(place):
            began = time.monotonic()
            show(Progress(job, self._clock.now_ms()))
            parts = await self.charger.charge_all(admitted)
            seconds = time.monotonic() - began
        return Report(job, parts, seconds=seconds, notes=admitted.plan.notes)
