"""The CDN: attachments behind signed links that die after a day, avatars and icons.

Source: Discord's API reference, "Signed Attachment CDN URLs": `ex` and `is` are seconds since the
Unix epoch in hexadecimal (expiry, issue), `hm` signs both and the path.
"""

import asyncio
import hashlib
import hmac
import io
import mimetypes
import secrets
from functools import lru_cache
from typing import Final

from aiohttp import web
from PIL import Image, ImageDraw, UnidentifiedImageError
from yarl import URL

from bot.clock import Clock
from sandbox.discord.messages import Attachment, UploadedFile
from sandbox.discord.snowflakes import Snowflakes

LINK_LIFETIME_S: Final = 24 * 60 * 60
_TYPES: Final = {
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".svg": "image/svg+xml",
    ".tiff": "image/tiff",
    ".csv": "text/csv; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json; charset=utf-8",
}


class Cdn:
    """Keeps files, signs links to them, and serves them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._files: dict[int, Attachment] = {}
        self.base_url = ""
        """`http://127.0.0.1:PORT/cdn`, once the server listens."""

    def keep(
        self,
        file: UploadedFile,
        *,
        snowflakes: Snowflakes,
        channel_id: int,
        ephemeral: bool = False,
        description: str | None = None,
        filename: str | None = None,
    ) -> Attachment:
        """Store a file and return it as an attachment."""
        name = filename or file.filename
        size = _pixels(file.data)
        attachment = Attachment(
            id=snowflakes.make(),
            filename=name,
            content_type=file.content_type or _content_type(name),
            data=file.data,
            channel_id=channel_id,
            link=self.link,
            width=size[0] if size else None,
            height=size[1] if size else None,
            description=description or file.description,
            ephemeral=ephemeral,
            spoiler=name.startswith("SPOILER_"),
        )
        self._files[attachment.id] = attachment
        return attachment

    def link(self, attachment: Attachment) -> str:
        """Return a link to an attachment that works for a day from now."""
        return self._signed(_path(attachment))

    def find(self, url: str) -> Attachment | None:
        """Return the attachment that a link, expired or not, points to."""
        if not url.startswith(f"{self.base_url}/"):
            return None
        parts = URL(url).path.split("/")
        try:
            attachment = self._files[int(parts[-2])]
        except (KeyError, ValueError, IndexError):
            return None
        return attachment if parts[-1] == attachment.filename else None

    def refresh(self, url: str) -> str | None:
        """Return a fresh link for an old one; None when it is none of ours."""
        attachment = self.find(url)
        return None if attachment is None else self.link(attachment)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes below `/cdn`."""
        attachments = r"/cdn/{kind:attachments|ephemeral-attachments}/{channel}/{id:\d+}/{name}"
        return [
            web.get(attachments, self._attachment),
            web.get("/cdn/{kind:avatars|icons|banners|app-icons|role-icons}/{id}/{hash}", _asset),
            web.get("/cdn/embed/{id:avatars}/{hash}", _asset),
            web.get("/cdn/guilds/{id}/users/{user}/avatars/{hash}", _asset),
        ]

    def _signed(self, path: str) -> str:
        now = self._clock.now_ms() // 1000
        expiry, issued = f"{now + LINK_LIFETIME_S:x}", f"{now:x}"
        url = URL(self.base_url).joinpath(*path.split("/"))
        signature = self._signature(path, expiry, issued)
        return f"{url}?ex={expiry}&is={issued}&hm={signature}&"

    def _signature(self, path: str, expiry: str, issued: str) -> str:
        text = f"{path}?{expiry}&{issued}".encode()
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()

    async def _attachment(self, request: web.Request) -> web.StreamResponse:
        attachment = self._files.get(int(request.match_info["id"]))
        if attachment is None or not self._valid(request, _path(attachment)):
            return web.Response(status=404, text="This content is no longer available.")
        kind = attachment.content_type.partition(";")[0]
        return web.Response(
            body=attachment.data,
            headers={
                "Content-Type": kind,
                "Content-Disposition": "inline" if kind.startswith("image/") else "attachment",
                "X-Content-Type-Options": "nosniff",
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "Access-Control-Allow-Origin": "*",
            },
        )

    def _valid(self, request: web.Request, path: str) -> bool:
        query = request.query
        expiry, issued, signature = query.get("ex", ""), query.get("is", ""), query.get("hm", "")
        asked = f"{request.match_info['kind']}/{request.match_info['channel']}"
        if not path.startswith(f"{asked}/") or not path.endswith(f"/{request.match_info['name']}"):
            return False
        if not hmac.compare_digest(
            signature.encode(), self._signature(path, expiry, issued).encode()
        ):
            return False
        return int(expiry, 16) > self._clock.now_ms() // 1000


def _path(attachment: Attachment) -> str:
    kind = "ephemeral-attachments" if attachment.ephemeral else "attachments"
    return f"{kind}/{attachment.channel_id}/{attachment.id}/{attachment.filename}"


def _content_type(filename: str) -> str:
    extension = f".{filename.rpartition('.')[2].lower()}"
    guessed = _TYPES.get(extension) or mimetypes.guess_type(filename)[0]
    return guessed or "application/octet-stream"


def _pixels(data: bytes) -> tuple[int, int] | None:
    """Return width and height of a picture, from its header alone; None when it is no picture."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            return picture.size
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None


async def _asset(request: web.Request) -> web.StreamResponse:
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
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
