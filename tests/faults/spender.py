"""A process that spends for as long as it lives: the bot's ledger and client, without Discord.

Imported by the process that `tests.lives` forks, so it imports only what it needs.
"""

import asyncio
from itertools import count

from bot.ids import make_id
from bot.imagerouter import Billing, ImageRouter, ImageRouterError
from bot.quotas import Defaults
from bot.requests import Actor, ImageRequest
from bot.storage import Jobs, Ledger, NewCharge, NewJob, Output, open_database
from sandbox.clock import SandboxClock

MODEL = "test/test"
CEILING = 1500
LEASE_MS = 60_000
PEOPLE = 4
_SECRET = b"the secret of these lives"
_PLENTY = 10**12
_DEFAULTS = Defaults(
    member_day=_PLENTY, guild_month=_PLENTY, bot_month=_PLENTY, dm_day=_PLENTY, open_jobs=100
)


def live(database_url: str, router_url: str, api_key: str, offset_ms: int) -> None:
    """Open the database, sweep, and spend until killed; its clock is `offset_ms` ahead."""
    asyncio.run(_live(database_url, router_url, api_key, SandboxClock(offset_ms=offset_ms)))


async def _live(database_url: str, router_url: str, api_key: str, clock: SandboxClock) -> None:
    async with (
        open_database(database_url, clock=clock) as db,
        ImageRouter(api_key=api_key, base_url=router_url, requests_per_second=None) as router,
    ):
        process_id = make_id(clock)
        ledger = Ledger(db, clock=clock, secret=_SECRET, process_id=process_id, defaults=_DEFAULTS)
        jobs = Jobs(db, clock=clock, process_id=process_id)
        await ledger.heartbeat()
        await ledger.sweep(adopt_all=True)
        for job_id in await jobs.open_deliveries():
            if await jobs.claim_delivery(job_id):
                await jobs.mark_delivered({job_id: None})
        spender = _Spender(ledger, router, clock)
        await asyncio.gather(*(spender.spend(person) for person in range(1, PEOPLE + 1)))


class _Spender:
    def __init__(self, ledger: Ledger, router: ImageRouter, clock: SandboxClock) -> None:
        self._ledger = ledger
        self._router = router
        self._clock = clock

    async def spend(self, person: int) -> None:
        """Ask for one job after the other, of one to three pictures."""
        for number in count():
            job_id = make_id(self._clock)
            request = ImageRequest("imagine", "a boat", count=1 + number % 3)
            job = NewJob(
                id=job_id,
                idem=str(job_id),
                actor=Actor(user_id=person, guild_id=person % 2, channel_id=5),
                request=request,
                charges=(NewCharge(MODEL, CEILING),) * request.count,
                reply=None,
                created_ms=self._clock.now_ms(),
            )
            # Both ways in which the bot sends: at once, and when a job's turn has come.
            lease = LEASE_MS if number % 2 else None
            held = await self._ledger.hold(job, dispatch_lease_ms=lease)
            await asyncio.gather(
                *(self._charge(charge, dispatched=held.dispatched) for charge in held.charge_ids)
            )

    async def _charge(self, charge_id: int, *, dispatched: bool) -> None:
        """Send one request, which carries the charge's id as its prompt, and record its outcome."""
        if not dispatched and not await self._ledger.dispatch(charge_id, lease_ms=LEASE_MS):
            raise AssertionError("a charge of ours was closed before it was sent")
        try:
            answer = await self._router.generate(model=MODEL, prompt=str(charge_id))
        except ImageRouterError as error:
            await self._record_error(charge_id, error)
            return
        outputs = [Output(url=picture.url, data=picture.data) for picture in answer.pictures]
        if answer.cost_micros is None:
            await self._ledger.mark_unknown(charge_id, reason="no cost", outputs=outputs)
        else:
            await self._ledger.settle(charge_id, actual=answer.cost_micros, outputs=outputs)

    async def _record_error(self, charge_id: int, error: ImageRouterError) -> None:
        reason = type(error).__name__
        if error.billing is Billing.FREE:
            await self._ledger.release(charge_id, reason=reason)
        elif error.billing is Billing.CHARGED and error.cost_micros is not None:
            await self._ledger.settle(charge_id, actual=error.cost_micros)
        else:
            await self._ledger.mark_unknown(charge_id, reason=reason)
