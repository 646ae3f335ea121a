"""Picture sizes as people type and choose them."""

import re
from typing import Final

from bot.catalog._models import Model
from bot.errors import InvalidOption

AUTO: Final = "auto"
MAX_CHOICES: Final = 25
"""Choices that Discord shows for one option."""

_SIDES: Final = range(1, 99_999 + 1)
"""Pixels of one side. What a model can't draw its provider refuses, which costs nothing."""

_LIKELY: Final = range(64, 8_192 + 1)
"""Sides that somebody means who is still typing; the catalogue's largest is 6592."""

_TYPED: Final = re.compile(r"\s*([0-9]{1,9})\s*(?:px)?\s*[x\u00d7*]\s*([0-9]{1,9})\s*(?:px)?\s*")
_USUAL: Final = (
    "1024x1024",
    "1536x1024",
    "1024x1536",
    "1280x720",
    "720x1280",
    "1024x768",
    "768x1024",
    "768x768",
    "512x512",
)
"""Offered for models that list no sizes."""

_FREE_SIDE: Final = 1_024
"""ImageRouter refuses larger sizes for `:free` models."""


def parse_size(text: str) -> str:
    """Return `auto` or `WIDTHxHEIGHT` for what a person typed; nothing typed means `auto`.

    Raises:
        InvalidOption: it is neither, or a side has no pixel or more than 99,999.
    """
    folded = text.strip().casefold()
    if folded in {"", AUTO}:
        return AUTO
    found = _TYPED.fullmatch(folded)
    if found is None:
        raise InvalidOption("size", text, "`auto`, or width x height in pixels like 1024x1024")
    width, height = int(found[1]), int(found[2])
    if width not in _SIDES or height not in _SIDES:
        raise InvalidOption(
            "size", text, f"`auto`, or sides of {_SIDES.start} to {_SIDES.stop - 1:,} pixels"
        )
    return f"{width}x{height}"


def size_choices(model: Model | None, typed: str) -> list[tuple[str, str]]:
    """Return at most 25 pairs for autocomplete: `("landscape 1536x1024", "1536x1024")`.

    Those of the model, or the usual ones where it lists none; what was typed stands first when it
    is a likely size, listed or not.
    """
    listed = model.sizes if model is not None else ()
    sizes = [AUTO, *(listed or _usual_for(model))]
    words = typed.casefold().replace("\u00d7", "x").replace("*", "x").split()
    choices = {size: describe(size) for size in sizes}
    found = [(name, size) for size, name in choices.items() if all(word in name for word in words)]
    try:
        own = parse_size(typed)
    except InvalidOption:
        return found[:MAX_CHOICES]
    if not _is_likely(own):
        return found[:MAX_CHOICES]
    first = (describe(own), own)
    return [first, *(choice for choice in found if choice != first)][:MAX_CHOICES]


def _is_likely(size: str) -> bool:
    return size == AUTO or all(int(side) in _LIKELY for side in size.split("x"))


def describe(size: str) -> str:
    """Name a size: `auto (the model decides)`, `square 1024x1024`, `portrait 1024x1536`."""
    width, by, height = size.partition("x")
    if not by:
        return f"{size} (the model decides)"
    shape = "square"
    if int(width) != int(height):
        shape = "landscape" if int(width) > int(height) else "portrait"
    return f"{shape} {size}"


def _usual_for(model: Model | None) -> tuple[str, ...]:
    if model is None or not model.id.endswith(":free"):
        return _USUAL
    return tuple(
        size for size in _USUAL if max(int(side) for side in size.split("x")) <= _FREE_SIDE
    )
