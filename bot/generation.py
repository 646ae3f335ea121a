"""The one use case: admit -> hold -> call -> settle -> deliver.

A cog hands over plain data; from then on the job is owned here, so that neither a cancelled
command nor a lost connection loses money or a picture. Every request is dispatched in the ledger
before it goes out, and settled before its picture is delivered. Owns no Discord, no SQL, no HTTP.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Final

from bot.alerts import Alerts
from bot.bookkeeping import Bookkeeper, Outcome
from bot.budget_alerts import BudgetAlerts
from bot.cards import Alert, Failure, Progress, Result, Spent, Trouble
from bot.catalog import Ability, Catalog, Model, parse_size
from bot.clock import Clock
from bot.delivery import LATE_NOTICE_MS, Delivery, Fate
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
from bot.money import Micros
from bot.offers import Offers
from bot.outcomes import Assignment, Note, Part, Report, stored_report
from bot.quotas import NeedsConfirmation, PictureTooDear, QuotaExceeded, Window, window_at
from bot.remedies import remedies
from bot.requests import Actor, ImageRequest, Quality, ReplyRoute
from bot.scheduler import Place, Scheduler
from bot.storage import ChargeState, HeldJob, Jobs, Ledger, NewJob, Output, Policies

_log = logging.getLogger(__name__)

MOST_PICTURES: Final = 4
MOST_PROMPT: Final = 6_000
"""Characters of a prompt; Discord's own limit for a text option."""
LEASE_MS: Final = 11 * 60_000
"""How long an answer is awaited: ImageRouter's client gives up after 10 minutes."""
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
        books: Bookkeeper,
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
        self._books = books
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
        await self.record_late()
        await self._delivery.note_late()

    async def record_late(self) -> None:
        """Tell the ledger what it did not take before; called every minute, before it is swept."""
        await self._books.record_late()

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
        late = Progress(job, self._clock.now_ms(), late=True)
        async with self._delivery.showing(late, at_ms=job.reply.expires_at_ms - LATE_NOTICE_MS):
            try:
                report = await self._work(job, plan, held, place)
            except Exception:  # noqa: BLE001 - whatever broke, money and person must not hang
                _log.exception("A fault in job %d", job.id)
                report = await self._salvage(job)
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
            parts = [await self._release(job, each, plan, error) for each in held.charge_ids]
            return Report(job, tuple(parts), restarted=True, notes=plan.notes)

    async def _work_in_turn(
        self, job: Assignment, plan: Plan, held: HeldJob, place: Place
    ) -> Report:
        async with AsyncExitStack() as shown, self._scheduler.slot(place):
            began = time.monotonic()
            working = Progress(job, self._clock.now_ms())
            # Ended after the slot is free: others need not wait for an edit that is on its way.
            await shown.enter_async_context(self._delivery.showing(working))
            parts = await self._charge_all(job, plan, held)
            seconds = time.monotonic() - began
        return Report(job, parts, seconds=seconds, notes=plan.notes)

    async def _charge_all(self, job: Assignment, plan: Plan, held: HeldJob) -> tuple[Part, ...]:
        """Send every request and see each to its end: a fault in one costs no other's picture."""
        charging = [
            self._charge(job, plan, charge_id, dispatched=held.dispatched)
            for charge_id in held.charge_ids
        ]
        outcomes = await asyncio.gather(*charging, return_exceptions=True)
        faults = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        salvaged: dict[int, Part] = {}
        if faults:
            _log.error("Faults in %d charges of job %d", len(faults), job.id, exc_info=faults[0])
            salvaged = await self._salvage_parts(job)
        return tuple(
            outcome
            if isinstance(outcome, Part)
            else salvaged.get(charge_id) or _unknown_part(charge_id, plan)
            for charge_id, outcome in zip(held.charge_ids, outcomes, strict=True)
        )

    async def _salvage_parts(self, job: Assignment) -> dict[int, Part]:
        """Close what faults left open; empty when the books can't be asked: the sweeper closes."""
        try:
            return {part.charge_id: part for part in (await self._salvage(job)).parts}
        except LedgerUnavailable:
            _log.exception("What became of job %d could not be read", job.id)
            return {}

    async def _charge(
        self, job: Assignment, plan: Plan, charge_id: int, *, dispatched: bool
    ) -> Part:
        """Send one request and record what became of it. Raises nothing that is expected."""
        try:
            if not dispatched and not await self._ledger.dispatch(charge_id, lease_ms=LEASE_MS):
                _log.error("Charge %d was closed before it was sent; sending nothing", charge_id)
                return Part(charge_id, ChargeState.RELEASED, 0, 0)
        except LedgerUnavailable as error:
            return await self._release(job, charge_id, plan, error)
        try:
            answer = await self._ask(plan)
        except ImageRouterError as error:
            return await self._record_error(job, charge_id, plan, error)
        except Exception as fault:  # noqa: BLE001 - whatever broke, the request may be charged
            _log.exception("A fault while charge %d was out", charge_id)
            unknown = OutcomeUnknown(type(fault).__name__)
            return await self._record_error(job, charge_id, plan, unknown)
        return await self._record_answer(job, charge_id, plan, answer)

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

    async def _record_answer(
        self, job: Assignment, charge_id: int, plan: Plan, answer: Answer
    ) -> Part:
        pictures, cost = answer.pictures, answer.cost_micros
        if cost is None:
            return await self._record(
                job, charge_id, plan, ChargeState.UNKNOWN, reason="no cost", pictures=pictures
            )
        return await self._record(
            job, charge_id, plan, ChargeState.SETTLED, cost=cost, pictures=pictures
        )

    async def _record_error(
        self, job: Assignment, charge_id: int, plan: Plan, error: ImageRouterError
    ) -> Part:
        if isinstance(error, BadKey):
            self._alerts.raise_alert(Alert(Trouble.BAD_KEY))
        elif isinstance(error, NoCredits):
            self._alerts.raise_alert(Alert(Trouble.NO_CREDITS))
        match error.billing:
            case Billing.FREE:
                return await self._release(job, charge_id, plan, error)
            case Billing.CHARGED if error.cost_micros is not None:
                state, cost = ChargeState.SETTLED, error.cost_micros
            case _:
                state, cost = ChargeState.UNKNOWN, 0
        reason = type(error).__name__
        return await self._record(
            job, charge_id, plan, state, cost=cost, reason=reason, error=error
        )

    async def _release(self, job: Assignment, charge_id: int, plan: Plan, error: BotError) -> Part:
        state, reason = ChargeState.RELEASED, type(error).__name__
        return await self._record(job, charge_id, plan, state, reason=reason, error=error)

    async def _record(
        self,
        job: Assignment,
        charge_id: int,
        plan: Plan,
        state: ChargeState,
        *,
        cost: Micros = 0,
        reason: str = "",
        pictures: tuple[RemotePicture, ...] = (),
        error: BotError | None = None,
    ) -> Part:
        held = plan.ceiling
        outputs = tuple(Output(url=picture.url, data=picture.data) for picture in pictures)
        outcome = Outcome(job.id, charge_id, job.model, held, state, cost, reason, outputs)
        pressed = await self._books.record(outcome)
        return Part(charge_id, state, held, cost, pictures, error, presses_budget=pressed)

    async def deliver(self, report: Report) -> None:
        """Bring what became of a job to its person. The ledger is closed by now."""
        try:
            fate = await self._tell(report)
        except LedgerUnavailable:
            _log.exception("How job %d was told of could not be recorded", report.job.id)
            return
        if fate is Fate.LATER and len(self._undelivered) < _MOST_UNDELIVERED:
            self._undelivered[report.job.id] = report

    async def _tell(self, report: Report) -> Fate:
        """Tell by the whole card; after a fault by one with less on it, and at last in words."""
        ways = [self._deliver_failure]
        if report.pictures:
            ways = [self._deliver_result, self._deliver_bare]
        for way in ways:
            try:
                return await way(report)
            except LedgerUnavailable:
                raise
            except Exception:  # noqa: BLE001 - no picture or cost is lost to a card that can't be made
                _log.exception("A fault in the delivery of job %d", report.job.id)
        bare = Failure(replace(report.job.request, prompt=""), None, report)
        return await self._explain(report.job, bare)

    async def _deliver_bare(self, report: Report) -> Fate:
        return await self._show(Result(report, bare=True))

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
        return await self._show(Result(report, today=today, offer=offer))

    async def _show(self, card: Result) -> Fate:
        report = card.report
        fate = await self._delivery.result(card)
        if fate is Fate.DELIVERED and not report.job.private:
            today = await self._spent_today(report.job.actor)
            if today is not None:
                spent = Spent(report.cost, report.uncertain, today)
                await self._delivery.whisper_spent(report.job, spent)
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
        except Exception:  # noqa: BLE001 - see above
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


def _unknown_part(charge_id: int, plan: Plan) -> Part:
    error = OutcomeUnknown("a fault of ours")
    return Part(charge_id, ChargeState.UNKNOWN, plan.ceiling, 0, error=error)
