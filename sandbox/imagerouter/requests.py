"""Requests as the local ImageRouter receives them: reading, recording, and what it refuses."""

import dataclasses
import json
import re
from dataclasses import dataclass
from typing import Final

from aiohttp import BodyPartReader, web

from sandbox.imagerouter.catalogue import SandboxModel

MAX_JSON_BYTES: Final = 100 * 1024
MAX_FILE_BYTES: Final = 25 * 1024 * 1024
MAX_IMAGES: Final = 16
MAX_PROMPT_UNITS: Final = 10_000
_FREE_SIDE: Final = 1024
_FILE_FIELDS: Final = {"image[]": MAX_IMAGES, "image": MAX_IMAGES, "mask[]": 1, "mask": 1}
"""How many files each field takes."""
_SIZE = re.compile(r"auto|\d+x\d+")
_CHOICES: Final = {
    "quality": ("auto", "low", "medium", "high"),
    "response_format": ("url", "b64_json", "b64_ephemeral"),
    "output_format": ("webp", "jpeg", "png"),
}


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """One file of an edit, byte for byte."""

    field: str
    filename: str
    media_type: str
    data: bytes = dataclasses.field(repr=False)


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One generation or edit, as it came in."""

    index: int
    """Counts from 0, in the order of arrival."""
    endpoint: str
    """`generations` or `edits`."""
    fields: dict[str, str]
    files: tuple[ReceivedFile, ...]
    at_ms: int
    """By the sandbox's clock."""
    content_type: str = ""

    @property
    def images(self) -> tuple[ReceivedFile, ...]:
        """The input pictures, in order."""
        return tuple(file for file in self.files if file.field.startswith("image"))

    @property
    def mask(self) -> ReceivedFile | None:
        """The mask, if there is one."""
        return next((file for file in self.files if file.field.startswith("mask")), None)


class Refused(Exception):
    """The request is answered with a status of refusal, before anything is started."""

    def __init__(
        self,
        status: int,
        message: str,
        kind: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.headers = headers or {}


async def read_json(request: web.Request) -> dict[str, str]:
    """Read the fields of a generation. Raises Refused."""
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > MAX_JSON_BYTES:
            raise Refused(500, "Internal server error", "internal_error")
    try:
        parsed = json.loads(body)
    except ValueError:
        raise Refused(500, "Internal server error", "internal_error") from None
    if not isinstance(parsed, dict):
        raise Refused(400, "Expected object")
    for name, value in parsed.items():
        if not isinstance(value, str) and name in ("model", "prompt", "size", *_CHOICES):
            raise Refused(400, f"'{name}' must be a string")
    return {name: str(value) for name, value in parsed.items()}


async def read_form(request: web.Request) -> tuple[dict[str, str], tuple[ReceivedFile, ...]]:
    """Read the fields and files of an edit. Raises Refused."""
    if not request.content_type.startswith("multipart/"):
        return await read_json(request), ()
    fields: dict[str, str] = {}
    files: list[ReceivedFile] = []
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise Refused(400, "File upload error: Unexpected field")
        name = part.name or ""
        if part.filename is None:
            fields[name] = (await part.read(decode=False)).decode("utf-8", "replace")
            continue
        same = sum(file.field == name for file in files)
        if same >= _FILE_FIELDS.get(name, 0):
            raise Refused(400, "File upload error: Unexpected field")
        media_type = part.headers.get("Content-Type", "")
        files.append(ReceivedFile(name, part.filename, media_type, await _read_file(part)))
    names = {file.field for file in files}
    if "image" in names:
        # Mixed with the right name, the wrong one wins, without a word.
        if "image[]" not in names:
            raise Refused(400, "File upload error: Unexpected field")
        files = [file for file in files if file.field != "image[]"]
    return fields, tuple(files)


async def _read_file(part: BodyPartReader) -> bytes:
    data = bytearray()
    while piece := await part.read_chunk(64 * 1024):
        data += piece
        if len(data) >= MAX_FILE_BYTES:
            raise Refused(400, "File upload error: File too large")
    return bytes(data)


def validate(fields: dict[str, str], models: dict[str, SandboxModel]) -> SandboxModel:
    """Check the fields as the server does before it starts anything. Raises Refused."""
    if not fields.get("model"):
        raise Refused(400, "'model' is a required parameter")
    if not _SIZE.fullmatch(fields.get("size", "auto")):
        raise Refused(
            400, "'size' must be 'auto' or in the format 'WIDTHxHEIGHT' (e.g. '1024x768')"
        )
    for name, choices in _CHOICES.items():
        if fields.get(name, choices[0]) not in choices:
            expected = " | ".join(f"'{choice}'" for choice in choices)
            raise Refused(400, f"Invalid enum value for '{name}'. Expected {expected}")
    prompt = fields.get("prompt", "")
    if "\0" in prompt or len(prompt.encode("utf-16-le", "surrogatepass")) // 2 > MAX_PROMPT_UNITS:
        raise Refused(500, "Internal server error", "internal_error")
    model = models.get(fields["model"])
    if model is None:
        raise Refused(400, f"model '{fields['model']}' is not available")
    if model.free and _largest_side(fields.get("size", "auto")) > _FREE_SIDE:
        raise Refused(400, "Free models support maximum size of 1024x1024.")
    return model


def unsuitable(request: ReceivedRequest, model: SandboxModel) -> str | None:
    """Say, in the server's words, why the model can't do this; None when it can."""
    if request.images and not model.edit:
        return "Image editing is not supported for this model"
    if request.mask is not None and not model.mask:
        return "Mask editing is not supported for this model"
    if model.one_image and len(request.images) > 1:
        return "This model supports only one image input"
    if model.needs_image and not request.images:
        return "An input image is required for this model"
    return None


def _largest_side(size: str) -> int:
    return 0 if size == "auto" else max(int(side) for side in size.split("x"))
