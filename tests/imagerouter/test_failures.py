"""Which error a text means, and how little of the text is ever shown."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import BotError
from bot.imagerouter import (
    BadKey,
    Billing,
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
from bot.imagerouter._excerpts import EXCERPT_CHARS, excerpt, plain_message
from bot.imagerouter._failures import judge, read_error


def meaning(
    message: object, *, status: int = 200, kind: str = "internal_error", **more: object
) -> ImageRouterError:
    """Judge an error as it comes in an answer."""
    error = json.loads(json.dumps({"message": message, "type": kind, **more}))
    return judge(read_error(error, status=status), secrets=("our-own-key",))


def test_a_key_at_the_end_of_what_is_looked_at_leaves_nothing_of_itself() -> None:
    for before in range(1_960, 2_001):
        text = "<b>" + " " * before + "</b>" + "our-own-key stands here"
        error = judge(
            read_error({"message": text, "type": "x"}, status=200), secrets=("our-own-key",)
        )
        assert "our" not in error.excerpt


@pytest.mark.parametrize(
    ("message", "status", "kind", "expected"),
    [
        ("Invalid authorization token", 401, "unauthorized", BadKey),
        ("Guest token IP mismatch", 403, "unauthorized", BadKey),
        ("Your account is inactive, please contact support", 200, "internal_error", BadKey),
        ("Insufficient credits (this model needs minimum $0.05)", 200, "internal_error", NoCredits),
        ("Please deposit", 403, "access_denied", NoCredits),
        ("Daily limit of 10 free requests reached.", 403, "deposit_required", NoCredits),
        ("Daily limit of 50 free requests reached.", 429, "rate_limit_error", DailyFreeLimit),
        ("Too many requests", 429, "rate_limit_error", RateLimited),
        ("Insufficient credits on the provider account", 200, "provider_error", ProviderFailed),
        ("You exceeded your current quota", 200, "insufficient_quota", ProviderFailed),
        ("Incorrect API key provided", 200, "invalid_api_key", ProviderFailed),
        ("Rate limit reached for images", 200, "rate_limit_exceeded", ProviderFailed),
        ("Internal error encountered.", 200, "INTERNAL", ProviderFailed),
        ("Failed to postlog usage", 200, "internal_error", ChargedWithoutPicture),
        ("Failed to refund usage", 200, "internal_error", ChargedWithoutPicture),
        ("Your request was rejected by our safety system.", 200, "x", Moderated),
        ("Request rejected", 200, "moderation_blocked", Moderated),
        ("This content may violate our usage policies", 400, "invalid_request_error", Moderated),
        ("Image flagged as NSFW", 200, "provider_error", Moderated),
        ("The prompt was blocked", 200, "provider_error", Moderated),
        ("Expected object, received array", 400, "invalid_request_error", RefusedRequest),
        ("Failed to verify free-tier usage limit", 500, "internal_error", ProviderFailed),
        ("", 200, "", ProviderFailed),
    ],
)
def test_each_class_of_failure_is_told_from_the_others(
    message: str, status: int, kind: str, expected: type[ImageRouterError]
) -> None:
    assert type(meaning(message, status=status, kind=kind)) is expected


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("Image editing is not supported for this model", Refusal.NO_IMAGE_INPUT),
        ("This model does not support image input", Refusal.NO_IMAGE_INPUT),
        ("Mask editing is not supported for this model", Refusal.MASK_UNSUPPORTED),
        ("This model does not support masks", Refusal.MASK_UNSUPPORTED),
        ("This model supports only one image input", Refusal.TOO_MANY_IMAGES),
        ("File upload error: Unexpected field", Refusal.TOO_MANY_IMAGES),
        ("Maximum of 16 images can be uploaded", Refusal.TOO_MANY_IMAGES),
        ("An input image is required for this model", Refusal.NEEDS_IMAGE),
        ("This model requires an image", Refusal.NEEDS_IMAGE),
        ("No image provided", Refusal.NEEDS_IMAGE),
        ("model 'a/b' is not available", Refusal.UNKNOWN_MODEL),
        ("'a/b' is a video model. Please use the video endpoint.", Refusal.UNKNOWN_MODEL),
        ("This model is no longer available.", Refusal.UNKNOWN_MODEL),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_refusals_that_teach_what_a_model_can_do(
    message: str, reason: Refusal, status: int
) -> None:
    error = meaning(message, status=status)
    assert isinstance(error, RefusedRequest)
    assert error.reason is reason
    assert error.billing is Billing.FREE


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Mask editing is not supported for this model", RefusedRequest),
        ("An input image is required for this model", RefusedRequest),
        ("Your request was rejected by our safety system.", ChargedWithoutPicture),
        ("Failed to postlog usage: no image was provided", ChargedWithoutPicture),
    ],
)
def test_a_refusal_that_was_charged_teaches_as_much_as_one_for_free(
    message: str, expected: type[ImageRouterError]
) -> None:
    error = judge(read_error(message, status=200, cost_micros=70), secrets=())
    assert type(error) is expected
    assert (error.billing, error.cost_micros) == (Billing.CHARGED, 70)


@pytest.mark.parametrize(
    ("message", "param", "reason"),
    [
        ("'size' must be 'auto' or in the format 'WIDTHxHEIGHT'", None, Refusal.SIZE),
        ("Free models support maximum size of 1024x1024.", None, Refusal.SIZE),
        ("Invalid value: '9x9'", "size", Refusal.SIZE),
        ("'prompt' is a required parameter", None, Refusal.PROMPT_MISSING),
        ("File upload error: File too large", None, Refusal.FILE_TOO_LARGE),
        ("Invalid image file format", None, Refusal.FILE_UNREADABLE),
        ("Invalid enum value for 'output_format'", None, Refusal.FORMAT),
        ("Something new", None, Refusal.OTHER),
    ],
)
def test_refusals_name_the_field(message: str, param: str | None, reason: Refusal) -> None:
    error = meaning(message, status=400, kind="invalid_request_error", param=param)
    assert isinstance(error, RefusedRequest)
    assert error.reason is reason
    assert error.param == param


def test_only_a_failed_booking_or_a_named_cost_is_not_free() -> None:
    assert meaning("anything").billing is Billing.FREE
    assert meaning("Failed to postlog usage for a/b").billing is Billing.UNKNOWN
    named = judge(read_error("lost", status=200, cost_micros=70), secrets=())
    assert (named.billing, named.cost_micros) == (Billing.CHARGED, 70)
    zero = judge(read_error("lost", status=200, cost_micros=0), secrets=())
    assert zero.billing is Billing.FREE


def test_an_overloaded_provider_is_busy_and_a_broken_one_is_not() -> None:
    overloaded = meaning("The model is overloaded. Please try again later.")
    broken = meaning("Cannot read properties of undefined")
    assert isinstance(overloaded, ProviderFailed)
    assert overloaded.busy
    assert isinstance(broken, ProviderFailed)
    assert not broken.busy


@pytest.mark.parametrize("kind", ["generic", "private"])
def test_every_error_is_one_that_the_bot_knows(kind: str) -> None:
    assert isinstance(meaning("x", kind=kind), BotError)


PAGE = (
    "<!DOCTYPE html><html><head><title>502</title><style>p{}</style></head>"
    "<body><h1>Bad gateway</h1><script>alert(1)</script><p>try again</p></body></html>"
)
HOSTILE = [
    (PAGE, "Bad gateway try again"),
    (
        "fetch failed https://gen.googleapis.com/v1/x:gen?key=AIzaSyA1234567890abcdefghijklmnop",
        "fetch failed",
    ),
    ("See generativelanguage.googleapis.com/v1beta?key=abc for help", "See for help"),
    (
        "Incorrect API key provided: sk-proj-abcd********wxyz. Try",
        "Incorrect API key provided: Try",
    ),
    ("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc was refused", "was refused"),
    ("token=hunter2 is wrong", "is wrong"),
    ("Ask support@runware.ai or @everyone or <@123456789012345678>", "Ask or everyone or"),
    ("<@&5> <#6> <:smile:7> </imagine:8> hello <t:1700000000:R>", "hello"),
    ("&lt;script&gt;alert(1)&lt;/script&gt; words", "alert(1) words"),
    ("zero\u200bwidth \u202eright to left\u202c\x00\x1b[31m", "zero width right to left 31m"),
    (
        "Invalid `prisma.user.update()` invocation in /app/src/db.js:12:5 value out of range",
        "",
    ),
    ("Error: boom\n    at Object.<anonymous> (/srv/app.js:1:7)\n    at node:internal", ""),
    ('{"error": {"message": "The size is wrong"}}', "The size is wrong"),
    ('{"detail": [{"loc": ["body"], "msg": "field required"}]}', "field required"),
    ("our-own-key is inside", "is inside"),
    ("!!! 123 ---", ""),
    ("", ""),
]


@pytest.mark.parametrize(("text", "shown"), HOSTILE)
def test_only_harmless_words_of_a_text_are_shown(text: str, shown: str) -> None:
    assert excerpt(plain_message(text), secrets=("our-own-key",)) == shown


def test_a_long_text_is_cut_at_a_word() -> None:
    shown = excerpt("word " * 100)
    assert len(shown) <= EXCERPT_CHARS
    assert shown.endswith("word…")


WORDS = r"<b> </ <@1> @everyone https://x.y/?key=z www.a.b sk-abcdefgh key= &lt; &#64; { } ` word"
WORDS += " discord.gg/x x.com \\ \u202e"
PIECES = st.sampled_from([*WORDS.split(), " ", "\n", "a" * 40])


@given(st.lists(PIECES | st.text(max_size=8), max_size=30).map("".join))
def test_no_text_brings_a_link_a_mention_or_markup_through(text: str) -> None:
    shown = excerpt(text)
    assert len(shown) <= EXCERPT_CHARS
    assert not re.search(r"[<>@`{}\\]|://|www\.|discord\.gg|\bsk-abcdefgh|a{40}", shown)
    assert shown.isprintable()


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_no_shape_of_a_message_breaks_the_reading_of_it(value: object) -> None:
    assert isinstance(plain_message(value), str)
    assert isinstance(plain_message({"message": value}), str)
    assert isinstance(plain_message(json.dumps(value)), str)
