"""The mask painter's pages under `/p/`: HTTP in front of `bot.painting`.

Every address of a link but its page answers with JSON or a picture, refusals too. The page itself
is a file that knows nothing: whoever opens a link, a preview for example, changes nothing.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import BodyPartReader, web
from yarl import URL

from bot.aside import aside
from bot.catalog import Model
from bot.errors import BotError, LedgerUnavailable, NeedsMaskCheck
from bot.imagerouter import Upload
from bot.money import MAX_MICROS, format_usd, format_usd_short
from bot.painting import (
    MASK_BYTES,
    Draft,
    LinkRefused,
    LinkState,
    Painted,
    Painting,
    PresenceUnknown,
)
from bot.planning import MOST_PROMPT
from bot.quotas import NeedsConfirmation
from bot.web.assets import Asset, read_assets
from bot.web.guard import Refusal
from bot.web.limits import Limiter, Rate, client_address

Explain = Callable[[BotError | None], tuple[str, str]]
"""The title and the sentence that people read for an error; None is a fault without a name."""

_PAGE: Final = "painter.html"
_PICTURE_SECONDS: Final = 180.0
_PICTURES_AT_ONCE: Final = 4
_PIECE_BYTES: Final = 256 * 1024
_ABOUT_BYTES: Final = 64 * 1024
_FORM_BYTES: Final = MASK_BYTES + _ABOUT_BYTES + 4 * 1024
_PARTS: Final = {"mask": MASK_BYTES, "about": _ABOUT_BYTES}
"""What a form has, and how many bytes of it at most."""

_ANY: Final = Rate(burst=150, per_second=4)
_GUESS: Final = Rate(burst=20, per_second=0.2)
_READ: Final = Rate(burst=40, per_second=1.5)
_PICTURE: Final = Rate(burst=8, per_second=0.1)
_GENERATE: Final = Rate(burst=8, per_second=0.1)

_NEW_ONE: Final = "Ask for a new one in Discord: `/edit` with `area:paint`."
_LINKS: Final = {
    LinkState.UNKNOWN: (404, "This link is not right", f"A part of it is missing. {_NEW_ONE}"),
    LinkState.EXPIRED: (410, "This link has expired", f"Links work for 30 minutes. {_NEW_ONE}"),
    LinkState.USED: (409, "This link has been used", f"Its edit was sent. {_NEW_ONE}"),
    LinkState.GONE: (
        403,
        "You can't post there any more",
        "You have left the server, or you no longer see the channel that this edit is for.",
    ),
}


class PainterPages:
    """The routes of the painter. `read` its files before it is served.

    A mask may take `body_seconds` to come in: 4 MiB over a bad mobile connection.
    """

    def __init__(self, painting: Painting, *, explain: Explain, body_seconds: float = 90.0) -> None:
        self._painting = painting
        self._explain = explain
        self._body_seconds = body_seconds
        self._assets: dict[str, Asset] = {}
        self._by_address = Limiter(_ANY)
        self._guesses = Limiter(_GUESS)
        self._reads = Limiter(_READ)
        self._pictures = Limiter(_PICTURE)
        self._generates = Limiter(_GENERATE)
        self._slots = asyncio.Semaphore(_PICTURES_AT_ONCE)

    async def read(self) -> None:
        """Read the page and its files into memory."""
        self._assets = await asyncio.to_thread(read_assets)

    def routes(self) -> list[web.RouteDef]:
        """Return what is served."""
        return [
            web.get("/p/static/{name}", self._static),
            web.get("/p/{token}", self._page),
            web.get("/p/{token}/state", self._state),
            web.get("/p/{token}/picture", self._picture),
            web.get("/p/{token}/mask", self._mask),
            web.get("/p/{token}/status", self._status),
            web.post("/p/{token}/generate", self._generate),
        ]

    async def _static(self, request: web.Request) -> web.Response:
        self._count(request)
        asset = self._assets.get(request.match_info["name"])
        if asset is None or request.match_info["name"] == _PAGE:
            raise web.HTTPNotFound
        return asset.response(request)

    async def _page(self, request: web.Request) -> web.Response:
        self._count(request)
        try:
            self._painting.link_id(request.match_info["token"])
        except LinkRefused:
            if wait := self._guesses.wait_s(_who(request)):
                raise _too_often(wait) from None
            raise web.HTTPNotFound from None
        response = self._assets[_PAGE].response(request)
        response.headers["Cache-Control"] = "no-store"
        return response

    async def _state(self, request: web.Request) -> web.Response:
        link_id = self._link(request, self._reads)
        async with self._worded():
            draft = await self._painting.draft(link_id)
        return web.json_response(_describe(draft))

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        link_id = self._link(request, self._pictures)
        # A slow reader holds a file of the spool: so it is limited in time, and in number.
        async with (
            self._worded(),
            self._slots,
            asyncio.timeout(_PICTURE_SECONDS),
            self._painting.picture(link_id) as upload,
        ):
            return await _send_picture(request, upload)

    async def _mask(self, request: web.Request) -> web.Response:
        link_id = self._link(request, self._reads)
        async with self._worded():
            data = await self._painting.mask(link_id)
        if data is None:
            raise web.HTTPNotFound
        return web.Response(body=data, content_type="image/png")

    async def _status(self, request: web.Request) -> web.Response:
        link_id = self._link(request, self._reads)
        async with self._worded():
            progress = await self._painting.progress(link_id)
        if progress is None:
            return web.json_response({"stage": None})
        return web.json_response({"stage": progress.stage, "link": progress.link})

    async def _generate(self, request: web.Request) -> web.Response:
        self._only_own_page(request)
        link_id = self._link(request, self._generates)
        painted = await self._read_form(request)
        async with self._worded():
            await self._painting.generate(link_id, painted)
        return web.json_response({"stage": "queued", "link": None}, status=202)

    def _count(self, request: web.Request) -> None:
        if wait := self._by_address.wait_s(_who(request)):
            raise _too_often(wait)

    def _link(self, request: web.Request, limiter: Limiter) -> int:
        """Check whoever asks and the link's signature; nothing has been read from disk so far."""
        self._count(request)
        try:
            link_id = self._painting.link_id(request.match_info["token"])
        except LinkRefused as error:
            if wait := self._guesses.wait_s(_who(request)):
                raise _too_often(wait) from None
            raise _closed(error) from None
        if wait := limiter.wait_s(link_id):
            raise _too_often(wait)
        return link_id

    def _only_own_page(self, request: web.Request) -> None:
        """Refuse what another site makes a browser send (Fetch Metadata, and the Origin)."""
        url = self._painting.url
        own = None if url is None else str(URL(url).origin())
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        if own is None or request.headers.get("Origin") != own or site != "same-origin":
            raise Refusal(
                403, "foreign", "That came from another page", "Open the link from Discord again."
            )

    @asynccontextmanager
    async def _worded(self) -> AsyncIterator[None]:
        """Put what the painter raises into words."""
        try:
            yield
        except LinkRefused as error:
            raise _closed(error) from error
        except PresenceUnknown as error:
            raise Refusal(
                503,
                "away",
                "Discord can't be reached just now",
                "Nothing was sent, and what you painted is kept. Try again in a minute.",
            ) from error
        except BotError as error:
            raise self._refused(error) from error

    async def _read_form(self, request: web.Request) -> Painted:
        if request.content_type != "multipart/form-data":
            raise _unreadable()
        if (request.content_length or 0) > _FORM_BYTES:
            raise _too_large()
        try:
            async with asyncio.timeout(self._body_seconds):
                parts = await _read_parts(request)
        except TimeoutError as error:
            raise Refusal(
                408, "slow", "That took too long", "The mask did not arrive in time. Try again."
            ) from error
        except ValueError as error:
            raise _unreadable() from error
        return _painted(parts.get("mask", b""), parts.get("about", b""))

    def _refused(self, error: BotError) -> Refusal:
        title, body = self._explain(error)
        more: dict[str, object] = {}
        match error:
            case NeedsConfirmation():
                more["ask"] = {"kind": "price", "agreed": error.needed}
            case NeedsMaskCheck():
                more["ask"] = {"kind": "mask", "covers": error.covers}
        status = 503 if isinstance(error, LedgerUnavailable) else 422
        return Refusal(status, "refused", title, body, more=more)


def _who(request: web.Request) -> str:
    return client_address(request.remote, request.headers)


def _closed(error: LinkRefused) -> Refusal:
    status, title, body = _LINKS[error.state]
    return Refusal(status, error.state, title, body)


def _too_often(wait_s: float) -> Refusal:
    seconds = max(1, round(wait_s))
    return Refusal(
        429,
        "busy",
        "That was a lot at once",
        f"What you painted is kept. Try again in {seconds} s.",
        retry_after_s=wait_s,
    )


def _describe(draft: Draft) -> dict[str, object]:
    request = draft.request
    return {
        "prompt": request.prompt,
        "most_prompt": MOST_PROMPT,
        "count": request.count,
        "private": request.private,
        "model": draft.model_id,
        "models": [_model(model, request.count) for model in draft.models],
        "expires_in": draft.expires_in_s,
        "mask": draft.has_mask,
        "mask_bytes": MASK_BYTES,
    }


def _model(model: Model, count: int) -> dict[str, str | None]:
    about, most = model.about, model.ceiling
    return {
        "id": model.id,
        "name": model.display_name,
        "about": None if about is None or model.is_free else format_usd_short(about * count),
        "at_most": None if most is None or model.is_free else format_usd(most * count),
    }


async def _send_picture(request: web.Request, upload: Upload) -> web.StreamResponse:
    """Send a file in pieces, and all of it before the file is deleted."""
    if not isinstance(upload.data, Path):
        raise TypeError("pictures that were gathered are files")
    response = web.StreamResponse(headers={"Content-Disposition": "inline"})
    response.content_type = upload.media_type
    with await aside(upload.data.open, "rb") as file:
        response.content_length = (await aside(upload.data.stat)).st_size
        await response.prepare(request)
        while piece := await aside(file.read, _PIECE_BYTES):
            await response.write(piece)
    await response.write_eof()
    return response


async def _read_parts(request: web.Request) -> dict[str, bytes]:
    parts: dict[str, bytes] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name not in _PARTS:
            raise _unreadable()
        parts[part.name] = await _read_part(part, _PARTS[part.name])
    return parts


async def _read_part(part: BodyPartReader, most: int) -> bytes:
    pieces, size = [], 0
    while piece := await part.read_chunk():
        size += len(piece)
        if size > most:
            raise _too_large()
        pieces.append(piece)
    return b"".join(pieces)


def _painted(mask: bytes, about: bytes) -> Painted:
    try:
        fields = json.loads(about)
    except (ValueError, RecursionError) as error:
        raise _unreadable() from error
    match fields:
        case {
            "prompt": str(prompt),
            "model": str(model),
            "agreed": int(agreed),
            "checked": bool(checked),
        } if mask and not isinstance(agreed, bool) and 0 <= agreed <= MAX_MICROS:
            # Half a character or a zero byte can be neither stored nor sent.
            clean = prompt.replace("\0", "").encode(errors="replace").decode()
            return Painted(mask, clean, model, agreed, checked)
    raise _unreadable()


def _too_large() -> Refusal:
    return Refusal(
        413,
        "too_large",
        "The mask is too large",
        f"It may have {MASK_BYTES // 2**20} MB. Less feather makes it smaller.",
    )


def _unreadable() -> Refusal:
    return Refusal(400, "unreadable", "That can't be read", "Load the page again and send it anew.")
