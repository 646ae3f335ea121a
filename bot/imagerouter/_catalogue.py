"""The catalogue's entries -> `CatalogueModel`, whatever shape they come in.

Entries that make no sense are skipped and counted. A catalogue is read entry by entry, so that a
large one, parsed in a thread, never holds the interpreter for long.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from bot.imagerouter._answers import usd
from bot.imagerouter._json import DECODER, JsonValue, NotJson
from bot.imagerouter.models import CatalogueModel, ProviderPrice
from bot.money import Micros

MAX_MODELS: Final = 20_000
"""Entries read at most; the rest counts as skipped."""

_MAX_ID_CHARS: Final = 200
_MAX_PROVIDERS: Final = 20
_MAX_SIZES: Final = 200
_SIZE = re.compile(r"auto|[1-9]\d{0,4}x[1-9]\d{0,4}")
_BLANKS = re.compile(r"[ \t\r\n]*")


def parse_catalogue(body: bytes) -> tuple[tuple[CatalogueModel, ...], int]:
    """Read an object keyed by model id, or a list of models; return models and how many were odd.

    Raises:
        NotJson: for no JSON at all, or a document that ends too early.
    """
    models: dict[str, CatalogueModel] = {}
    skipped = 0
    for model_id, entry in _entries(body):
        model = parse_model(model_id, entry) if len(models) < MAX_MODELS else None
        if model is None or model.id in models:
            skipped += 1
        else:
            models[model.id] = model
    return tuple(models.values()), skipped


def parse_model(model_id: str, entry: JsonValue) -> CatalogueModel | None:
    """Read one entry of any of the API's shapes; None when it makes no sense."""
    if not isinstance(entry, dict) or not _is_id(model_id):
        return None
    params = _object(entry.get("supported_params"))
    inputs = _object(entry.get("inputs"))
    mask = params.get("mask", inputs.get("mask")) is True
    date = entry.get("release_date")
    return CatalogueModel(
        id=model_id,
        providers=_prices(entry),
        # Masks only make sense on a picture, whatever else the entry says.
        edit=params.get("edit", inputs.get("image")) is True or mask,
        mask=mask,
        quality=params.get("quality", inputs.get("quality")) is True,
        sizes=_sizes(entry.get("sizes", inputs.get("size"))),
        release_date=date[:32] if isinstance(date, str) and date.isprintable() else None,
        output=tuple(item for item in _list(entry.get("output")) if isinstance(item, str)),
    )


def _entries(body: bytes) -> Iterator[tuple[str, JsonValue]]:
    text = body.decode("utf-8", "replace").lstrip("\ufeff")
    start = _skip_blanks(text, 0)
    if text[start : start + 1] == "{":
        yield from _object_entries(text, start)
        return
    if text[start : start + 1] != "[":
        raise NotJson(empty=start == len(text))
    value, _ = _decode(text, start)
    for item in _list(value):
        entry = _object(item)
        model_id = entry.get("id")
        yield (model_id if isinstance(model_id, str) else ""), entry


def _object_entries(text: str, start: int) -> Iterator[tuple[str, JsonValue]]:
    """Walk over `{"id": entry, ...}`, decoding one entry at a time."""
    position = _skip_blanks(text, start + 1)
    while text[position : position + 1] != "}":
        key, position = _decode(text, position)
        position = _skip_blanks(text, position)
        if not isinstance(key, str) or text[position : position + 1] != ":":
            raise NotJson
        value, position = _decode(text, _skip_blanks(text, position + 1))
        yield key, value
        position = _skip_blanks(text, position)
        following = text[position : position + 1]
        if following == ",":
            position = _skip_blanks(text, position + 1)
        elif following != "}":
            raise NotJson


def _decode(text: str, position: int) -> tuple[JsonValue, int]:
    try:
        value, end = DECODER.raw_decode(text, position)
    except (json.JSONDecodeError, ValueError, RecursionError, IndexError):
        raise NotJson from None
    return value, end


def _skip_blanks(text: str, position: int) -> int:
    match = _BLANKS.match(text, position)
    return match.end() if match else position


def _prices(entry: dict[str, JsonValue]) -> tuple[ProviderPrice, ...]:
    providers = [
        _provider_price(item)
        for item in _list(entry.get("providers"))[:_MAX_PROVIDERS]
        if isinstance(item, dict)
    ]
    if not providers and isinstance(entry.get("price"), dict | int | Decimal):
        return (_price("", entry.get("price")),)
    return tuple(providers)


def _provider_price(item: dict[str, JsonValue]) -> ProviderPrice:
    return _price(
        _name(item.get("id")), item.get("pricing"), model_name=_name(item.get("model_name"))
    )


def _price(provider: str, pricing: JsonValue, *, model_name: str = "") -> ProviderPrice:
    """Read `{value}`, `{range: {min, average, max}}`, `{min, average, max}` or a bare number."""
    table = _object(pricing)
    value = usd(pricing) if not table else usd(table.get("value"))
    spread = _object(table.get("range")) or table
    low, about, high = (usd(spread.get(name)) for name in ("min", "average", "max"))
    return ProviderPrice(
        provider=provider,
        minimum=_first(low, value),
        average=_first(about, value),
        # What is held must cover every figure that the catalogue names.
        maximum=_first(max(high, value or 0) if high is not None else None, value),
        kind=_name(table.get("type")),
        model_name=model_name,
    )


def _first(*amounts: Micros | None) -> Micros | None:
    return next((amount for amount in amounts if amount is not None), None)


def _sizes(value: JsonValue) -> tuple[str, ...]:
    sizes = (item for item in _list(value)[:_MAX_SIZES] if isinstance(item, str))
    return tuple(dict.fromkeys(size for size in sizes if _SIZE.fullmatch(size)))


def _is_id(text: str) -> bool:
    return 0 < len(text) <= _MAX_ID_CHARS and text.isprintable() and " " not in text


def _name(value: JsonValue) -> str:
    return value[:_MAX_ID_CHARS] if isinstance(value, str) and value.isprintable() else ""


def _object(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
