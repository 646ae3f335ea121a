"""The one use case: admit -> hold -> call -> settle -> deliver.

A cog hands over plain data; from then on the job is owned here, so that neither a cancelled
command nor a lost connection loses money or a picture. Every request is dispatched in the ledger
before it goes out, and settled before its picture is delivered. Owns no Discord, no SQL, no HTTP.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from bot.alerts import Alerts
from bot.budget_alerts import BudgetAlerts
from bot.cards import Alert, Failure, Progress, Result, Spent, Trouble
from bot.catalog import Ability, Catalog, Model, parse_size
from bot.clock import Clock
from bot.delivery import Delivery, Fate
from bot.errors import BotError, InvalidOption, LedgerUnavailable, ShuttingDown, UnpricedModel
from bot.ids import make_id
from bot.imagerouter import (
    BadKey,
    Billing,
    ImageRouter,
    ImageRouterError,
    NoCredits,
    OutcomeUnknown,
    RemotePicture,
    ResponseFormat,
)
from bot.imagerouter import Generation as Answer
from bot.money import Micros, format_usd
from bot.offers import Offers
from bot.outcomes import Assignment, Note, Part, Report, stored_report
from bot.quotas import NeedsConfirmation, PictureTooDear, QuotaExceeded, Window, window_at
from bot.remedies import remedies
from bot.requests import Actor, ImageRequest, Quality, ReplyRoute
from bot.scheduler import Place, Scheduler
from bot.storage import ChargeState, HeldJob, Jobs, Ledger, NewJob, Output, Policies

_T = TypeVar("_T")

_log = logging.getLogger(__name__)

MOST_PICTURES: Final = 4
MOST_PROMPT: Final = 6_000
"""Characters of a prompt; Discord's own limit for a text option."""
LEASE_MS: Final = 11 * 60_000
"""How long an answer is awaited: ImageRouter's client gives up after 10 minutes."""
_RECORD_DELAYS: Final = (0.2, 0.5, 1, 2, 5, 10, 20, 30, 60)
"""Seconds between the tries to record an outcome that must not be lost."""

_MOST_UNDELIVERED: Final = 200
"""Reports kept in memory for a later try; the rest is told at the next start."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A request that can work: its model is chosen, its options are checked."""

    request: ImageRequest
    model: Model
    ceiling: Micros
    """What one picture may cost at most; held once for each."""
    notes: frozenset[Note]


class Generation:
    """Runs jobs and owns them from their hold to their delivery."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        jobs: Jobs,
        catalog: Catalog,
        router: ImageRouter,
        scheduler: Scheduler,
        delivery: Delivery,
        offers: Offers,
        alerts: Alerts,
        policies: Policies,
        budgets: BudgetAlerts,
        clock: Clock,
        default_model: str | None,
    ) -> None:
        self._ledger = ledger
        self._jobs = jobs
        self._catalog = catalog
        self._router = router
        self._scheduler = scheduler
        self._delivery = delivery
        self._offers = offers
        self._alerts = alerts
        self._policies = policies
        self._budgets = budgets
        self._clock = clock
        self._default_model = default_model
        self._tasks: set[asyncio.Future[None]] = set()
        self._undelivered: dict[int, Report] = {}

    @property
    def in_flight(self) -> int:
        """How many jobs have requests on their way."""
        return self._scheduler.running

    def plan(self, request: ImageRequest) -> Plan:
        """Check everything that can be checked before it costs anything.

        Raises:
            RequestError: the option, the model or its price cannot work; it carries what would.
        """
        if not request.prompt.strip():
            hint = "a few words on what you would like to see"
            raise InvalidOption("prompt", request.prompt, hint)
        if len(request.prompt) > MOST_PROMPT:
            raise InvalidOption("prompt", request.prompt, f"at most {MOST_PROMPT:,} characters")
        if not 1 <= request.count <= MOST_PICTURES:
            raise InvalidOption("count", str(request.count), f"a number from 1 to {MOST_PICTURES}")
        size = parse_size(request.size)
        notes = set()
        if request.model is None:
            model = self._catalog.choose_default(self._default_model)
            if self._default_model is not None and model.id != self._default_model:
                notes.add(Note.MODEL_CHOSEN)
        else:
            model = self._catalog.require(request.model)
        if model.ceiling is None:
            raise UnpricedModel(model.id)
        if model.is_test:
            notes.add(Note.TEST_MODEL)
        quality = request.quality
        if quality is not Quality.AUTO and not model.can({Ability.QUALITY}):
            notes.add(Note.QUALITY_IGNORED)
            quality = Quality.AUTO
        checked = replace(request, model=model.id, size=size, quality=quality)
        return Plan(checked, model, model.ceiling, frozenset(notes))

    async def submit(
        self,
        actor: Actor,
        request: ImageRequest,
        reply: ReplyRoute,
        *,
        idem: str,
        parent_id: int | None = None,
        confirmed: bool = False,
    ) -> None:
        """Hold the job's money and start it; returns while it still waits or works.

        `confirmed`: the person has said yes to what it may cost.

        Raises:
            BotError: the job was refused; nothing was sent and nothing is held.
        """
        self._scheduler.check_room(actor.user_id)
        plan = self.plan(request)
        new = NewJob(
            id=make_id(self._clock),
            idem=idem,
            actor=actor,
            request=plan.request,
            model=plan.model.id,
            ceiling=plan.ceiling,
            reply=reply,
            created_ms=self._clock.now_ms(),
            parent_id=parent_id,
            about=None if plan.model.about is None else plan.model.about * request.count,
            confirmed=confirmed,
        )
        place = self._scheduler.enter(actor.user_id)
        lease_ms = LEASE_MS if self._scheduler.has_turn(place) else None
        try:
            held = await self._ledger.hold(new, dispatch_lease_ms=lease_ms)
        except BaseException:
            self._scheduler.leave(place)
            raise
        job = Assignment(held.job_id, actor, plan.request, plan.model.id, reply)
        task = asyncio.create_task(self._run(job, plan, held, place), name=f"job-{job.id}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

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
        self._delivery.stop()
        tell(self.in_flight)
        await self.idle()
        await self._delivery.note_late()

    async def idle(self) -> None:
        """Wait until everybody who asked is answered, and every job that was started has ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The sweeper closes what such a job left open; nothing is lost but time.
            _log.error("%s ended with a fault", task.get_name(), exc_info=error)

    async def _run(self, job: Assignment, plan: Plan, held: HeldJob, place: Place) -> None:
        since = self._clock.now_ms()
        late = asyncio.create_task(self._delivery.warn_when_late(job, since))
        try:
            report = await self._work(job, plan, held, place)
        except Exception:  # noqa: BLE001 - whatever broke, money and person must not hang
            _log.exception("A fault in job %d", job.id)
            report = await self._salvage(job)
        finally:
            late.cancel()
            await asyncio.gather(late, return_exceptions=True)
        await self.deliver(report)
        if any(part.presses_budget for part in report.parts):
            await self._budgets.check(job.id)

    async def _salvage(self, job: Assignment) -> Report:
        """Close what a fault left open: what was not sent is free, what was sent is unknown."""
        stored = await self._jobs.get(job.id)
        for charge in stored.charges if stored else ():
            if charge.state is ChargeState.HELD:
                await self._ledger.release(charge.id, reason="fault")
            elif charge.state is ChargeState.DISPATCHED:
                await self._ledger.mark_unknown(charge.id, reason="fault")
        stored = await self._jobs.get(job.id)
        report = stored_report(stored, restarted=False) if stored else None
        return replace(report, job=job) if report else Report(job, ())

    async def _work(self, job: Assignment, plan: Plan, held: HeldJob, place: Place) -> Report:
        try:
            if not self._scheduler.has_turn(place):
                waiting = Progress(job, self._clock.now_ms(), ahead=place.ahead)
                await self._delivery.progress(waiting)
            return await self._work_in_turn(job, plan, held, place)
        except ShuttingDown as error:
            parts = [await self._release(charge_id, plan, error) for charge_id in held.charge_ids]
            return Report(job, tuple(parts), restarted=True, notes=plan.notes)

    async def _work_in_turn(
        self, job: Assignment, plan: Plan, held: HeldJob, place: Place
    ) -> Report:
        async with self._scheduler.slot(place):
            began = time.monotonic()
            working = Progress(job, self._clock.now_ms())
            showing = asyncio.create_task(self._delivery.progress(working))
            parts = await asyncio.gather(
                *(
                    self._charge(plan, charge_id, dispatched=held.dispatched)
                    for charge_id in held.charge_ids
                )
            )
            seconds = time.monotonic() - began
        await showing  # or the edit to "working" might overtake the result
        return Report(job, tuple(parts), seconds=seconds, notes=plan.notes)

    async def _charge(self, plan: Plan, charge_id: int, *, dispatched: bool) -> Part:
        """Send one request and record what became of it. Raises nothing but cancellation."""
        try:
            if not dispatched and not await self._ledger.dispatch(charge_id, lease_ms=LEASE_MS):
                _log.error("Charge %d was closed before it was sent; sending nothing", charge_id)
                return Part(charge_id, ChargeState.RELEASED, 0, 0)
        except LedgerUnavailable as error:
            return await self._release(charge_id, plan, error)
        try:
            answer = await self._ask(plan)
        except ImageRouterError as error:
            return await self._record_error(charge_id, plan, error)
        except Exception as fault:  # noqa: BLE001 - whatever broke, the request may be charged
            _log.exception("A fault while charge %d was out", charge_id)
            unknown = OutcomeUnknown(type(fault).__name__)
            return await self._record_error(charge_id, plan, unknown)
        return await self._record_answer(charge_id, plan, answer)

    async def _ask(self, plan: Plan) -> Answer:
        request = plan.request
        kind: ResponseFormat = "b64_ephemeral" if request.private else "url"
        return await self._router.generate(
            model=plan.model.id,
            prompt=request.prompt,
            size=request.size,
            quality=request.quality.value,
            response_format=kind,
            output_format=request.output_format.value,
        )

    async def _record_answer(self, charge_id: int, plan: Plan, answer: Answer) -> Part:
        outputs = [Output(url=p.url, data=p.data) for p in answer.pictures]
        if answer.cost_micros is None:
            await self._record(
                charge_id,
                lambda: self._ledger.mark_unknown(charge_id, reason="no cost", outputs=outputs),
            )
            return Part(charge_id, ChargeState.UNKNOWN, plan.ceiling, 0, answer.pictures)
        return await self._settle(
            charge_id, plan, answer.cost_micros, pictures=answer.pictures, outputs=outputs
        )

    async def _record_error(self, charge_id: int, plan: Plan, error: ImageRouterError) -> Part:
        if isinstance(error, BadKey):
            self._alerts.raise_alert(Alert(Trouble.BAD_KEY))
        elif isinstance(error, NoCredits):
            self._alerts.raise_alert(Alert(Trouble.NO_CREDITS))
        match error.billing:
            case Billing.FREE:
                return await self._release(charge_id, plan, error)
            case Billing.CHARGED if error.cost_micros is not None:
                return await self._settle(charge_id, plan, error.cost_micros, error=error)
            case _:
                reason = type(error).__name__
                await self._record(
                    charge_id, lambda: self._ledger.mark_unknown(charge_id, reason=reason)
                )
                return Part(charge_id, ChargeState.UNKNOWN, plan.ceiling, 0, error=error)

    async def _settle(
        self,
        charge_id: int,
        plan: Plan,
        cost: Micros,
        *,
        pictures: tuple[RemotePicture, ...] = (),
        outputs: list[Output] | None = None,
        error: BotError | None = None,
    ) -> Part:
        settlement = await self._record(
            charge_id,
            lambda: self._ledger.settle(charge_id, actual=cost, outputs=outputs or ()),
            cost=cost,
        )
        if settlement is not None and settlement.overrun:
            detail = f"{plan.model.id}: {format_usd(cost)} instead of {format_usd(plan.ceiling)}"
            self._alerts.raise_alert(Alert(Trouble.OVERRUN, detail))
        pressed = settlement is not None and settlement.presses_budget
        return Part(
            charge_id,
            ChargeState.SETTLED,
            plan.ceiling,
            cost,
            pictures,
            error,
            presses_budget=pressed,
        )

    async def _release(self, charge_id: int, plan: Plan, error: BotError) -> Part:
        reason = type(error).__name__
        await self._record(charge_id, lambda: self._ledger.release(charge_id, reason=reason))
        return Part(charge_id, ChargeState.RELEASED, plan.ceiling, 0, error=error)

    async def _record(
        self, charge_id: int, write: Callable[[], Awaitable[_T]], *, cost: Micros | None = None
    ) -> _T | None:
        """Write to the ledger, however long it takes to come back; None when it did not.

        What could not be written is logged with its amount, and the sweeper presumes the hold.
        """
        for delay in (*_RECORD_DELAYS, None):
            try:
                return await write()
            except LedgerUnavailable:
                self._alerts.raise_alert(Alert(Trouble.LEDGER))
                if delay is None:
                    break
                await asyncio.sleep(delay)
        told = "nothing certain" if cost is None else format_usd(cost)
        _log.critical("Charge %d could not be recorded; its cost is %s", charge_id, told)
        return None

    async def deliver(self, report: Report) -> None:
        """Bring what became of a job to its person. The ledger is closed by now."""
        job = report.job
        try:
            if report.pictures:
                fate = await self._deliver_result(report)
            else:
                fate = await self._deliver_failure(report)
        except LedgerUnavailable:
            _log.exception("That job %d can't be delivered could not be recorded", job.id)
        except Exception:  # noqa: BLE001 - a card that can't be shown must not hide what it cost
            _log.exception("A fault in the delivery of job %d", job.id)
            bare = Failure(replace(job.request, prompt=""), None, report)
            await self._explain(job, bare)
        else:
            if fate is Fate.LATER and len(self._undelivered) < _MOST_UNDELIVERED:
                self._undelivered[job.id] = report

    async def deliver_late(self) -> None:
        """Try again what Discord or the books did not take; called every minute."""
        await self._delivery.note_late()
        waiting, self._undelivered = self._undelivered, {}
        for report in waiting.values():
            await self.deliver(report)

    async def _deliver_result(self, report: Report) -> Fate:
        job = report.job
        failed = len(report.failed_parts)
        tries = remedies(job.request, report.error, self._catalog, missing=failed) if failed else ()
        offer = await self._offers.save(job.actor, tries, private=job.private)
        today = await self._spent_today(job.actor) if job.private else None
        fate = await self._delivery.result(Result(report, today=today, offer=offer))
        if fate is Fate.DELIVERED and not job.private:
            today = await self._spent_today(job.actor)
            if today is not None:
                spent = Spent(report.cost, report.uncertain, today)
                await self._delivery.whisper_spent(job, spent)
        return fate

    async def _deliver_failure(self, report: Report) -> Fate:
        job = report.job
        tries = remedies(job.request, report.error, self._catalog) if job.request.prompt else ()
        offer = await self._offers.save(job.actor, tries, private=job.private)
        return await self._explain(job, Failure(job.request, report.error, report, offer))

    async def _explain(self, job: Assignment, failure: Failure) -> Fate:
        fate = await self._delivery.failure(job.reply, failure, user_id=job.actor.user_id)
        if fate is Fate.DELIVERED:
            # Nothing is left to link: the explanation is the person's alone.
            await self._delivery.note_delivered(job.id, None)
        elif fate is Fate.UNDELIVERABLE:
            await self._jobs.mark_undeliverable(job.id, reason="no route")
        return fate

    async def _spent_today(self, actor: Actor) -> Micros | None:
        """None when it can't be read: no picture waits for that, least of all a private one."""
        today = window_at(Window.DAY, self._clock.now_ms())
        try:
            return await self._ledger.spend(actor.user_id, since_ms=today.start_ms)
        except LedgerUnavailable:
            _log.exception("What a person has spent could not be read")
            return None

    async def refuse(
        self, actor: Actor, request: ImageRequest, reply: ReplyRoute, error: BotError | None
    ) -> None:
        """Explain to the person why `request` was not taken; it cost nothing.

        `error` is None for a fault of ours.
        """
        if isinstance(error, NeedsConfirmation):
            # As it was judged: another default model by then would be another price.
            tries: tuple[ImageRequest, ...] = (self.plan(request).request,)
        else:
            within = await self._affordable(actor, request, error)
            tries = remedies(request, error, self._catalog, within=within)
        offer = await self._offers.save(actor, tries, private=request.private)
        await self._delivery.failure(
            reply, Failure(request, error, offer=offer), user_id=actor.user_id
        )

    async def _affordable(
        self, actor: Actor, request: ImageRequest, error: BotError | None
    ) -> Micros:
        """The highest price of a picture that would still fit after a refusal by a limit."""
        if not isinstance(error, QuotaExceeded | PictureTooDear):
            return 0
        try:
            standing = await self._policies.standing(actor, count=request.count)
        except LedgerUnavailable:
            return 0
        return standing.affordable
