"""Make hostile text harmless, and short enough.

A prompt, a model's name or a server's excerpt may hold Markdown, mentions, links and code fences.
Discord takes a backslash before any ASCII punctuation as "this character, plainly".
"""

import re
import unicodedata
from typing import Final

from msgspec import Struct

_SPECIAL: Final = re.compile(r"[\\*_~|`>#\[\]()\-+.!:<@&]")
_BIDI: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Explanation(Struct, frozen=True):
    """What a person reads when there is no picture."""

    title: str
    body: str
    """Why, and what to do next."""


def plain(text: str, *, most: int = 300) -> str:
    """Return `text` on one line of at most `most` characters, shown by Discord letter by letter.

    No Markdown, no mention, no link, no time stamp, and nothing that turns the line around.
    """
    cleaned = text if text.isprintable() else _cleaned(text)
    line = " ".join(cleaned.split())
    escaped = _SPECIAL.sub(r"\\\g<0>", shorten(line, most))
    while len(escaped) > most:  # each step drops about what the backslashes added
        line = shorten(line, max(1, len(line) - max(1, (len(escaped) - most) // 2)))
        escaped = _SPECIAL.sub(r"\\\g<0>", line)
    return escaped


def _cleaned(text: str) -> str:
    return "".join(" " if _is_space(char) else char for char in text if not _is_control(char))


def shorten(text: str, most: int) -> str:
    """Return at most `most` characters of `text`, with an ellipsis where something is missing."""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def code_block(text: str) -> str:
    """Return `text` in a code block, ready to be copied; only where `fits_code_block` says so."""
    return f"```\n{text}\n```"


def fits_code_block(text: str, most: int) -> bool:
    """Whether `code_block(text)` has at most `most` characters and gives `text` back whole.

    A fence would close it, Discord drops blanks at the ends, and what can't be seen can't be copied
    with trust. Discord also fails when a message's text has more than 10,170 bytes
    (discord/discord-api-docs#8554), so there are at most two for each of `most`.
    """
    return (
        "```" not in text
        and "\r" not in text
        and text == text.strip()
        and not any(_is_control(char) for char in text)
        and len(code_block(text)) <= most
        and len(text.encode(errors="replace")) <= 2 * most
    )


def _is_space(char: str) -> bool:
    return char in "\t\n\r\v\f" or unicodedata.category(char) in {"Zl", "Zp"}


def _is_control(char: str) -> bool:
    return char in _BIDI or (unicodedata.category(char) == "Cc" and not _is_space(char))
