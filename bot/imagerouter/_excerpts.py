"""Short, harmless quotes from hostile error texts.

What comes in may be a web page, JSON inside a string, a database dump, or an address that contains
somebody's provider key. What goes out is at most `EXCERPT_CHARS` characters of plain words, or
nothing. Escaping Markdown is left to whoever shows it.
"""

import html
import json
import re
import unicodedata
from typing import Final

EXCERPT_CHARS: Final = 160

_LOOKED_AT: Final = 4_000  # characters; beyond that nothing can reach the excerpt
_JSON_DEPTH: Final = 4

_HIDDEN_ELEMENTS = re.compile(r"(?is)<(script|style|head|title|svg)\b.*?(</\1\s*>|\Z)")
_COMMENTS = re.compile(r"(?s)<!--.*?(-->|\Z)")
_MENTIONS = re.compile(r"<(?:@[!&]?|#|a?:\w+:|/[^:>]{1,100}:|t:|id:)[\w:-]*>")
_TAGS = re.compile(r"</?[a-zA-Z!][^<>]*(?:>|\Z)")
_ADDRESSES = re.compile(
    r"(?i)\b[a-z][a-z0-9+.-]{1,20}://\S*|\bwww\.\S+|\bdata:\S+"
    r"|\b[\w.+-]+@[\w-]+\.[\w.-]+"
    r"|\b(?:[a-z0-9-]{1,63}\.)+[a-z]{2,24}(?::\d{1,5})?(?:[/?#]\S*)?(?<![.])"
)
_SECRETS = re.compile(
    r"(?i)\b(?:bearer|basic)\s+\S+"
    r"|\b[\w-]*(?:key|token|secret|password|authorization|signature)[\"']?\s*[=:]\s*\S+"
    r"|\b(?:sk|pk|rk|r8|hf|fal|ghp|xai|gsk|AIza)[-_][\w*.-]{6,}|\bAIza[\w*.-]{6,}"
    r"|\S*[\w*-]{24,}\S*"
)
_DUMP_MARKS = re.compile(
    r"(?i)\bprisma\b|\bpostgres|\bselect\s.+\sfrom\b|\binsert\s+into\b|\bstack\b.*\bat\s"
    r"|\bat\s+\S+\s+\(?\S+:\d+|\btraceback\b|node_modules|/(?:usr|home|app|var|tmp|src)/"
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
    text = text[:_LOOKED_AT]
    text = _HIDDEN_ELEMENTS.sub(" ", _COMMENTS.sub(" ", text))
    # Twice: an entity may hide a tag, and a mention must be seen before its brackets go.
    for _ in range(2):
        text = _TAGS.sub(" ", _MENTIONS.sub(" ", text))
        text = html.unescape(text)
    text = "".join(_plain_character(character) for character in text)
    if _DUMP_MARKS.search(text):
        return ""
    text = _SECRETS.sub(" ", _ADDRESSES.sub(" ", text))
    text = _NOISE.sub(" ", text.replace("@", " "))
    text = " ".join(_EMPTY_PUNCTUATION.sub(" ", text).split()).strip(" -:;,\"'")
    if not any(character.isalpha() for character in text):
        return ""
    if len(text) > EXCERPT_CHARS:
        text = text[: EXCERPT_CHARS - 1].rsplit(" ", 1)[0].rstrip(" ,;:") + "…"
    return text


def _plain_character(character: str) -> str:
    """Replace what is invisible, reorders text, or cannot be sent."""
    category = unicodedata.category(character)
    return " " if category[0] == "C" or category in ("Zl", "Zp") else character
