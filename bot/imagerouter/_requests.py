"""What is checked before anything is sent: a request that cannot work costs a round trip less."""

import json
import re
from typing import Final

from bot.imagerouter.errors import Refusal, RefusedRequest
from bot.imagerouter.models import MAX_PROMPT_UNITS

MAX_JSON_BYTES: Final = 100_000
_MODEL_CHARS: Final = 200
_SIZE = re.compile(r"auto|[1-9]\d{0,4}x[1-9]\d{0,4}")
_QUALITIES: Final = ("auto", "low", "medium", "high")
_FORMATS: Final = ("webp", "jpeg", "png")
_RESPONSES: Final = ("url", "b64_json", "b64_ephemeral")


def check_fields(
    *,
    model: str,
    prompt: str | None,
    size: str,
    quality: str,
    response_format: str,
    output_format: str,
) -> dict[str, str]:
    """Check the fields that generations and edits share; return them as they are sent.

    Raises:
        RefusedRequest: with the field's name as `param`.
    """
    if not 0 < len(model) <= _MODEL_CHARS or not model.isprintable():
        raise RefusedRequest(Refusal.UNKNOWN_MODEL, param="model")
    if not _SIZE.fullmatch(size):
        raise RefusedRequest(Refusal.SIZE, detail="size is auto or WIDTHxHEIGHT", param="size")
    if quality not in _QUALITIES:
        raise RefusedRequest(Refusal.QUALITY, param="quality")
    if output_format not in _FORMATS:
        raise RefusedRequest(Refusal.FORMAT, param="output_format")
    if response_format not in _RESPONSES:
        raise RefusedRequest(Refusal.FORMAT, param="response_format")
    fields = {
        "model": model,
        "size": size,
        "quality": quality,
        "response_format": response_format,
        "output_format": output_format,
    }
    if prompt is not None:
        check_prompt(prompt)
        fields["prompt"] = prompt
    return fields


def check_prompt(prompt: str) -> None:
    """Refuse what ImageRouter's database cannot take. Raises RefusedRequest."""
    if "\0" in prompt:
        raise RefusedRequest(Refusal.PROMPT_UNUSABLE, detail="a NUL", param="prompt")
    try:
        encoded = prompt.encode("utf-16-le")
    except UnicodeEncodeError:
        raise RefusedRequest(
            Refusal.PROMPT_UNUSABLE, detail="half a character", param="prompt"
        ) from None
    units = len(encoded) // 2
    if units > MAX_PROMPT_UNITS:
        raise RefusedRequest(Refusal.PROMPT_TOO_LONG, detail=f"{units} units", param="prompt")


def json_body(fields: dict[str, str]) -> bytes:
    """Encode a request. Raises RefusedRequest when it is larger than ImageRouter reads."""
    body = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
    if len(body) > MAX_JSON_BYTES:
        raise RefusedRequest(Refusal.REQUEST_TOO_LARGE, detail=f"{len(body)} bytes")
    return body
