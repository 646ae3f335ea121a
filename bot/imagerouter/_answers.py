"""Answers of ImageRouter -> typed results. Owns the shapes; knows no sockets.

Everything here is tolerant of what a field holds and strict about what is made of it: an amount
that is missing or absurd is None, never 0.
"""

from decimal import Decimal
from typing import Final

from bot.imagerouter._failures import judge, read_error
from bot.imagerouter._json import JsonValue, LongString, decode_base64
from bot.imagerouter.errors import (
    Billing,
    ChargedWithoutPicture,
    ImageRouterError,
    MalformedAnswer,
    OutcomeUnknown,
)
from bot.imagerouter.models import Credits, Generation, KeyCheck, KeyUsage, RemotePicture
from bot.money import MICROS_PER_USD, Micros, NotMoney, parse_usd

MAX_COST_MICROS: Final[Micros] = 1_000 * MICROS_PER_USD
"""A thousand dollars for one request is a fault, not a price."""

MICROS_PER_CREDIT: Final[Micros] = 100
"""ImageRouter's own unit is 1/10000 USD."""

_MOST_KEYS: Final = 200
_LONGEST_NAME: Final = 100
_MAX_PICTURES: Final = 64
_MAX_URL_CHARS: Final = 8_192
_SECONDS_END: Final = 100_000_000_000
"""Smaller than this is a time in seconds (until the year 5138), larger one in ms."""
_MAX_LATENCY_MS: Final = 24 * 3600 * 1000


def usd(value: JsonValue) -> Micros | None:
    """Read an amount in USD, as number or text; None for anything that is no such amount."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        return parse_usd(value)
    except NotMoney:
        return None


def cost(value: JsonValue) -> Micros | None:
    """Read what a request cost; None for missing or absurd."""
    amount = usd(value)
    return amount if amount is not None and amount <= MAX_COST_MICROS else None


def signed_usd(value: JsonValue) -> Micros | None:
    """Read a balance in USD, which may be overdrawn."""
    if isinstance(value, str) and value.strip().startswith("-"):
        amount = usd(value.strip()[1:])
        return None if amount is None else -amount
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and value < 0:
        amount = usd(-value)
        return None if amount is None else -amount
    return usd(value)


def parse_generation(
    body: JsonValue, *, status: int, retry_after: float | None, secrets: tuple[str, ...]
) -> Generation:
    """Make a result of a parsed answer, or raise the error that it stands for.

    Raises:
        ImageRouterError: for an `error`, whatever the HTTP status says; ChargedWithoutPicture for
            a cost without a usable picture; MalformedAnswer for neither.
    """
    if not isinstance(body, dict):
        raise MalformedAnswer("the answer is no object", billing=_silent_billing(status))
    amount = cost(body.get("cost"))
    error = body.get("error")
    if status >= 500 and not error:  # noqa: PLR2004 - HTTP's class of server failures
        raise OutcomeUnknown(f"HTTP {status} without an error", cost_micros=amount)
    if error or status >= 400:  # noqa: PLR2004 - HTTP's classes of failures
        answer = read_error(
            error or body, status=status, cost_micros=amount, retry_after=retry_after
        )
        raise judge(answer, secrets=secrets)
    pictures = _pictures(body.get("data"))
    if not pictures:
        raise _without_picture(body, amount)
    return Generation(
        pictures=pictures,
        cost_micros=amount,
        latency_ms=_count(body.get("latency"), at_most=_MAX_LATENCY_MS),
        created_ms=_time_ms(body.get("created")),
    )


def _without_picture(body: dict[str, JsonValue], amount: Micros | None) -> ImageRouterError:
    if amount is None and "data" not in body:
        return MalformedAnswer("neither data nor error")
    # A cost of 0 that was said is believed; one that was not said is unknown.
    billing = Billing.FREE if amount == 0 else Billing.UNKNOWN
    return ChargedWithoutPicture("no picture", cost_micros=amount, billing=billing)


def _silent_billing(status: int) -> Billing:
    """Say what no answer means: a status of refusal comes before anything is started."""
    return Billing.FREE if 300 <= status < 500 else Billing.UNKNOWN  # noqa: PLR2004 - HTTP classes


def _pictures(data: JsonValue) -> tuple[RemotePicture, ...]:
    items = data if isinstance(data, list) else [data]
    found = (_picture(item) for item in items[:_MAX_PICTURES])
    return tuple(picture for picture in found if picture is not None)


def _picture(item: JsonValue) -> RemotePicture | None:
    if isinstance(item, str | LongString):
        item = {"url": item}
    if not isinstance(item, dict):
        return None
    data = _bytes(item.get("b64_json"))
    url = item.get("url")
    if isinstance(url, LongString) or (isinstance(url, str) and url[:5].lower() == "data:"):
        data = data or _bytes(url)
        url = None
    if not isinstance(url, str) or not _looks_like_url(url):
        url = None
    return RemotePicture(url=url, data=data) if url or data else None


def _bytes(value: JsonValue) -> bytes | None:
    if isinstance(value, LongString):
        return value.data
    return decode_base64(value) if isinstance(value, str) else None


def _looks_like_url(text: str) -> bool:
    return (
        len(text) <= _MAX_URL_CHARS
        and text.lower().startswith(("https://", "http://"))
        and text.isprintable()
        and " " not in text
    )


def _count(value: JsonValue, *, at_most: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    if isinstance(value, Decimal) and not value.is_finite():
        return None
    return int(value) if 0 <= value <= at_most else None


def _time_ms(value: JsonValue) -> int | None:
    number = _count(value, at_most=_SECONDS_END * 1000)
    if not number:
        return None
    return number * 1000 if number < _SECONDS_END else number


def parse_credits(body: JsonValue) -> Credits:
    """Read `/v1/credits`: strings in USD.

    The breakdown by key is that of https://docs.imagerouter.io/api-reference/credits; entries that
    make no sense are left out.
    """
    if not isinstance(body, dict):
        raise MalformedAnswer("the answer is no object", billing=Billing.FREE)
    if body.get("error"):
        raise MalformedAnswer("an error", billing=Billing.FREE)
    return Credits(
        remaining=signed_usd(body.get("remaining_credits")),
        used=signed_usd(body.get("credit_usage")),
        deposits=signed_usd(body.get("total_deposits")),
        keys=_keys(body.get("usage_by_api_key")),
    )


def _keys(items: JsonValue) -> tuple[KeyUsage, ...]:
    found: dict[str, KeyUsage] = {}
    for item in items[:_MOST_KEYS] if isinstance(items, list) else ():
        key_id = item.get("api_key_id") if isinstance(item, dict) else None
        if not isinstance(item, dict) or not isinstance(key_id, str) or not key_id.strip():
            continue
        name = item.get("api_key_name")
        found[key_id[:_LONGEST_NAME]] = KeyUsage(
            id=key_id[:_LONGEST_NAME],
            name=name[:_LONGEST_NAME] if isinstance(name, str) else "",
            used=signed_usd(item.get("credit_usage")),
            is_active=item.get("is_active") is not False,
        )
    return tuple(found.values())


def parse_key_check(body: JsonValue) -> KeyCheck:
    """Read `/v1/auth/test`: an integer in 1/10000 USD."""
    if not isinstance(body, dict):
        raise MalformedAnswer("the answer is no object", billing=Billing.FREE)
    if body.get("error") or body.get("success") is False:
        raise MalformedAnswer("neither yes nor no", billing=Billing.FREE)
    units = body.get("credits")
    if isinstance(units, bool) or not isinstance(units, int | Decimal):
        return KeyCheck(balance=None)
    # In USD the two endpoints share one reading, with its limits.
    return KeyCheck(balance=signed_usd(Decimal(units) * MICROS_PER_CREDIT / MICROS_PER_USD))


def parse_popular(body: JsonValue) -> list[str]:
    """Read the undocumented list of popular models; whatever is strange is left out."""
    items = body.get("json") if isinstance(body, dict) else body
    if not isinstance(items, list):
        return []
    names: dict[str, None] = {}
    for item in items[:100]:
        name: JsonValue = item
        if isinstance(item, dict):
            name = next((item[key] for key in ("id", "model", "name") if item.get(key)), None)
        if isinstance(name, str) and 0 < len(name) <= 200 and name.isprintable():  # noqa: PLR2004 - longer is no name
            names[name] = None
    return list(names)
