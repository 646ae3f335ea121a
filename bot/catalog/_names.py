"""Names as people type them: words, joined spellings, nicknames. Pure."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

MAX_TYPED: Final = 100
"""Characters looked at; no id is longer."""

MARK: Final = "|"
"""Stands before each word of `Name.marked`; no word contains it."""

_WORD: Final = re.compile(r"[a-z]+|[0-9]+(?:\.[0-9]+)*|[^\W\d_a-z]+")
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Where a word begins inside of one: Dream|Shaper, Real|Vis|XL."""

_NICKNAMES: Final = (
    # Google's own name for the picture models of Gemini (ai.google.dev, image generation).
    (re.compile(r"^gemini-2\.5-flash(?:-image)?", re.IGNORECASE), "nano banana"),
    (re.compile(r"^gemini-3-pro(?:-image)?", re.IGNORECASE), "nano banana pro"),
    # What the letters stand for; and the product in which most people met the model.
    (re.compile(r"^sd(?=xl|[0-9])", re.IGNORECASE), "stable diffusion "),
    (re.compile(r"^gpt-image", re.IGNORECASE), "chatgpt image"),
    (re.compile(r"^midjourney", re.IGNORECASE), "mj"),
    (re.compile(r"background", re.IGNORECASE), "bg"),
    (re.compile(r"-(?=[248]x$)", re.IGNORECASE), " upscaler "),
)
"""What people call models whose ids don't say so; the catalogue has no such names."""


class Name(Struct, frozen=True):
    """One model's id, taken apart for the search."""

    words: frozenset[str]
    """Of the id without its vendor, and of nicknames."""
    vendor: frozenset[str]
    """Of the vendor's name, and its initials."""
    marked: str
    """All words in their order, humps apart, each after a `MARK`; the vendor's come first."""
    own: int
    """Where in `marked` the words of the vendor end."""
    spellings: tuple[str, ...]
    """Joined words: the id without its vendor, the whole id, then any nicknames."""
    begins: str
    """The rest of each spelling from every beginning of a word, each after a `MARK`."""


def take_apart(model_id: str) -> Name:
    """Work out all ways in which an id may be typed."""
    vendor, slash, short = model_id.partition("/")
    if not slash:
        vendor, short = "", model_id
    names = [short, *(place.sub(nick, short) for place, nick in _NICKNAMES if place.search(short))]
    of_vendor = _humps(vendor)
    humps = [_humps(name) for name in names]
    first, *nicknames = ("".join(parts) for parts in humps)
    marked = "".join(MARK + part for part in of_vendor)
    begins = [*_endings([*of_vendor, *humps[0]])]
    for parts in humps[1:]:
        begins += _endings(parts)
    return Name(
        words=frozenset(word for name in names for word in _both_ways(name)),
        vendor=frozenset((*_both_ways(vendor), *_initials(of_vendor))),
        marked=marked + "".join(MARK + part for parts in humps for part in parts),
        own=len(marked),
        spellings=(first, "".join(of_vendor) + first, *nicknames),
        begins="".join(MARK + begin for begin in dict.fromkeys(begins)),
    )


def words_of(text: str) -> list[str]:
    """Return the words of what somebody typed; digits are words of their own."""
    return _WORD.findall(text[:MAX_TYPED].casefold())


def joined(words: Iterable[str]) -> str:
    """Return words as one, without dots: `sd 3.5` and `sd35` are the same."""
    return "".join(words).replace(".", "")


def _both_ways(name: str) -> list[str]:
    """Words as they stand, and with their humps apart."""
    return [*words_of(name), *words_of(_HUMP.sub(" ", name))]


def _initials(words: list[str]) -> list[str]:
    return ["".join(word[0] for word in words)] if len(words) > 1 else []


def _humps(name: str) -> list[str]:
    return [word.replace(".", "") for word in words_of(_HUMP.sub(" ", name))]


def _endings(parts: list[str]) -> Iterator[str]:
    whole, at = "".join(parts), 0
    for part in parts:
        yield whole[at:]
        at += len(part)
