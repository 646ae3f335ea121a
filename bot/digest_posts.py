"""Post the digests that are due, once each, in the channels that guilds have chosen.

A digest is claimed durably before it is posted. What was claimed, and may or may not be there, is
posted again with the same nonce as long as Discord recognises that; after that it is never posted
again, and the next digest says so. A channel that can't be posted in is tried every hour; who minds
the guild is told once. When one is due is `bot.digests`', who has claimed what is
`bot.storage.DigestStore`'s.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, TypeAlias

from msgspec.structs import replace

from bot import digests
from bot.alerts import Alerts
from bot.cards import (
    Digest,
    DigestTrouble,
    Messenger,
    Missed,
    RouteBusy,
    RouteClosed,
    UploadTooLarge,
)
from bot.clock import Clock
from bot.delivery import Delivery, Route
from bot.digests import Due
from bot.errors import LedgerUnavailable
from bot.looking import keep_looking
from bot.report_drawing import Drawing
from bot.reports import Report, make_report
from bot.storage import (
    Claim,
    DigestStore,
    Group,
    Policies,
    Query,
    Reports,
    SetDigest,
    Stretch,
)

_log = logging.getLogger(__name__)

LOOK_S: Final = 60
NONCE_MS: Final = 2 * 60_000
"""How long a nonce is relied on: a margin below the "few minutes" that Discord names."""
LOST_MS: Final = 5 * 60_000
"""When whoever has claimed a digest has stopped trying, whatever hung."""
_ANOTHERS_MS: Final = 45_000
"""How long a claim of another process is left alone: it may be at it just now."""
AGAIN_MS: Final = 3_600_000
"""How often a channel is tried that can't be posted in."""
_AT_ONCE: Final = 4
"""Guilds that are attended to side by side: midnight is the same for many."""
_FINISH_S: Final = 10

Names: TypeAlias = Callable[[int, Sequence[int]], Awaitable[Mapping[int, str]]]
"""Finds the names of members of a guild by their ids, those that can be had in a few seconds."""


class DigestPosts:
    """Owns no task: `run` is one, of whoever starts it."""

    def __init__(
        self,
        *,
        store: DigestStore,
        reports: Reports,
        policies: Policies,
        messenger: Messenger,
        alerts: Alerts,
        delivery: Delivery,
        drawing: Drawing,
        title_of: Callable[[Report], str],
        serves: Callable[[int], bool],
        names_of: Names,
        clock: Clock,
    ) -> None:
        """`serves`: whether this process is connected to a guild just now."""
        self._store = store
        self._reports = reports
        self._policies = policies
        self._messenger = messenger
        self._alerts = alerts
        self._delivery = delivery
        self._drawing = drawing
        self._title_of = title_of
        self._serves = serves
        self._names_of = names_of
        self._clock = clock
        self._looking = asyncio.Lock()
        self._finishing = False
        self._claimed: set[int] = set()
        """Claims of this process that are not over."""
        self._there: set[int] = set()
        """Those of them that are posted, and that could not be written down yet."""
        self._unsure: set[int] = set()
        """Claims that Discord may have taken: a later refusal says nothing of that."""

    async def run(self, ready: asyncio.Event) -> None:
        """Look for ever, once `ready` (Discord is connected)."""
        words = "whether digests are due"
        await keep_looking(self.look, words, ready=ready, every_s=LOOK_S, clock=self._clock)

    async def finish(self) -> None:
        """Post no more, and wait a moment for what is on its way."""
        self._finishing = True
        with suppress(TimeoutError):
            async with asyncio.timeout(_FINISH_S), self._looking:
                pass

    async def look(self) -> None:
        """Post what is due now. Raises LedgerUnavailable when that can't be read."""
        async with self._looking:
            side_by_side = asyncio.Semaphore(_AT_ONCE)

            async def attend(digest: SetDigest) -> None:
                async with side_by_side:
                    await self._attend_safely(digest)

            await asyncio.gather(*(attend(digest) for digest in await self._store.all()))

    async def _attend_safely(self, digest: SetDigest) -> None:
        if self._finishing or not self._serves(digest.guild_id):
            return
        try:
            await self._attend(digest)
        except LedgerUnavailable:
            _log.warning("The digest of guild %d waits for the database", digest.guild_id)
        except Exception:  # noqa: BLE001 - one guild's must not keep back the others'
            _log.exception("A fault in the digest of guild %d", digest.guild_id)

    async def _attend(self, digest: SetDigest) -> None:
        now = self._clock.now_ms()
        if digest.claim is not None:
            await self._go_on(digest, digest.claim, now)
            return
        if now < digest.try_ms <= now + AGAIN_MS:
            return
        covered_ms = digests.covered_by_now(digest.covered_ms, digest.reported_ms, now_ms=now)
        if covered_ms != digest.covered_ms:
            await self._store.cover(digest, covered_ms)
            return
        found = digests.due(digest.window, digest.zones, covered_ms=covered_ms, now_ms=now)
        if found is None:
            return
        card = await self._card(digest, found)
        if not card.report.answer.outcomes.jobs and card.missed is None:
            await self._store.cover(digest, found.bounds.end_ms)
            return
        # After all that may fail by itself, so that nothing but the posting can leave it open.
        claim = await self._store.claim(digest, found.bounds.end_ms)
        if claim is not None:
            self._claimed.add(claim.id)
            await self._post(digest, claim, card)

    async def _go_on(self, digest: SetDigest, claim: Claim, now: int) -> None:
        """Finish what was begun: a post that did not get through, or was interrupted."""
        found = digests.that_ended(
            digest.window,
            digest.zones,
            end_ms=digest.covered_ms,
            covered_ms=claim.covered_before_ms,
        )
        age = now - claim.since_ms
        if claim.id in self._there:
            await self._note(digest, claim)
        elif 0 <= age < NONCE_MS:
            if age >= _ANOTHERS_MS or claim.id in self._claimed:
                self._unsure.add(claim.id)
                await self._post(digest, claim, await self._card(digest, found))
        elif not 0 <= age < LOST_MS:
            _log.error(
                "Nobody knows whether the digest of %s was posted in guild %d",
                found.bounds.label,
                digest.guild_id,
            )
            await self._store.lost(digest.guild_id, claim, found.bounds.label)
            self._forget(claim)

    async def _card(self, digest: SetDigest, found: Due) -> Digest:
        now = self._clock.now_ms()
        period = digests.period_of(digest.window, found.bounds, digest.zones)
        report = await make_report(self._reports, digest.guild_id, period, Group.MEMBER, now_ms=now)
        missed = await self._missed(digest, found, now)
        chart = await self._drawing.picture(
            report,
            digest.zones,
            title=self._title_of(report),
            names_of=partial(self._names_of, digest.guild_id),
        )
        return Digest(report, missed, digest.lost_label, chart)

    async def _missed(self, digest: SetDigest, found: Due, now: int) -> Missed | None:
        """Add up what nobody was there to report; None when nobody asked for anything then."""
        if found.gap is None:
            return None
        nothing = Stretch(found.gap.start_ms, found.gap.start_ms)
        query = Query(digest.guild_id, found.gap, Group.MODEL, nothing)
        answer = await self._reports.ask(query, now_ms=now)
        return Missed(found.gap, answer.total.spent) if answer.outcomes.jobs else None

    async def _post(self, digest: SetDigest, claim: Claim, card: Digest) -> None:
        try:
            await self._send(digest, claim, card)
        except RouteBusy as error:
            # It may be there all the same: another look goes on with the same nonce.
            _log.warning("The digest of guild %d did not get through: %r", digest.guild_id, error)
        except (RouteClosed, UploadTooLarge) as error:
            _log.warning("The digest of guild %d can't be posted: %r", digest.guild_id, error)
            if claim.id not in self._unsure:
                await self._refuse(digest, claim)
        else:
            self._there.add(claim.id)
            await self._note(digest, claim)

    async def _send(self, digest: SetDigest, claim: Claim, card: Digest) -> None:
        """Post it; without its chart where it can't be posted with it."""
        nonce = f"d{claim.id}"

        async def send() -> None:
            if not 0 <= self._clock.now_ms() - claim.since_ms < NONCE_MS:
                raise RouteBusy("its nonce may not be recognised any more")
            try:
                await self._messenger.post(digest.channel_id, card, nonce=nonce)
            except RouteBusy:
                self._unsure.add(claim.id)
                raise

        try:
            await self._delivery.patiently(send, route=Route.CHANNEL)
        except (RouteClosed, UploadTooLarge):
            if card.chart is None:
                raise
            await self._send(digest, claim, replace(card, chart=None))

    async def _note(self, digest: SetDigest, claim: Claim) -> None:
        await self._store.posted(digest.guild_id, claim)
        self._forget(claim)

    def _forget(self, claim: Claim) -> None:
        for claims in (self._claimed, self._there, self._unsure):
            claims.discard(claim.id)

    async def _refuse(self, digest: SetDigest, claim: Claim) -> None:
        """Take the claim back, as nothing was posted, and tell who minds the guild, once."""
        again_ms = self._clock.now_ms() + AGAIN_MS
        is_new = await self._store.refused(digest.guild_id, claim, try_ms=again_ms)
        self._forget(claim)
        if not is_new:
            return
        config = await self._policies.config(digest.guild_id)
        told = await self._alerts.tell_managers(
            DigestTrouble(digest.guild_id, digest.channel_id),
            nonce=f"t{claim.id}",
            channel_id=config.alert_channel,
            user_id=digest.set_by,
        )
        if told:
            await self._store.told(digest.guild_id, digest.channel_id)
