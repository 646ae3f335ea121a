"""Error answers -> the one error of the tree that each of them means.

ImageRouter forwards whatever its providers say, so that the HTTP status, the `type` and the words
all count. Whether money moved follows from where the error came from: any status but 200 is sent
before a provider is asked, and after an error the server gives the held credits back, unless it
says that this very booking failed or names a `cost`.
"""

import re
from typing import Final

from msgspec import Struct

from bot.imagerouter._excerpts import excerpt, plain_message
from bot.imagerouter._json import JsonValue, LongString
from bot.imagerouter.errors import (
    BadKey,
    ChargedWithoutPicture,
    DailyFreeLimit,
    ImageRouterError,
    Moderated,
    NoCredits,
    ProviderFailed,
    RateLimited,
    Refusal,
    RefusedRequest,
)
from bot.money import Micros

_OK: Final = 200
_JUDGED_CHARS: Final = 800  # hostile texts make patterns slow, and the point comes early

_MONEY_GONE = re.compile(r"failed to postlog usage|failed to refund usage")
_DAILY_FREE = re.compile(r"daily limit of \d+ free")
_NO_CREDITS = re.compile(r"^insufficient credits")
_ACCOUNT_OFF = re.compile(r"your account is (inactive|not registered)|^api key is not found")
_MODERATION = re.compile(
    r"moderation|content[ _-]?polic|content[ _-]?filter|content[ _-]?violation|safety|nsfw"
    r"|prohibited|flagged|sensitive|inappropriate|responsible ai|usage polic|not allowed by"
    r"|invalid content detected|explicit content|policy violation|violat\w+ .{0,40}polic"
    r"|(prompt|content|request|image) (was|is|has been) (blocked|rejected)"
)
_BUSY = re.compile(
    r"rate.?limit|too many requests|\b429\b|overloaded|at (maximum )?capacity|high concurrency"
    r"|try again later|quota"
)
_IMAGE_WORD: Final = r"(input |reference )?image(s)?( (input|editing|edit|upload))?"
_REASONS: Final[tuple[tuple[Refusal, re.Pattern[str]], ...]] = (
    (
        Refusal.MASK_UNSUPPORTED,
        re.compile(
            r"mask( editing| input)?s? (is|are) not (supported|available)"
            r"|(not|n't) (support|accept|take) (a |any )?mask"
        ),
    ),
    (
        Refusal.TOO_MANY_IMAGES,
        re.compile(
            r"only one (input )?image|only (supports|accepts) (one|1|a single) "
            r"|maximum of \d+ images|too many (input |reference )?(images|files)"
            r"|unexpected field|at most \d+ (input |reference )?images"
        ),
    ),
    (
        Refusal.NO_IMAGE_INPUT,
        re.compile(
            rf"image editing (is )?not supported|{_IMAGE_WORD} (is|are) not supported"
            rf"|(not|n't) (support|accept|take) (an |any )?{_IMAGE_WORD}"
        ),
    ),
    (
        Refusal.NEEDS_IMAGE,
        re.compile(
            r"(an |at least one |input |source )+image(s)? (is|are) required"
            r"|requires? (an|at least one|one|a) (input |source |reference )?image"
            r"|'?image'? is (a )?required|(missing|no) (required )?(input )?image"
            r"( (was )?(provided|supplied|uploaded|given)|$)|must (provide|supply|upload) an? image"
        ),
    ),
    (Refusal.FILE_TOO_LARGE, re.compile(r"(file|image) (is )?too large|exceeds.{0,30}file size")),
    (
        Refusal.FILE_UNREADABLE,
        re.compile(
            r"(invalid|corrupt\w*|unreadable|unsupported|could not (read|decode|process)( the)?)"
            r" (input )?image( (file|data|format|type))?"
        ),
    ),
    (Refusal.UNKNOWN_MODEL, re.compile(r"model .{0,80}(is not available|not found|no longer av)")),
    (Refusal.UNKNOWN_MODEL, re.compile(r"is a video model|no longer available|please switch to")),
    (Refusal.PROMPT_MISSING, re.compile(r"'?prompt'? is (a )?required")),
    (Refusal.PROMPT_TOO_LONG, re.compile(r"prompt.{0,40}(too long|at most|maximum length|exceed)")),
    (
        Refusal.SIZE,
        re.compile(
            r"'size'|maximum size of|(invalid|unsupported|not supported).{0,60}"
            r"(size|width|height|resolution|dimension|aspect)"
            r"|(size|width|height|resolution|dimension|aspect).{0,60}"
            r"(invalid|unsupported|not supported|must be)"
        ),
    ),
    (Refusal.QUALITY, re.compile(r"'quality'|quality.{0,40}(invalid|not supported|must be)")),
    (Refusal.FORMAT, re.compile(r"'(output_format|response_format)'")),
)
_PARAM_REASONS: Final = {
    "size": Refusal.SIZE,
    "quality": Refusal.QUALITY,
    "output_format": Refusal.FORMAT,
    "response_format": Refusal.FORMAT,
    "model": Refusal.UNKNOWN_MODEL,
}
_REQUEST_TYPES: Final = ("invalid_request", "image_generation_user_error", "validation_error")
_IMAGE_REASONS: Final = (
    Refusal.MASK_UNSUPPORTED,
    Refusal.TOO_MANY_IMAGES,
    Refusal.NO_IMAGE_INPUT,
    Refusal.NEEDS_IMAGE,
)


class ErrorAnswer(Struct, frozen=True):
    """An answer that says that something failed, before anyone has judged it."""

    status: int
    """Of HTTP; 200 for failures after the heartbeats began."""
    message: str
    kind: str = ""
    """`type` and `code`, lower case."""
    param: str | None = None
    cost_micros: Micros | None = None
    retry_after: float | None = None
    """Seconds."""


def read_error(
    error: JsonValue,
    *,
    status: int,
    cost_micros: Micros | None = None,
    retry_after: float | None = None,
) -> ErrorAnswer:
    """Take the `error` of an answer apart; it may be an object, a list or a text."""
    kinds: list[str] = []
    param: str | None = None
    if isinstance(error, dict):
        kinds = [_text(error.get(name)) for name in ("type", "code")]
        param = _text(error.get("param"))[:40] or None
    return ErrorAnswer(
        status=status,
        message=plain_message(_without_long(error)),
        kind=" ".join(filter(None, kinds)).lower(),
        param=param,
        cost_micros=cost_micros,
        retry_after=retry_after,
    )


def judge(answer: ErrorAnswer, *, secrets: tuple[str, ...]) -> ImageRouterError:
    """Decide which error an answer means."""
    words = " ".join(answer.message[:_JUDGED_CHARS].lower().split())
    quote = excerpt(answer.message, secrets=secrets)
    if _MONEY_GONE.search(words):
        return ChargedWithoutPicture(excerpt=quote, cost_micros=answer.cost_micros)
    if answer.cost_micros:
        return _charged(answer, words, quote)
    if _DAILY_FREE.search(words):
        if "deposit" in words or "deposit" in answer.kind:
            return NoCredits(excerpt=quote, free_model=True)
        return DailyFreeLimit(excerpt=quote)
    if answer.status != _OK:
        by_status = _by_status(answer, words, quote)
        if by_status is not None:
            return by_status
    return _by_words(answer, words, quote)


def _charged(answer: ErrorAnswer, words: str, quote: str) -> ImageRouterError:
    """Judge what cost something: a refusal teaches what a model can do, or it is paid for again."""
    cost, reason = answer.cost_micros, _reason(answer, words)
    if reason in _IMAGE_REASONS:
        return RefusedRequest(reason, excerpt=quote, param=answer.param, cost_micros=cost)
    return ChargedWithoutPicture(excerpt=quote, cost_micros=cost)


def _by_status(answer: ErrorAnswer, words: str, quote: str) -> ImageRouterError | None:
    """Judge what ImageRouter itself said before any provider was asked."""
    if answer.status == 401:  # noqa: PLR2004 - HTTP statuses are their own names
        return BadKey("401", excerpt=quote)
    if answer.status == 402:  # noqa: PLR2004 - see above
        return NoCredits(excerpt=quote)
    if answer.status == 403:  # noqa: PLR2004 - see above
        if "access_denied" in answer.kind or "deposit" in answer.kind + words:
            return NoCredits(excerpt=quote, free_model=True)
        if "unauthorized" in answer.kind:
            return BadKey("403", excerpt=quote)
    if answer.status == 429:  # noqa: PLR2004 - see above
        return RateLimited(retry_after=answer.retry_after, excerpt=quote)
    if answer.status == 413:  # noqa: PLR2004 - see above
        return RefusedRequest(Refusal.REQUEST_TOO_LARGE, excerpt=quote, param=answer.param)
    return None


def _by_words(answer: ErrorAnswer, words: str, quote: str) -> ImageRouterError:
    if _NO_CREDITS.search(words) and "internal_error" in answer.kind:
        return NoCredits(excerpt=quote)
    if _ACCOUNT_OFF.search(words):
        return BadKey("account switched off", excerpt=quote)
    reason = _reason(answer, words)
    # The server's own words about images are exact; a provider's moderation text may hold anything.
    if reason in _IMAGE_REASONS:
        return RefusedRequest(reason, excerpt=quote, param=answer.param)
    if _MODERATION.search(f"{words} {answer.kind}"):
        return Moderated(excerpt=quote)
    refused = 400 <= answer.status < 500 or any(kind in answer.kind for kind in _REQUEST_TYPES)  # noqa: PLR2004 - HTTP's class of refusals
    if refused or reason in (Refusal.UNKNOWN_MODEL, Refusal.PROMPT_MISSING):
        return RefusedRequest(reason or Refusal.OTHER, excerpt=quote, param=answer.param)
    return ProviderFailed(excerpt=quote, busy=_BUSY.search(f"{words} {answer.kind}") is not None)


def _reason(answer: ErrorAnswer, words: str) -> Refusal | None:
    for reason, pattern in _REASONS:
        if pattern.search(words):
            return reason
    return _PARAM_REASONS.get(answer.param or "")


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _without_long(value: JsonValue, depth: int = 0) -> object:
    """Replace strings that were lifted out of the JSON by their beginnings."""
    if isinstance(value, LongString):
        return value.text
    if isinstance(value, dict) and depth < 3:  # noqa: PLR2004 - deeper than any message is
        return {name: _without_long(item, depth + 1) for name, item in value.items()}
    return value
