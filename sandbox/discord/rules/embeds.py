"""What Discord demands of embeds.

Source: Discord's documentation, "Embed Limits".
"""

from collections.abc import Sequence
from typing import Final

from sandbox.discord.rules.fields import REQUIRED, Fields
from sandbox.discord.rules.violations import Path, Problems

MOST_EMBEDS: Final = 10
TOTAL_TEXT: Final = 6000
"""Characters of all titles, descriptions, fields, footers and authors of a message."""
_TITLE: Final = 256
_DESCRIPTION: Final = 4096
_FIELDS: Final = 25
_FIELD_NAME: Final = 256
_FIELD_VALUE: Final = 1024
_FOOTER: Final = 2048
_AUTHOR: Final = 256
_URL: Final = 2048
_SCHEMES: Final = ("http://", "https://", "attachment://")
_VISIBLE: Final = ("title", "description", "fields", "footer", "author", "image", "thumbnail")


def check_embeds(
    embeds: Sequence[object], *, path: Path, problems: Problems
) -> list[dict[str, object]]:
    """Check a message's embeds and return them without null fields, each of type `rich`."""
    checked: list[dict[str, object]] = []
    total = 0
    for index, each in enumerate(embeds):
        fields = Fields(each, path=(*path, index), problems=problems)
        total += _check_embed(fields)
        checked.append({**fields.kept(fields.raw), "type": "rich"})
    if total > TOTAL_TEXT:
        problems.add(
            path, "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {TOTAL_TEXT}"
        )
    return checked


def _check_embed(fields: Fields) -> int:
    """Check one embed, and return how many characters count for the total."""
    size = len(fields.text("title", high=_TITLE) or "")
    size += len(fields.text("description", high=_DESCRIPTION) or "")
    fields.whole("color", low=0, high=0xFFFFFF)
    _check_url(fields, "url")
    size += _check_nested(fields, "footer", text="text", high=_FOOTER)
    size += _check_nested(fields, "author", text="name", high=_AUTHOR)
    for key in ("image", "thumbnail"):
        if fields.has(key):
            image = Fields(fields.raw[key], path=(*fields.path, key), problems=fields.problems)
            _check_url(image, "url")
    for index, each in enumerate(fields.items("fields", high=_FIELDS)):
        field = Fields(each, path=(*fields.path, "fields", index), problems=fields.problems)
        size += len(field.text("name", low=1, high=_FIELD_NAME, required=True) or "")
        size += len(field.text("value", low=1, high=_FIELD_VALUE, required=True) or "")
        field.boolean("inline")
    if fields.is_object and not any(fields.raw.get(key) for key in _VISIBLE):
        fields.fault("description", *REQUIRED)
    return size


def _check_nested(fields: Fields, key: str, *, text: str, high: int) -> int:
    if not fields.has(key):
        return 0
    inner = Fields(fields.raw[key], path=(*fields.path, key), problems=fields.problems)
    _check_url(inner, "url")
    _check_url(inner, "icon_url")
    return len(inner.text(text, low=1, high=high, required=True) or "")


def _check_url(fields: Fields, key: str) -> None:
    url = fields.text(key, high=_URL)
    if url and not url.startswith(_SCHEMES):
        fields.fault(
            key,
            "URL_TYPE_INVALID_SCHEME",
            "Scheme is not supported. Scheme must be one of ('http', 'https').",
        )
