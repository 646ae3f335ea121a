"""The mask painter behind its page: signed links, what they stand for, and Generate.

A link is given to one member and stands for one edit in one channel. Opening it changes nothing;
the first Generate that is admitted uses it up; a refused one keeps the painted mask. Owns no HTTP
(`bot.web`), no SQL (`bot.storage`), and decodes no picture (`bot.images`, behind `Inputs`).
"""

import asyncio
import base64
import hashlib
import hmac
import json
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from enum import StrEnum
from types import TracebackType
from typing import Final, Protocol, Self
from weakref import WeakValueDictionary

from msgspec import Struct, to_builtins
from msgspec.structs import replace

from bot.catalog import Ability, Catalog, Model
from bot.clock import Clock
from bot.errors import LedgerUnavailable, UnusableInput
from bot.ids import make_id
from bot.imagerouter import Upload
from bot.images import Kind, Reason, sniff
from bot.money import Micros
from bot.planner import Planner
from bot.policy import Allowance
from bot.requests import NO_GUILD, Actor, ImageRequest, ReplyRoute, Source, request_from
from bot.storage import Delivery, DuplicateJob, MaskStore, PaintLink, PaintLinks

_log = logging.getLogger(__name__)

LINK_MS: Final = 30 * 60_000
"""How long a link works."""
MASK_BYTES: Final = 4 * 2**20
"""The largest painted mask, in bytes: one of 16 million pixels with soft edges has half of it."""
KEPT_MS: Final = 30 * 86_400_000
"""How long the mask of an edit stays for the buttons of its result."""

_SWEEP_S: Final = 60.0
_READ_MS: Final = 60_000
"""How long a mask stays that a newer one has replaced."""
_PURPOSE: Final = b"easel paint link\x00"
_SIGNATURE_BYTES: Final = 18
_MOST_DIGITS: Final = 19
_MOST_PROMPTS: Final = 500
_MASKING: Final = frozenset({Ability.EDIT, Ability.MASK})
_MASK_NAME: Final = "mask.png"
_SOME_MASK: Final = Source("", _MASK_NAME, mask_id=1)
"""For plans of a job whose mask is still to be painted."""


class LinkState(StrEnum):
    """Why a link does not work."""

    UNKNOWN = "unknown"
    """Not one of ours: forged, or cut off when it was copied."""
    EXPIRED = "expired"
    USED = "used"
    """Its edit was sent."""
    GONE = "gone"
    """Its member has left the server, or can't see the channel any more."""


class LinkRefused(Exception):
    """The link does not work (any more)."""

    def __init__(self, state: LinkState) -> None:
        super().__init__(state.value)
        self.state = state


class PresenceUnknown(Exception):
    """Discord could not be asked about a member just now."""


class Stage(StrEnum):
    """How far a link's edit is."""

    QUEUED = "queued"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"
    """No picture came; the person was told why in Discord."""


class Progress(Struct, frozen=True):
    """How far a link's edit is, and where it can be seen."""

    stage: Stage
    link: str | None = None
    """The address of the message, once it is there."""


class Draft(Struct, frozen=True):
    """What the page of a link shows."""

    request: ImageRequest
    """The prompt is empty where it was private and nobody remembers it."""
    models: tuple[Model, ...]
    """Those that take a mask, the cheapest first; empty when there is none."""
    model_id: str | None
    expires_in_s: int
    has_mask: bool
    """A mask was painted before, and is kept."""


class Painted(Struct, frozen=True):
    """What a person sends from the page."""

    mask: bytes
    """A PNG; transparent is what shall change."""
    prompt: str
    model_id: str
    agreed: Micros = 0
    """What they have said that it may cost."""
    checked: bool = False
    """They have said that a mask of nothing or everything is right."""


class Jobs(Protocol):
    """The part of `bot.generation.Generation` that is needed here."""

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
        """Start a job, and return its id; raises BotError when it is refused."""
        ...

    def taking(self) -> AbstractContextManager[None]:
        """Let a stop of the bot wait for the block."""
        ...


class Basket(Protocol):
    """The part of `bot.inputs.Basket` that is needed here."""

    @property
    def images(self) -> tuple[Upload, ...]:
        """The pictures as they are sent to models."""
        ...

    async def close(self) -> None:
        """Delete the files."""
        ...


class Pictures(Protocol):
    """The part of `bot.inputs.Inputs` that is needed here."""

    async def gather(self, request: ImageRequest) -> Basket:
        """Fetch and judge the pictures of a request; raises BotError."""
        ...


Presence = Callable[[Actor], Awaitable[Actor | None]]
"""Returns the same person in the same place as they are now, with their roles; None when they have
left, or can't see the channel any more. Raises `PresenceUnknown`."""


class Painting:
    """Gives links to the painter and serves them; an async context manager that tidies up.

    `open` says under which address its pages are served. Until then it is not `available`.
    """

    def __init__(
        self,
        *,
        links: PaintLinks,
        masks: MaskStore,
        pictures: Pictures,
        jobs: Jobs,
        catalog: Catalog,
        presence: Presence,
        clock: Clock,
        secret: bytes,
        planner: Planner,
    ) -> None:
        self._links = links
        self._masks = masks
        self._pictures = pictures
        self._jobs = jobs
        self._catalog = catalog
        self._presence = presence
        self._clock = clock
        self._key = hmac.digest(secret, _PURPOSE, hashlib.sha256)
        self._planner = planner
        self._url: str | None = None
        self._prompts: OrderedDict[int, tuple[str, int, int]] = OrderedDict()
        """Private prompts by link, with when each expires (epoch ms) and whose it is."""
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._sweeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to forget what has expired, every few minutes."""
        self._sweeper = asyncio.create_task(self._keep_tidy(), name="painting sweep")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)

    def open(self, public_url: str) -> None:
        """Give links from now on: the pages are served at `public_url`."""
        self._url = public_url.rstrip("/")

    @property
    def url(self) -> str | None:
        """Under which address the pages are served."""
        return self._url

    @property
    def available(self) -> bool:
        """Whether links can be given: only then may they be offered."""
        return self._url is not None

    async def invite(
        self,
        actor: Actor,
        request: ImageRequest,
        *,
        origin: ReplyRoute,
        parent_id: int | None = None,
    ) -> str:
        """Return a link with which `actor` paints the mask of `request` and starts it.

        `origin` says in which channel the result is posted, by which application, and how large it
        may be; its token is not kept. The mask or area that `request` has is left out.

        Raises:
            RequestError: no mask could make this work, for example since the model takes none.
            RefusedRequest: ImageRouter takes no such prompt.
            LedgerUnavailable: the link could not be kept.
        """
        if self._url is None:
            raise RuntimeError("the painter is not served anywhere")
        request = replace(request, mask=None, area=None, invert=False, mask_checked=False)
        await self._planner.plan(actor, replace(request, mask=_SOME_MASK))
        now = self._clock.now_ms()
        kept = replace(request, prompt="") if request.private else request
        link = PaintLink(
            id=make_id(self._clock),
            actor=actor,
            private=request.private,
            draft=json.dumps(to_builtins(kept)),
            reply=replace(origin, token="", expires_at_ms=0, message_id=0),
            parent_id=parent_id,
            created_ms=now,
            expires_ms=now + LINK_MS,
        )
        await self._links.add(link)
        if request.private:
            self._prompts[link.id] = (request.prompt, link.expires_ms, actor.user_id)
            while len(self._prompts) > _MOST_PROMPTS:
                self._prompts.popitem(last=False)
        return f"{self._url}/p/{link.id}.{self._signature(link.id)}"

    def link_id(self, token: str) -> int:
        """Return the id in the last part of a link's address, if we have signed it.

        Asks no database, so that guesses cost nothing.

        Raises:
            LinkRefused: it is not one of ours.
        """
        number, _, signature = token.partition(".")
        if not (number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS):
            raise LinkRefused(LinkState.UNKNOWN)
        expected = self._signature(int(number))
        if not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
            raise LinkRefused(LinkState.UNKNOWN)
        return int(number)

    def _signature(self, link_id: int) -> str:
        """Sign a link. Its row binds member, guild, channel and picture, and is never changed."""
        digest = hmac.digest(self._key, str(link_id).encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:_SIGNATURE_BYTES]).decode()

    async def draft(self, link_id: int) -> Draft:
        """Return what the page shows.

        Raises:
            LinkRefused: expired or used.
            LedgerUnavailable: the link can't be read just now.
        """
        link = await self._unused(link_id)
        request = self._request(link)
        allowed = await self._allowed(link)
        models = self._models(allowed)
        return Draft(
            request=request,
            models=models,
            model_id=self._chosen(request.model, models, allowed),
            expires_in_s=max(0, (link.expires_ms - self._clock.now_ms()) // 1000),
            has_mask=link.mask_id is not None,
        )

    @asynccontextmanager
    async def picture(self, link_id: int) -> AsyncIterator[Upload]:
        """Give the picture that is painted on, just as it will be sent; its file for the block.

        Raises:
            LinkRefused: expired or used.
            BotError: the picture can't be had any more, or can't be used.
        """
        request = self._request(await self._unused(link_id))
        basket = await self._pictures.gather(replace(request, images=request.images[:1]))
        try:
            yield basket.images[0]
        finally:
            await basket.close()

    async def mask(self, link_id: int) -> bytes | None:
        """Return the mask that was painted before, a PNG.

        Raises:
            LinkRefused: expired or used.
            LedgerUnavailable: it can't be read just now.
        """
        link = await self._unused(link_id)
        return None if link.mask_id is None else await self._masks.get(link.mask_id)

    async def generate(self, link_id: int, painted: Painted) -> None:
        """Start the edit, as the link's member in its channel, as they are now.

        However often and wherever it is pressed, one job comes of it. What is refused keeps the
        mask and the link.

        Raises:
            LinkRefused: expired, used, or the member is gone.
            PresenceUnknown: Discord can't be asked just now.
            BotError: the job was refused; it cost nothing.
        """
        lock = self._locks.setdefault(link_id, asyncio.Lock())
        with self._jobs.taking():
            async with lock:
                await self._generate(link_id, painted)

    async def _generate(self, link_id: int, painted: Painted) -> None:
        link = await self._unused(link_id)
        if sniff(painted.mask) is not Kind.PNG:
            raise UnusableInput(_MASK_NAME, Reason.NOT_A_PICTURE)
        mask_id = await self._masks.add(
            user_id=link.actor.user_id, data=painted.mask, expires_ms=link.expires_ms
        )
        before = await self._links.paint(link.id, mask_id)
        if before is not None:
            # Another process may be reading it for the same link; then one of the two runs.
            await self._masks.keep(before, until_ms=self._clock.now_ms() + _READ_MS)
        actor = await self._presence(link.actor)
        if actor is None:
            raise LinkRefused(LinkState.GONE)
        request = replace(
            self._request(link),
            prompt=painted.prompt,
            model=painted.model_id,
            mask=Source("", _MASK_NAME, size=len(painted.mask), mask_id=mask_id),
            mask_checked=painted.checked,
        )
        try:
            job_id = await self._jobs.submit(
                actor,
                request,
                link.reply,
                idem=f"paint:{link.id}",
                parent_id=link.parent_id,
                agreed=painted.agreed,
            )
        except DuplicateJob as error:
            # Another process was faster, or this one ended before it could note its own success.
            await self._masks.drop(mask_id)
            if before is None:
                await self._links.use(link.id, error.job_id)
                return
            job_id, mask_id = error.job_id, before
        await self._note_used(link, job_id, mask_id)

    async def _note_used(self, link: PaintLink, job_id: int, mask_id: int) -> None:
        """Use the link up. The job runs whatever happens here, and its name keeps it single."""
        self._prompts.pop(link.id, None)
        try:
            await self._links.use(link.id, job_id)
            if link.private:
                await self._masks.drop(mask_id)  # read before the job was admitted
            else:
                await self._masks.keep(mask_id, until_ms=self._clock.now_ms() + KEPT_MS)
        except LedgerUnavailable:
            _log.exception("That job %d used its link up could not be recorded", job_id)

    async def progress(self, link_id: int) -> Progress | None:
        """Tell how far the link's edit is; None while there is none.

        Raises:
            LinkRefused: expired.
            LedgerUnavailable: it can't be read just now.
        """
        link = await self._links.get(link_id)
        if link is None:
            raise LinkRefused(LinkState.EXPIRED)
        if link.job_id is None:
            return None
        job = await self._links.job_state(link.job_id)
        if job is None:
            return Progress(Stage.FAILED)
        if job.delivery is Delivery.OPEN:
            return Progress(Stage.QUEUED if job.waiting else Stage.WORKING)
        if job.message_id is None:
            return Progress(Stage.FAILED)
        in_guild = job.guild_id != NO_GUILD and job.message_channel_id == job.reply_channel_id
        place = str(job.guild_id) if in_guild else "@me"
        return Progress(
            Stage.DONE,
            f"https://discord.com/channels/{place}/{job.message_channel_id}/{job.message_id}",
        )

    async def _unused(self, link_id: int) -> PaintLink:
        link = await self._links.get(link_id)
        if link is not None and link.job_id is not None:
            raise LinkRefused(LinkState.USED)
        if link is None or link.expires_ms <= self._clock.now_ms():
            raise LinkRefused(LinkState.EXPIRED)
        return link

    def _request(self, link: PaintLink) -> ImageRequest:
        request = request_from(json.loads(link.draft))
        remembered = self._prompts.get(link.id)
        return request if remembered is None else replace(request, prompt=remembered[0])

    async def _allowed(self, link: PaintLink) -> Allowance:
        """What the link's member may use now; by their roles only where Discord tells them."""
        allowed = await self._planner.shown(link.actor)
        if not allowed.policy.rules:
            return allowed
        try:
            actor = await self._presence(link.actor)
        except PresenceUnknown:
            actor = None
        return allowed if actor is None else Allowance(allowed.policy, actor)

    def _models(self, allowed: Allowance) -> tuple[Model, ...]:
        able = [
            m
            for m in self._catalog.models
            if m.can(_MASKING) and m.ceiling is not None and allowed(m)
        ]
        able.sort(key=lambda m: (m.is_test, m.ceiling if m.about is None else m.about, m.id))
        return tuple(able)

    def _chosen(
        self, wanted: str | None, models: tuple[Model, ...], allowed: Allowance
    ) -> str | None:
        """The model that is chosen at first."""
        if not models:
            return None
        if wanted is None:
            defaults = self._planner.defaults(allowed)
            return self._catalog.choose(defaults, _MASKING, allowed=allowed).id
        return wanted if any(model.id == wanted for model in models) else models[0].id

    async def sweep(self) -> None:
        """Forget what has expired. Raises LedgerUnavailable."""
        now = self._clock.now_ms()
        for link_id in [each for each, (_, until, _) in self._prompts.items() if until <= now]:
            del self._prompts[link_id]
        await self._links.sweep()
        await self._masks.sweep()

    def forget_person(self, user_id: int) -> None:
        """Forget a person's private prompts."""
        for link_id in [each for each, kept in self._prompts.items() if kept[2] == user_id]:
            del self._prompts[link_id]

    async def _keep_tidy(self) -> None:
        while True:
            try:
                await self.sweep()
            except LedgerUnavailable:
                _log.info("What has expired of the painter is forgotten later")
            await asyncio.sleep(_SWEEP_S)
