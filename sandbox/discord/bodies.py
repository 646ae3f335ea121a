"""Reads what the bot sends: JSON, or a multipart body with `payload_json` and `files[n]`.

Source: Discord's API reference, "Uploading Files".
"""

import json
import re
from dataclasses import dataclass, field
from typing import Final

from aiohttp import BodyPartReader, web

from sandbox.discord.errors import invalid_json
from sandbox.discord.messages import UploadedFile
from sandbox.discord.rules import Upload

_CHUNK: Final = 256 * 1024
_KEPT: Final = 128 * 1024 * 1024
"""Bytes of one file that are kept; no limit of Discord's lies higher."""
_SUMMARY: Final = 600
_FILE_FIELD: Final = re.compile(r"files\[(\d{1,4})\]")


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body."""

    payload: object = None
    """The JSON; None when there is none."""
    uploads: tuple[Upload, ...] = ()
    files: dict[int, UploadedFile] = field(default_factory=dict)
    """By `Upload.id`."""
    size: int = 0
    """Bytes, all parts together."""

    def summary(self) -> str:
        """Return the JSON, shortened, and the names and sizes of the files."""
        text = "" if self.payload is None else json.dumps(self.payload, ensure_ascii=False)
        if len(text) > _SUMMARY:
            text = f"{text[:_SUMMARY]}…"
        files = "".join(f" [{upload.filename}: {upload.size} B]" for upload in self.uploads)
        return f"{text}{files}"


async def read_body(request: web.Request) -> Body:
    """Read the whole body, whatever its size. Raises RuleViolation when it is no JSON."""
    if request.content_type == "multipart/form-data":
        return await _read_multipart(request)
    raw = await request.read()
    if not raw:
        return Body()
    return Body(_parse(raw), size=len(raw))


def _parse(raw: bytes) -> object:
    try:
        parsed: object = json.loads(raw)
    except ValueError:
        raise invalid_json() from None
    return parsed


async def _read_multipart(request: web.Request) -> Body:
    payload: object = None
    uploads: list[Upload] = []
    files: dict[int, UploadedFile] = {}
    size = 0
    try:
        reader = await request.multipart()
    except ValueError:
        raise invalid_json() from None
    async for part in reader:
        if not isinstance(part, BodyPartReader):
            raise invalid_json()
        data, length = await _read_part(part)
        size += length
        match = _FILE_FIELD.fullmatch(part.name or "")
        if part.name == "payload_json":
            payload = _parse(data)
        elif match is not None:
            number = int(match.group(1))
            name = part.filename or "unknown"
            uploads.append(Upload(number, name, length))
            files[number] = UploadedFile(name, data)
    return Body(payload, tuple(uploads), files, size)


async def _read_part(part: BodyPartReader) -> tuple[bytes, int]:
    kept, length = bytearray(), 0
    while chunk := await part.read_chunk(_CHUNK):
        length += len(chunk)
        if len(kept) < _KEPT:
            kept += chunk
    return bytes(kept), length
