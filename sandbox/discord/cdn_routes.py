"""How the CDN sends what it keeps, and what goes wrong with it when a test says so.

Attachments, stickers, others' pictures by way of the media proxy, avatars and icons. What there is,
and which links work, is `cdn.py`. Source: Discord's API reference, "CDN Endpoints".
"""

import asyncio
import hashlib
import io
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Final, TypeAlias

from aiohttp import web
from PIL import Image, ImageDraw

from sandbox.discord.cdn import Cdn
from sandbox.discord.faults import Fault, FaultKind, Faults
from sandbox.discord.messages import Sticker, StickerFormat

_BASE: Final = "/cdn"
_KEPT_RECORDS: Final = 10_000
_PIECE: Final = 64 * 1024
_SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Access-Control-Allow-Origin": "*",
}
_Handler: TypeAlias = Callable[[web.Request], Awaitable[web.Response]]


class CdnRoutes:
    """The routes below `/cdn`."""

    def __init__(self, cdn: Cdn, stickers: Mapping[int, Sticker], faults: Faults) -> None:
        self._cdn = cdn
        self._stickers = stickers
        self._faults = faults
        self.fetched: list[str] = []
        """The paths that were asked for, oldest first (the last ten thousand)."""

    def routes(self) -> list[web.RouteDef]:
        """Return all routes."""
        attachments = r"/{kind:attachments|ephemeral-attachments}/{channel:\d+}/{id:\d+}/{name}"
        handlers: dict[str, _Handler] = {
            attachments: self._attachment,
            "/external/{key}/{address:.+}": self._external,
            r"/stickers/{id:\d+}.{kind:png|gif|json}": self._sticker,
            "/{kind:avatars|icons|banners|app-icons|role-icons}/{id}/{hash}": _asset,
            "/embed/{id:avatars}/{hash}": _asset,
            "/guilds/{id}/users/{user}/avatars/{hash}": _asset,
        }
        return [
            web.get(f"{_BASE}{path}", self._serving(handler)) for path, handler in handlers.items()
        ]

    def _serving(self, handler: _Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            if len(self.fetched) >= _KEPT_RECORDS:
                del self.fetched[: _KEPT_RECORDS // 2]
            self.fetched.append(request.path)
            fault = self._faults.take(request.method, request.path)
            if fault is None:
                return await handler(request)
            return await _spoiled(request, handler, fault)

        return serve

    async def _attachment(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix(f"{_BASE}/")
        attachment = self._cdn.opened(path, request.query)
        if attachment is None:
            return web.Response(status=404, text="This content is no longer available.")
        return _file(attachment.data, attachment.content_type)

    async def _external(self, request: web.Request) -> web.Response:
        proxied = f"{self._cdn.base_url}{request.raw_path.removeprefix(_BASE)}"
        picture = self._cdn.behind(proxied)
        if picture is None or picture.width is None:
            return web.Response(status=415, text="Unsupported Media Type")
        return _file(picture.data, picture.content_type)

    async def _sticker(self, request: web.Request) -> web.Response:
        sticker = self._stickers.get(int(request.match_info["id"]))
        kind = request.match_info["kind"]
        fitting = {
            StickerFormat.LOTTIE: ("json",),
            StickerFormat.GIF: ("gif", "png"),
        }
        if sticker is None or kind not in fitting.get(sticker.format, ("png",)):
            return web.Response(status=404, text="Not Found")
        if kind == "png":
            return _file(await asyncio.to_thread(_still, sticker.data), "image/png")
        return _file(sticker.data, "image/gif" if kind == "gif" else "application/json")


async def _spoiled(request: web.Request, handler: _Handler, fault: Fault) -> web.StreamResponse:
    """Answer as a fault has it."""
    if fault.kind is FaultKind.DELAY:
        await asyncio.sleep(fault.seconds)
    elif fault.kind is FaultKind.HOLD and fault.gate is not None:
        await fault.gate.pass_through()
    elif fault.kind is FaultKind.STATUS:
        return web.json_response(fault.body or {}, status=fault.status, headers=fault.headers)
    elif fault.kind is FaultKind.REDIRECT:
        return web.Response(status=302, headers={"Location": fault.location})
    elif fault.kind in (FaultKind.DROP, FaultKind.DROP_AFTER):
        if request.transport is not None:
            request.transport.abort()
        return web.Response()
    else:
        return await _broken(request, await handler(request), fault)
    return await handler(request)


async def _broken(request: web.Request, whole: web.Response, fault: Fault) -> web.StreamResponse:
    """Send a file that breaks off, stalls, or never ends."""
    data = whole.body if isinstance(whole.body, bytes) else b""
    response = web.StreamResponse(status=whole.status, headers=whole.headers)
    response.content_length = None if fault.kind is FaultKind.ENDLESS else len(data)
    await response.prepare(request)
    try:
        if fault.kind is FaultKind.ENDLESS:
            while True:
                await response.write(data[:_PIECE] or bytes(_PIECE))
        await response.write(data[: fault.after])
        if fault.kind is FaultKind.TRUNCATE:
            if request.transport is not None:
                # Not at once: what was written before still goes out.
                request.transport.close()
            return response
        if fault.gate is not None:
            await fault.gate.pass_through()
        await response.write(data[fault.after :])
    except ConnectionError:
        # The other side has hung up, which is what it should do.
        return response
    return response


def _file(data: bytes, content_type: str) -> web.Response:
    kind = content_type.partition(";")[0]
    shown = "inline" if kind.startswith("image/") else "attachment"
    headers = {"Content-Type": kind, "Content-Disposition": shown, **_SAFE}
    return web.Response(body=data, headers=headers)


def _still(data: bytes) -> bytes:
    """Return a sticker's file if it is a PNG, animated or not; else its first frame as one."""
    with Image.open(io.BytesIO(data)) as picture:
        if picture.format == "PNG":
            return data
        return _png(picture.convert("RGBA"))


async def _asset(request: web.Request) -> web.Response:
    key = f"{request.match_info['id']}/{request.match_info['hash'].partition('.')[0]}"
    picture = await asyncio.to_thread(_drawn, key)
    return web.Response(body=picture, content_type="image/png")


@lru_cache(maxsize=256)
def _drawn(key: str) -> bytes:
    """Draw a small picture that belongs to `key` alone: a disc on a plain ground."""
    digest = hashlib.sha256(key.encode()).digest()
    picture = Image.new("RGB", (128, 128), (digest[0] // 2, digest[1] // 2, digest[2] // 2))
    colour = tuple(128 + value // 2 for value in digest[3:6])
    ImageDraw.Draw(picture).ellipse((24, 24, 104, 104), fill=(colour[0], colour[1], colour[2]))
    return _png(picture)


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
