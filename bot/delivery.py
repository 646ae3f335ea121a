"""Bring what a job came to to its person: once, privately where it must be, by a route that works.

While the interaction's token lives, the answer is an edit of the original message, which can be
repeated without doubling anything. After that the bot's own token posts with a nonce: in the
channel, else by direct message; private results only ever by direct message. Owns the routes, the
retries and the fitting of pictures into upload limits. Discord itself is behind `Messenger`, and
the ledger is out of reach: whatever happens here, the books are written already.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from itertools import chain, repeat
from typing import Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from bot.cards import (
    Card,
    CardRefused,
    Closed,
    Failure,
    Linked,
    MessageGone,
    Messenger,
    Missing,
    Posted,
    Progress,
    Result,
    RouteBusy,
    RouteClosed,
    Shown,
    Spent,
    UploadTooLarge,
)
from bot.clock import Clock
from bot.errors import LedgerUnavailable
from bot.imagerouter import (
    DownloadRefused,
    DownloadTooLarge,
    ImageRouter,
    ImageRouterError,
    RemotePicture,
)
from bot.images import ImageTools, Prepared, TooLarge
from bot.lateness import Lateness
from bot.requests import ReplyRoute
from bot.storage import Jobs

_T = TypeVar("_T")

_log = logging.getLogger(__name__)

PICTURE_BYTES: Final = 64 * 2**20
"""The largest picture that is fetched, in bytes."""
MESSAGE_BYTES: Final = 24 * 2**20
"""What all attachments of one message may have together: a margin below Discord's 25 MiB, which
only grows where a single file may be larger than that."""
DM_UPLOAD_LIMIT: Final = 10 * 2**20
"""What one attachment may have in a direct message, in bytes."""
MOST_ATTACHMENTS: Final = 10
_SIZES_TRIED: Final = 4
"""How often an upload that Discord finds too large is made smaller before links take its place."""
_SIZES_TRIED_IN_PRIVATE: Final = 8
"""The same where there are no links, so that a small picture is better than none."""


class Route(StrEnum):
    """A way to reach the person."""

    ORIGINAL = "original"
    CHANNEL = "channel"
    DIRECT = "direct"


class Fate(StrEnum):
    """What became of an attempt to reach the person."""

    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"
    """Every way is shut for good."""
    LATER = "later"
    """Discord is not to be reached just now; the same again may work."""


def routes(reply: ReplyRoute, *, private: bool, now_ms: int) -> tuple[Route, ...]:
    """Return the ways that are open, best first. A private result is never posted in a channel."""
    rest = (Route.DIRECT,) if private else (Route.CHANNEL, Route.DIRECT)
    return (Route.ORIGINAL, *rest) if now_ms < reply.expires_at_ms and reply.token else rest


class Patience(Struct, frozen=True):
    """How long a failing Discord or picture host is tried again, in seconds between tries.

    While a token lives its last delay is repeated: another route might double what Discord took
    without telling.
    """

    delays: tuple[float, ...] = (1, 2, 4, 8, 16, 30, 60)
    downloads: tuple[float, ...] = (0.5, 2, 5)
    notes: float = 0.25
    """How long it may take until deliveries are written down, so that many share a commit."""


_PATIENCE: Final = Patience()


class Delivery:
    """Delivers cards, and writes down for which jobs it did. `stop` ends waiting between tries."""

    def __init__(
        self,
        *,
        messenger: Messenger,
        jobs: Jobs,
        router: ImageRouter,
        tools: ImageTools,
        clock: Clock,
        patience: Patience = _PATIENCE,
    ) -> None:
        self._messenger = messenger
        self._jobs = jobs
        self._router = router
        self._tools = tools
        self._clock = clock
        self._patience = patience
        self.lateness = Lateness(self.progress, clock=clock)
        """Tells those whose answer will come another way."""
        self._stopping = asyncio.Event()
        self._unnoted: dict[int, Posted | None] = {}
        self._noting: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """Wait no more between tries: what is not delivered now is so at the next start."""
        self._stopping.set()

    async def close(self) -> None:
        """Write down what is delivered; called when no job is left."""
        if self._noting is not None:
            self._noting.cancel()
            await asyncio.wait({self._noting})
        await self.note_late()
        await self.lateness.close()

    def token_lives(self, reply: ReplyRoute) -> bool:
        """Whether the original answer can still be edited."""
        return bool(reply.token) and self._clock.now_ms() < reply.expires_at_ms

    async def progress(self, card: Progress) -> None:
        """Show how the job stands. Nobody loses anything when that fails, so it is only logged."""
        if not self.token_lives(card.job.reply):
            return
        try:
            await self._messenger.edit(card.job.reply, card)
        except Exception as error:  # noqa: BLE001 - a courtesy; the job goes on whatever happens
            _log.info("Could not show the progress of job %d: %r", card.job.id, error)

    @asynccontextmanager
    async def showing(self) -> AsyncIterator[Callable[[Progress], None]]:
        """Give what shows cards beside the block.

        Their edits are awaited at its end, since cut off they might overtake what comes after.
        """
        edits = set[asyncio.Task[None]]()

        def show(card: Progress) -> None:
            edits.add(asyncio.create_task(self.progress(card), name=f"progress-{card.job.id}"))

        try:
            yield show
        except asyncio.CancelledError:
            for edit in edits:
                edit.cancel()
            raise
        finally:
            if not all(edit.done() for edit in edits):
                await asyncio.wait(edits)

    async def result(self, card: Result) -> Fate:
        """Post the pictures of `card.report`; its `shown` is filled here, for the route taken."""
        job = card.report.job
        pictures = await self._fetch(card.report.pictures)
        for route in routes(job.reply, private=job.private, now_ms=self._clock.now_ms()):
            try:
                posted = await self._post_or_bare(route, card, pictures)
            except (RouteClosed, UploadTooLarge) as error:
                _log.info("Job %d can't go by %s: %r", job.id, route, error)
                continue
            except RouteBusy as error:
                # Discord may have taken it without telling: another way would double it, while
                # this one, by edit or nonce, does not.
                _log.warning("Job %d did not get through by %s: %r", job.id, route, error)
                return Fate.LATER
            # The original may be noted a little later: until then the job knows that message by
            # its reply, and whoever delivers it again after a kill only edits it once more.
            await self.note_delivered(job.id, posted, at_once=route is not Route.ORIGINAL)
            if route is not Route.ORIGINAL:
                await self._tidy(job.reply, private=job.private, card=None)
            await self._whisper_spent(card)
            return Fate.DELIVERED
        _log.error("Job %d could not be delivered: no way to its person is open", job.id)
        await self._jobs.mark_undeliverable(job.id, reason="no route")
        await self._tidy(job.reply, private=job.private, card=Closed(made=True))
        return Fate.UNDELIVERABLE

    async def note_delivered(
        self, job_id: int, posted: Posted | None, *, at_once: bool = True
    ) -> None:
        """Write down that a job's person has the answer, in a message that can be linked or not.

        While the books can't be written that is kept in mind: forgotten, the next start would tell
        it once more.
        """
        self._unnoted[job_id] = posted
        if at_once or not self._patience.notes:
            await self.note_late()
        elif self._noting is None:
            self._noting = asyncio.create_task(self._note_soon(), name="delivery notes")

    async def _note_soon(self) -> None:
        await asyncio.sleep(self._patience.notes)
        self._noting = None
        await self.note_late()

    async def note_late(self) -> None:
        """Write down whatever is not written yet; called every minute, too."""
        waiting = dict(self._unnoted)
        links = {
            job_id: None if posted is None else (posted.channel_id, posted.message_id)
            for job_id, posted in waiting.items()
        }
        try:
            if links:
                await self._jobs.mark_delivered(links)
        except LedgerUnavailable:
            _log.exception("The delivery of %d jobs could not be recorded yet", len(links))
            return
        for job_id in waiting:
            self._unnoted.pop(job_id, None)

    async def _whisper_spent(self, result: Result) -> None:
        """Tell the person alone what they have spent, beside a public result."""
        job = result.report.job
        if job.private or result.today is None or not self.token_lives(job.reply):
            return
        card = Spent(result.report.cost, result.report.uncertain, result.today)
        try:
            await self._messenger.whisper(job.reply, card)
        except Exception as error:  # noqa: BLE001 - a courtesy; the picture is delivered
            _log.info("Could not tell the spend of job %d: %r", job.id, error)

    async def failure(self, reply: ReplyRoute, card: Failure, *, user_id: int) -> Fate:
        """Explain, to the person alone, why there is no picture.

        In public, the placeholder is edited first: until then Discord gives a follow-up the
        placeholder's visibility, and the explanation would be public.
        """
        try:
            return await self._explain(reply, card, user_id=user_id)
        except CardRefused:
            _log.exception("Discord refused an explanation")
        bare = replace(card, request=replace(card.request, prompt=""), offer=None)
        try:
            return await self._explain(reply, bare, user_id=user_id)
        except CardRefused as error:
            return await self._give_up(reply, error, private=card.request.private)

    async def _explain(self, reply: ReplyRoute, card: Failure, *, user_id: int) -> Fate:
        """Explain by the token, else by direct message. Raises CardRefused."""
        private = card.request.private
        if self.token_lives(reply):
            try:
                if private:
                    await self.patiently(lambda: self._messenger.edit(reply, card), reply)
                else:
                    await self._whisper_instead(reply, card)
            except CardRefused:
                raise
            except (RouteClosed, RouteBusy, UploadTooLarge) as error:
                _log.info("An explanation did not get through by the token: %r", error)
            else:
                return Fate.DELIVERED
        try:
            # What came from a page has no message; what was not taken has no job.
            nonce = f"f{card.report.job.id if card.report else reply.message_id}"
            await self.patiently(lambda: self._messenger.direct(user_id, card, nonce=nonce))
        except CardRefused:
            raise
        except RouteBusy:
            return Fate.LATER
        except (RouteClosed, UploadTooLarge) as error:
            return await self._give_up(reply, error, private=private)
        await self._tidy(reply, private=private, card=None)
        return Fate.DELIVERED

    async def _give_up(self, reply: ReplyRoute, error: Exception, *, private: bool) -> Fate:
        _log.warning("An explanation could not be delivered: %r", error)
        await self._tidy(reply, private=private, card=Closed())
        return Fate.UNDELIVERABLE

    async def _whisper_instead(self, reply: ReplyRoute, card: Card) -> None:
        try:
            await self.patiently(lambda: self._messenger.edit(reply, Closed()), reply)
        except MessageGone:
            _log.info("The placeholder was deleted before it could be closed")
        await self.patiently(lambda: self._messenger.whisper(reply, card), reply)
        try:
            await self.patiently(lambda: self._messenger.retract(reply), reply)
        except (RouteClosed, RouteBusy) as error:
            # The person knows, and is not told again; what is left says nothing that is untrue.
            _log.info("The placeholder %d could not be retracted: %r", reply.message_id, error)
            await self._tidy(reply, private=False, card=None)

    async def _tidy(self, reply: ReplyRoute, *, private: bool, card: Card | None) -> None:
        """See to it that no message says for ever that somebody works on it."""
        if private or not reply.message_id:
            # A private one had its last word before the token died, and only the token could edit
            # it; what was started on a page has no message.
            return
        try:
            await self._messenger.tidy(reply, card)
        except (RouteClosed, RouteBusy, UploadTooLarge) as error:
            _log.info("Could not tidy message %d: %r", reply.message_id, error)

    async def _post_or_bare(
        self, route: Route, card: Result, pictures: Sequence[bytes | None]
    ) -> Posted:
        """Post by one route; a card that Discord calls invalid goes without all that may be so."""
        try:
            return await self._post_fitting(route, card, pictures)
        except CardRefused:
            if card.bare:
                raise
            _log.exception("Discord refused the card of job %d", card.report.job.id)
            return await self._post_fitting(route, replace(card, bare=True), pictures)

    async def _post_fitting(
        self, route: Route, card: Result, pictures: Sequence[bytes | None]
    ) -> Posted:
        """Post by one route; when Discord finds the upload too large, try with smaller files."""
        job = card.report.job
        limit = job.reply.upload_limit if route is not Route.DIRECT else DM_UPLOAD_LIMIT
        in_all = max(MESSAGE_BYTES, limit)
        for _ in range(_SIZES_TRIED_IN_PRIVATE if job.private else _SIZES_TRIED):
            shown = await self._fit(card, pictures, per_file=limit, in_all=in_all)
            full = replace(card, shown=shown)
            try:
                return await self.patiently(lambda: self._send(route, full), job.reply, route)  # noqa: B023 - called at once
            except UploadTooLarge:
                # From what was sent: half of a limit may be more than that, and change nothing.
                sizes = [len(one.data) for one in shown if isinstance(one, Prepared)]
                if not sizes:
                    break
                limit, in_all = max(sizes) // 2, sum(sizes) // 2
        links = tuple(_without_file(picture) for picture in card.report.pictures)
        bare = replace(card, shown=links)
        return await self.patiently(lambda: self._send(route, bare), job.reply, route)

    async def _send(self, route: Route, card: Result) -> Posted:
        job = card.report.job
        match route:
            case Route.ORIGINAL:
                return await self._messenger.edit(job.reply, card)
            case Route.CHANNEL:
                return await self._messenger.post(job.reply.channel_id, card, nonce=str(job.id))
            case Route.DIRECT:
                return await self._messenger.direct(job.actor.user_id, card, nonce=str(job.id))

    async def patiently(
        self,
        send: Callable[[], Awaitable[_T]],
        reply: ReplyRoute | None = None,
        route: Route = Route.ORIGINAL,
    ) -> _T:
        """Try again while Discord is busy; by the token only as long as the token lives.

        Raises:
            RouteBusy: Discord stayed busy, or the bot stops.
            RouteClosed: the token died meanwhile; and whatever else `send` raises.
        """
        by_token = route is Route.ORIGINAL and reply is not None
        delays = self._patience.delays
        for delay in chain(delays, repeat(delays[-1]) if by_token else (None,)):
            try:
                return await send()
            except RouteBusy:
                if delay is None or await self._stopped_within(delay):
                    raise
            if by_token and reply is not None and not self.token_lives(reply):
                raise RouteClosed("the token died while Discord was busy")
        raise AssertionError("unreachable: the last try returns or raises")

    async def _fetch(self, pictures: Sequence[RemotePicture]) -> list[bytes | None]:
        """The bytes of each picture; None where they cannot be had, which is no reason to stop."""
        if len(pictures) == 1:  # as most are: not worth a task
            return [await self._fetch_one(pictures[0])]
        return await asyncio.gather(*(self._fetch_one(picture) for picture in pictures))

    async def _fetch_one(self, picture: RemotePicture) -> bytes | None:
        if picture.data is not None:
            return picture.data
        if picture.url is None:
            return None
        for delay in (*self._patience.downloads, None):
            try:
                return (await self._router.download(picture.url, max_bytes=PICTURE_BYTES)).data
            except (DownloadRefused, DownloadTooLarge) as error:
                _log.info("A picture is not fetched: %r", error)
                return None
            except ImageRouterError as error:
                _log.info("A picture could not be fetched: %r", error)
                if delay is None:
                    return None
                # Even while stopping: these seconds are few, and a link does not live for ever.
                await asyncio.sleep(delay)
        return None

    async def _fit(
        self, card: Result, pictures: Sequence[bytes | None], *, per_file: int, in_all: int
    ) -> tuple[Shown, ...]:
        """What can be attached within the limits, and what must be a link instead."""
        private = card.report.job.private
        sources = card.report.pictures
        # Where some must be linked, one attachment is kept for a list of their addresses.
        rest = any(source.url for source in sources[MOST_ATTACHMENTS:])
        most = MOST_ATTACHMENTS - 1 if rest else MOST_ATTACHMENTS
        have = [i for i, data in enumerate(pictures) if data is not None][:most]
        shown: list[Shown] = [_without_file(source) for source in sources]
        # A link beats a small picture, but a private picture has no link, nor have bare bytes.
        answers = await self._tools.prepare(
            [data for i in have if (data := pictures[i]) is not None],
            per_file=per_file,
            in_all=in_all,
            shrink=private or any(sources[i].url is None for i in have),
        )
        for i, answer in zip(have, answers, strict=True):
            if isinstance(answer, Prepared):
                shown[i] = answer
            else:
                size = answer.size if isinstance(answer, TooLarge) else answer.reason
                _log.info("Picture %d of job %d is linked: %s", i, card.report.job.id, size)
        return tuple(shown)

    async def _stopped_within(self, seconds: float) -> bool:
        """Wait between two tries; True when the bot is stopping."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True


def _without_file(picture: RemotePicture) -> Shown:
    return Linked(picture.url) if picture.url else Missing()
