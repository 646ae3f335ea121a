"""Send a job's requests to ImageRouter, and record what became of each before anything else.

Every charge is dispatched in the ledger before its request goes out, and settled, released or
marked unknown after it. Owns no Discord, no SQL, no HTTP; telling people is `bot.telling`'s.
"""

import asyncio
import logging
import time
from collections.abc import Coroutine, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bot.alerts import Alerts
from bot.bookkeeping import Bookkeeper, Outcome
from bot.cards import Alert, Trouble
from bot.catalog import Catalog, Lesson
from bot.errors import BotError, LedgerUnavailable
from bot.imagerouter import (
    BadKey,
    Billing,
    ImageRouter,
    ImageRouterError,
    NoCredits,
    OutcomeUnknown,
    Refusal,
    RefusedRequest,
    RemotePicture,
    ResponseFormat,
)
from bot.imagerouter import Generation as Answer
from bot.inputs import Basket
from bot.money import Micros
from bot.outcomes import Assignment, Part, Report, stored_report
from bot.planning import Plan
from bot.requests import ImageRequest
from bot.storage import ChargeState, HeldJob, Jobs, Ledger, Output

_log = logging.getLogger(__name__)

LEASE_MS: Final = 11 * 60_000
"""How long an answer is awaited: ImageRouter's client gives up after 10 minutes."""

_FEWEST_TOO_MANY: Final = 2


class Admitted(Struct, frozen=True):
    """A job whose money is held and whose pictures are at hand."""

    job: Assignment
    plan: Plan
    held: HeldJob
    basket: Basket

    @property
    def charges(self) -> tuple[tuple[int, Plan], ...]:
        """Each charge and what it is for."""
        return tuple(zip(self.held.charge_ids, self.plan.parts, strict=True))


class Charger:
    """Carries the charges of held jobs to their end."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        books: Bookkeeper,
        jobs: Jobs,
        router: ImageRouter,
        catalog: Catalog,
        alerts: Alerts,
    ) -> None:
        self._ledger = ledger
        self._books = books
        self._jobs = jobs
        self._router = router
        self._catalog = catalog
        self._alerts = alerts

    async def charge_all(self, admitted: Admitted) -> tuple[Part, ...]:
        """Send every request and see each to its end: a fault in one costs no other's picture."""
        job, charges = admitted.job, admitted.charges
        outcomes = await _outcomes([self._charge(admitted, *each) for each in charges])
        faults = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        salvaged: dict[int, Part] = {}
        if faults:
            _log.error("Faults in %d charges of job %d", len(faults), job.id, exc_info=faults[0])
            salvaged = await self._salvage_parts(job)
        return tuple(
            outcome
            if isinstance(outcome, Part)
            else salvaged.get(charge_id) or _unknown_part(charge_id, plan)
            for (charge_id, plan), outcome in zip(charges, outcomes, strict=True)
        )

    async def release_all(self, admitted: Admitted, error: BotError) -> tuple[Part, ...]:
        """Give back what a job holds that sends nothing."""
        job = admitted.job
        return tuple([await self._release(job, *each, error) for each in admitted.charges])

    async def salvage(self, job: Assignment) -> Report:
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

    async def record_late(self) -> None:
        """Tell the ledger what it did not take before."""
        await self._books.record_late()

    async def _salvage_parts(self, job: Assignment) -> dict[int, Part]:
        """Close what faults left open; empty when the books can't be asked: the sweeper closes."""
        try:
            return {part.charge_id: part for part in (await self.salvage(job)).parts}
        except LedgerUnavailable:
            _log.exception("What became of job %d could not be read", job.id)
            return {}

    async def _charge(self, admitted: Admitted, charge_id: int, plan: Plan) -> Part:
        """Send one request and record what became of it. Raises nothing that is expected."""
        job = admitted.job
        dispatched = admitted.held.dispatched
        try:
            if not dispatched and not await self._ledger.dispatch(charge_id, lease_ms=LEASE_MS):
                _log.error("Charge %d was closed before it was sent; sending nothing", charge_id)
                return Part(charge_id, plan.model.id, ChargeState.RELEASED, 0, 0)
        except LedgerUnavailable as error:
            return await self._release(job, charge_id, plan, error)
        began = time.monotonic()
        answer = await self._answer(charge_id, plan, admitted.basket)
        seconds = time.monotonic() - began
        if isinstance(answer, ImageRouterError):
            part = await self._record_error(job, charge_id, plan, answer)
        else:
            part = await self._record_answer(job, charge_id, plan, answer)
        return replace(part, seconds=seconds)

    async def _answer(
        self, charge_id: int, plan: Plan, basket: Basket
    ) -> Answer | ImageRouterError:
        """Send one request; what went wrong is an answer, too, since it is recorded like one."""
        try:
            return await self._ask(plan, basket)
        except ImageRouterError as error:
            return error
        except Exception as fault:  # noqa: BLE001 - whatever broke, the request may be charged
            _log.exception("A fault while charge %d was out", charge_id)
            return OutcomeUnknown(type(fault).__name__)

    async def _ask(self, plan: Plan, basket: Basket) -> Answer:
        request = plan.request
        kind: ResponseFormat = "b64_ephemeral" if request.private else "url"
        if not request.is_edit:
            return await self._router.generate(
                model=plan.model.id,
                prompt=request.prompt,
                size=request.size,
                quality=request.quality.value,
                response_format=kind,
                output_format=request.output_format.value,
            )
        return await self._router.edit(
            model=plan.model.id,
            prompt=request.prompt or None,
            images=basket.images,
            mask=basket.mask,
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
        elif (lesson := _lesson(error, plan.request)) is not None:
            self._catalog.learn(plan.model.id, lesson)
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
        model, held = plan.model.id, plan.ceiling
        outputs = tuple(Output(url=picture.url, data=picture.data) for picture in pictures)
        outcome = Outcome(job.id, charge_id, model, held, state, cost, reason, outputs)
        settled = await self._books.record(outcome)
        part = Part(charge_id, model, state, held, cost, pictures, error)
        if settled is None:
            return part
        today, presses = settled.spent_today, settled.presses_budget
        return replace(part, presses_budget=presses, spent_today=today)


async def _outcomes(charging: Sequence[Coroutine[None, None, Part]]) -> list[Part | BaseException]:
    """Run them side by side, and a single one, as most are, without a task of its own."""
    if len(charging) > 1:
        return await asyncio.gather(*charging, return_exceptions=True)
    try:
        return [await charging[0]]
    except Exception as fault:  # noqa: BLE001 - handed on, as `gather` does
        return [fault]


def _lesson(error: ImageRouterError, request: ImageRequest) -> Lesson | None:
    """What a refusal teaches about its model for the next time; ImageRouter's catalogue does not.

    Words on what the request did not have are about something else, or a fault of the provider's.
    """
    if not isinstance(error, RefusedRequest):
        return None
    images = len(request.images)
    match error.reason:
        case Refusal.NO_IMAGE_INPUT if images:
            return Lesson.NO_IMAGE_INPUT
        case Refusal.MASK_UNSUPPORTED if request.is_masked:
            return Lesson.NO_MASK
        case Refusal.NEEDS_IMAGE if not images:
            return Lesson.NEEDS_IMAGE
        case Refusal.TOO_MANY_IMAGES if images >= _FEWEST_TOO_MANY:
            # Three may be too many for a model that takes two.
            only_one = images == _FEWEST_TOO_MANY or "one image" in error.excerpt.lower()
            return Lesson.ONE_IMAGE if only_one else None
        case _:
            return None


def _unknown_part(charge_id: int, plan: Plan) -> Part:
    error = OutcomeUnknown("a fault of ours")
    return Part(charge_id, plan.model.id, ChargeState.UNKNOWN, plan.ceiling, 0, error=error)
