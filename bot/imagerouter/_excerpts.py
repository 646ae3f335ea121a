"""Short, harmless quotes from hostile error texts.

What comes in may be a web page, JSON inside a string, a database dump, or an address that contains
somebody's provider key. What goes out is at most `EXCERPT_CHARS` characters of plain words, or
nothing. Escaping Markdown is left to whoever shows it.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Final

EXCERPT_CHARS: Final = 160

_LOOKED_AT: Final = 2_000  # characters; beyond that nothing can reach the excerpt
_JSON_DEPTH: Final = 4

_HIDDEN_ELEMENTS = re.compile(r"(?is)<(script|style|head|title|svg)\b.*?(</\1\s*>|\Z)")
_COMMENTS = re.compile(r"(?s)<!--.*?(-->|\Z)")
_MENTIONS = re.compile(r"<(?:@[!&]?|#|a?:\w+:|/[^:>]{1,100}:|t:|id:)[\w:-]*>")
_TAGS = re.compile(r"</?[a-zA-Z!][^<>]*(?:>|\Z)")
_ADDRESS = re.compile(
    r"(?i)://|www\.|^data:|@.*\."
    # A host name, with or without a path; that a few words without a space go, too, does no harm.
    r"|[a-z0-9-]\.[a-z]{2,24}(?![a-z]).|[a-z0-9-]\.[a-z]{2,24}\Z"
)
_SECRET = re.compile(
    r"(?i)(?:key|token|secret|password|authorization|signature)[\"']?[=:]."
    r"|\b(?:sk|pk|rk|r8|hf|fal|ghp|xai|gsk)[-_][\w*.-]{6}|\bAIza[\w*.-]{6}|[\w*-]{24}"
)
_SCHEME = re.compile(r"(?i)(?:bearer|basic)\W*")
_TOKEN_CHARS: Final = 100  # a longer run without a space is no word, and patterns take long on it
_DUMP_MARKS = re.compile(
    r"(?i)\bprisma\b|\bpostgres|\bselect\s.{1,80}\sfrom\b|\binsert\s+into\b"
    r"|\bat\s\S{1,80}\s\(?\S{1,80}:\d|\btraceback\b|node_modules|/(?:usr|home|app|var|tmp|src)/"
)
_NOISE = re.compile(r"[{}\[\]<>|\\`]+")
_EMPTY_PUNCTUATION = re.compile(r"\(\s*\)|\"\s*\"|'\s*'|(?<=\s)[:;,](?=\s|\Z)")


def plain_message(value: object, depth: int = 0) -> str:
    """Find the words in an error's `message`, which may be text, an object, or JSON as text."""
    if depth > _JSON_DEPTH:
        return ""
    if isinstance(value, dict):
        for name in ("message", "error", "detail", "msg", "error_description", "reason"):
            found = plain_message(value.get(name), depth + 1)
            if found:
                return found
        return ""
    if isinstance(value, list):
        return next(filter(None, (plain_message(item, depth + 1) for item in value[:8])), "")
    if not isinstance(value, str):
        return ""
    text = value.strip()
    if text[:1] in ("{", "["):
        try:
            inner = json.loads(text)
        except (ValueError, RecursionError):
            return text
        return plain_message(inner, depth + 1) or text
    return text


def excerpt(text: str, *, secrets: tuple[str, ...] = ()) -> str:
    """Clean `text` for showing; `secrets` are removed wherever they stand."""
    for secret in secrets:
        text = text.replace(secret, " ")
    from html import unescape  # its names of characters are not needed before something fails

    text = text[:_LOOKED_AT]
    if _DUMP_MARKS.search(text):
        return ""
    text = _HIDDEN_ELEMENTS.sub(" ", _COMMENTS.sub(" ", text))
    # Twice: an entity may hide a tag, and a mention must be seen before its brackets go.
    for _ in range(2):
        text = _TAGS.sub(" ", _MENTIONS.sub(" ", text))
        text = unescape(text)
    text = "".join(_plain_character(character) for character in text)
    if _DUMP_MARKS.search(text):
        return ""
    text = _NOISE.sub(" ", " ".join(_plain_words(text)).replace("@", " "))
    text = " ".join(_EMPTY_PUNCTUATION.sub(" ", text).split()).strip(" -:;,\"'")
    if not any(character.isalpha() for character in text):
        return ""
    if len(text) > EXCERPT_CHARS:
        text = text[: EXCERPT_CHARS - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"
    return text


def _plain_words(text: str) -> Iterator[str]:
    """Leave out addresses, and everything like a key: what follows `Bearer` as well."""
    after_scheme = False
    for word in text.split():
        is_scheme = _SCHEME.fullmatch(word) is not None
        harmless = not (after_scheme or is_scheme or len(word) > _TOKEN_CHARS)
        if harmless and not _SECRET.search(word) and not _ADDRESS.search(word):
            yield word
        after_scheme = is_scheme


def _plain_character(character: str) -> str:
    """Replace what is invisible, reorders text, or cannot be sent."""
    category = unicodedata.category(character)
    return " " if category[0] == "C" or category in ("Zl", "Zp") else character
