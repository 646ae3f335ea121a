"""The files of the bot's pages, read once and kept in memory."""

import hashlib
import mimetypes
from pathlib import Path
from typing import Final

from aiohttp import web
from msgspec import Struct

from bot.hiding import repr_without

_STATIC: Final = Path(__file__).with_name("static")


class Asset(Struct, frozen=True):
    """One file."""

    body: bytes
    media_type: str
    etag: str

    def __repr__(self) -> str:
        return repr_without(self, "body")

    def response(self, request: web.Request) -> web.Response:
        """Answer with the file, or that the browser's copy is still right."""
        headers = {"ETag": self.etag, "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == self.etag:
            return web.Response(status=304, headers=headers)
        return web.Response(
            body=self.body, content_type=self.media_type, charset="utf-8", headers=headers
        )


def read_assets(folder: Path = _STATIC) -> dict[str, Asset]:
    """Read all files of a folder, by name. Blocks."""
    assets = {}
    for path in sorted(folder.iterdir()):
        body = path.read_bytes()
        kind = "text/javascript" if path.suffix == ".js" else mimetypes.guess_type(path.name)[0]
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        assets[path.name] = Asset(body, kind or "application/octet-stream", etag)
    return assets
