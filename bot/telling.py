"""Tell a person what became of their job, or why it was not taken, and what may be done instead.

Chooses the card; `bot.delivery` finds the way for it. Nothing here touches the ledger's money.
"""

import contextlib
import logging
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from bot import comparing
from bot.cards import Failure, Origin, Posted, Result
from bot.catalog import Catalog
from bot.delivery import Delivery, Fate
from bot.errors import BotError, Interrupted, LedgerUnavailable, NeedsMaskCheck
from bot.job_log import JobLog
from bot.money import Micros
from bot.offers import Offers
from bot.outcomes import Assignment, Report
from bot.planner import Planner
from bot.quotas import NeedsConfirmation, PictureTooDear, QuotaExceeded
from bot.remedies import remedies
from bot.requests import Actor, ImageRequest, ReplyRoute
from bot.storage import Jobs, Ledger, Policies, Promises

_log = logging.getLogger(__name__)

_MOST_LINKED: Final = 3
"""Messages that an edit of pictures from many is linked to."""
_MOST_UNDELIVERED: Final = 200
"""Reports kept in memory for a later try; the rest is told at the next start."""


class Teller:
    """Brings reports and refusals to people, by whatever card can still be made."""

    def __init__(
        self,
        *,
        delivery: Delivery,
        ledger: Ledger,
        jobs: Jobs,
        policies: Policies,
        offers: Offers,
        catalog: Catalog,
        planner: Planner,
        promises: Promises,
        job_log: JobLog,
    ) -> None:
        self._delivery = delivery
        self._ledger = ledger
        self._jobs = jobs
        self._policies = policies
        self._offers = offers
        self._catalog = catalog
        self._planner = planner
        self._promises = promises
        self._job_log = job_log
        self._undelivered: dict[int, Report] = {}

    async def deliver(self, report: Report) -> None:
        """Bring what became of a job to its person. The ledger is closed by now."""
        try:
            fate = await self._tell(report)
        except LedgerUnavailable:
            _log.exception("How job %d was told of could not be recorded", report.job.id)
            fate = Fate.LATER
        if fate is Fate.LATER and len(self._undelivered) < _MOST_UNDELIVERED:
            self._undelivered[report.job.id] = report
        elif fate is not Fate.LATER:
            await self._job_log.note(report)

    async def deliver_late(self) -> None:
        """Try again what Discord or the books did not take; called every minute."""
        await self._delivery.note_late()
        waiting, self._undelivered = self._undelivered, {}
        for report in waiting.values():
            await self.deliver(report)

    async def promise(self, actor: Actor, request: ImageRequest, reply: ReplyRoute) -> None:
        """Note that a person waits for an answer before there is a job: nobody waits for ever.

        Raises:
            LedgerUnavailable: it can't be noted.
        """
        if _shows_waiting(reply):
            await self._promises.give(actor.user_id, reply, private=request.private)

    async def keep_promise(self, reply: ReplyRoute) -> None:
        """Forget it: the person has their answer, or gets it from a job."""
        if not _shows_waiting(reply):
            return
        try:
            await self._promises.keep(reply)
        except LedgerUnavailable:
            _log.warning("An answer that was given could not be noted; it may be given twice")

    async def tell_interrupted(self) -> None:
        """Tell everybody whose process ended before there was a job. Raises LedgerUnavailable."""
        for promise in await self._promises.broken():
            request = ImageRequest(command="edit", prompt="", private=promise.private)
            failure = Failure(request, Interrupted())
            try:
                await self._delivery.failure(promise.reply, failure, user_id=promise.user_id)
            except Exception:  # noqa: BLE001 - one of them must not keep the others waiting
                _log.exception("Somebody could not be told of a restart")
            await self.keep_promise(promise.reply)

    async def refuse(
        self,
        actor: Actor,
        request: ImageRequest,
        reply: ReplyRoute,
        error: BotError | None,
        *,
        parent_id: int | None = None,
    ) -> None:
        """Explain to the person why `request` was not taken; it cost nothing.

        `error` is None for a fault of ours. `parent_id` stays with what is offered instead.
        """
        agreed = 0
        if isinstance(error, NeedsConfirmation):
            # As it was judged: another default model by then would be another price.
            try:
                planned = await self._planner.plan(actor, request)
            except BotError as changed:
                await self.refuse(actor, request, reply, changed, parent_id=parent_id)
                return
            tries: tuple[ImageRequest, ...] = (planned.request,)
            agreed = error.needed
        elif isinstance(error, NeedsMaskCheck):
            checked = replace(request, mask_checked=True)
            tries = (checked, replace(checked, invert=not request.invert))
        else:
            tries = await self._instead(actor, request, error)
        offer = await self._offers.save(
            actor, tries, private=request.private, parent_id=parent_id, agreed=agreed
        )
        await self._delivery.failure(
            reply, Failure(request, error, offer=offer), user_id=actor.user_id
        )
        if request.is_edit:
            await self.keep_promise(reply)

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

    async def _deliver_result(self, report: Report) -> Fate:
        job = report.job
        offer = await self._offers.save(
            job.actor, await self._tries(report), private=job.private, parent_id=job.parent_id
        )
        today, origin = await self._spent_today(report), await self._origin(job)
        return await self._delivery.result(Result(report, today=today, offer=offer, origin=origin))

    async def _origin(self, job: Assignment) -> Origin | None:
        """The messages that an edit's pictures are in, or that this repeats; None where none is.

        Where the books can't say so, the result goes without. Of other channels nothing is told:
        not everybody who sees this one sees those.
        """
        if job.parent_id is not None:
            parent = None
            with contextlib.suppress(LedgerUnavailable):
                parent = await self._jobs.get(job.parent_id)
            if parent is not None and parent.message_id and not parent.private:
                posted = Posted(parent.message_channel_id or 0, parent.message_id)
                return Origin((posted,), repeats=_repeats(job.request, parent.request))
        here = [
            Posted(image.channel_id, image.message_id)
            for image in job.request.images
            if image.message_id and image.channel_id == job.reply.channel_id
        ]
        found = tuple(dict.fromkeys(here))
        if not found:
            return None
        return Origin(found[:_MOST_LINKED], others=len(found) > _MOST_LINKED)

    async def _deliver_bare(self, report: Report) -> Fate:
        today = await self._spent_today(report)
        return await self._delivery.result(Result(report, today=today, bare=True))

    async def _deliver_failure(self, report: Report) -> Fate:
        job = report.job
        offer = await self._offers.save(
            job.actor, await self._tries(report), private=job.private, parent_id=job.parent_id
        )
        return await self._explain(job, Failure(job.request, report.error, report, offer))

    async def _explain(self, job: Assignment, failure: Failure) -> Fate:
        fate = await self._delivery.failure(job.reply, failure, user_id=job.actor.user_id)
        if fate is Fate.DELIVERED:
            # Nothing is left to link: the explanation is the person's alone.
            await self._delivery.note_delivered(job.id, None)
        elif fate is Fate.UNDELIVERABLE:
            await self._jobs.mark_undeliverable(job.id, reason="no route")
        return fate

    async def _spent_today(self, report: Report) -> Micros | None:
        """None when it can't be read: no picture waits for that."""
        if report.spent_today is not None:
            return report.spent_today
        try:
            return await self._ledger.spent_today(report.job.actor)
        except Exception:  # noqa: BLE001 - see above
            _log.exception("What a person has spent could not be read")
            return None

    async def _tries(self, report: Report) -> tuple[ImageRequest, ...]:
        """What may be tried for the pictures that did not come."""
        request, failed = report.job.request, len(report.failed_parts)
        if not failed or not (request.prompt or request.images):
            return ()
        allowed = await self._planner.shown(report.job.actor)
        if request.models:
            return tuple(filter(allowed.permits, comparing.once_more(report)))
        missing = failed if report.pictures else 0
        return remedies(request, report.error, self._catalog, missing=missing, allowed=allowed)

    async def _instead(
        self, actor: Actor, request: ImageRequest, error: BotError | None
    ) -> tuple[ImageRequest, ...]:
        """What may be tried instead of what was refused before anything was sent."""
        room = None
        if isinstance(error, QuotaExceeded | PictureTooDear):
            with contextlib.suppress(LedgerUnavailable):
                room = await self._policies.standing(actor, count=request.count)
        allowed = await self._planner.shown(actor)
        if request.models:
            takes = room.takes if room is not None else _takes_free
            found = comparing.instead(request, error, self._catalog, takes=takes)
            return tuple(filter(allowed.permits, found))
        within = room.affordable if room is not None else 0
        defaults = self._planner.defaults(allowed)
        return remedies(
            request, error, self._catalog, within=within, defaults=defaults, allowed=allowed
        )


def _repeats(request: ImageRequest, earlier: ImageRequest) -> bool:
    """Whether it starts from what `earlier` started from, and not from what came of that."""
    places, before = ([each.place for each in one.images] for one in (request, earlier))
    return places == before


def _shows_waiting(reply: ReplyRoute) -> bool:
    """Whether there is a message that says "thinking ...": what comes from a page has none."""
    return bool(reply.message_id and reply.token)


def _takes_free(prices: Sequence[Micros]) -> bool:
    """What fits for certain, where nobody knows what does."""
    return not any(prices)
