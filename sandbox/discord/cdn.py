"""What the CDN keeps: attachments behind signed links that die after a day, and others' pictures.

How it is all sent is `cdn_routes.py`. Source: Discord's API reference, "Signed Attachment CDN
URLs": `ex` and `is` are seconds since the Unix epoch in hexadecimal (expiry, issue), `hm` signs
both and the path.
"""

import hashlib
import hmac
import io
import mimetypes
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from PIL import Image, UnidentifiedImageError
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


@dataclass(frozen=True, slots=True)
class WebPicture:
    """A picture somewhere on the web, which Discord shows by way of its media proxy."""

    url: str
    data: bytes = field(repr=False)
    content_type: str
    width: int | None
    """Pixels; None when it is no picture after all."""
    height: int | None


class Cdn:
    """Keeps files and signs links to them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._files: dict[int, Attachment] = {}
        self._web: dict[str, WebPicture] = {}
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
        """Return a fresh link for an old one; None when it is none of ours.

        That links to files which came with a command or a form can be renewed as well is assumed:
        the documentation does not say.
        """
        attachment = self.find(url)
        return None if attachment is None else self.link(attachment)

    def forget(self, attachments: Iterable[Attachment]) -> None:
        """Let files go with the message that they were in: no link to them works any more."""
        for attachment in attachments:
            self._files.pop(attachment.id, None)

    def opened(self, path: str, query: Mapping[str, str]) -> Attachment | None:
        """Return the attachment at `path` (below `base_url`) that a link's `query` opens now."""
        expiry, issued, signature = query.get("ex", ""), query.get("is", ""), query.get("hm", "")
        expected = self._signature(path, expiry, issued)
        if not hmac.compare_digest(signature.encode(), expected.encode()):
            return None
        if int(expiry, 16) <= self._clock.now_ms() // 1000:
            return None
        attachment = self._files.get(int(path.split("/")[2]))
        return attachment if attachment is not None and _path(attachment) == path else None

    # The web outside, as the media proxy shows it

    def publish(self, url: str, file: UploadedFile) -> WebPicture:
        """Let there be a file at an address of the web, outside of Discord."""
        size = _pixels(file.data) or (None, None)
        kind = file.content_type or _content_type(file.filename)
        picture = WebPicture(url, file.data, kind, *size)
        self._web[url] = picture
        return picture

    def published(self, url: str) -> WebPicture | None:
        """Return what is at an address of the web; None for nothing."""
        return self._web.get(url)

    def proxied(self, url: str) -> str:
        """Return the media proxy's address for one of the web, whether anything is there or not."""
        outside = URL(url)
        path = f"{outside.scheme}/{outside.raw_authority}{outside.raw_path}"
        key = hmac.new(self._secret, url.encode(), hashlib.sha256).hexdigest()[:32]
        return f"{self.base_url}/external/{key}/{path}"

    def behind(self, proxied: str) -> WebPicture | None:
        """Return what the media proxy shows at one of its addresses; None for nothing."""
        return next((p for p in self._web.values() if self.proxied(p.url) == proxied), None)

    def _signed(self, path: str) -> str:
        now = self._clock.now_ms() // 1000
        expiry, issued = f"{now + LINK_LIFETIME_S:x}", f"{now:x}"
        url = URL(self.base_url).joinpath(*path.split("/"))
        signature = self._signature(path, expiry, issued)
        return f"{url}?ex={expiry}&is={issued}&hm={signature}&"

    def _signature(self, path: str, expiry: str, issued: str) -> str:
        text = f"{path}?{expiry}&{issued}".encode()
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()


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
