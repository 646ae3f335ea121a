"""The catalogue's answers: filters, sort orders, shapes."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from sandbox.imagerouter.catalogue import JsonObject, SandboxModel

_MAX_LISTED: Final = 1000
_POPULAR: Final = 10


def listing(
    models: Iterable[SandboxModel], query: Mapping[str, str], *, version: int
) -> dict[str, JsonObject]:
    """Give the models that a query asks for, keyed by id, in its sort order."""
    if query.get("type", "image") != "image":
        return {}
    chosen = [model for model in models if _wanted(model, query)]
    sort = query.get("sort", "date")
    if sort == "name":
        chosen.sort(key=lambda model: model.id.lower())
    elif sort == "provider":
        chosen.sort(key=lambda model: (model.prices[0].provider, model.id.lower()))
    elif sort == "price":
        chosen.sort(key=_price)
    else:
        chosen.sort(key=lambda model: model.released or "", reverse=True)
    limit = query.get("limit", "")
    count = int(limit) if limit.isdigit() and int(limit) else _MAX_LISTED
    return {model.id: model.v2() if version > 1 else model.v1() for model in chosen[:count]}


def popular(models: Iterable[SandboxModel]) -> JsonObject:
    """Give the ten most popular models, in the form that the real operation was seen to use."""
    return {"json": [{"model": model.id} for model in list(models)[1 : _POPULAR + 1]]}


def _wanted(model: SandboxModel, query: Mapping[str, str]) -> bool:
    name, provider = query.get("name", ""), query.get("provider", "")
    costs_nothing = model.at_most_micros() == 0 and model.cost_micros("auto") == 0
    return (
        name.lower() in model.id.lower()
        and (not provider or any(price.provider == provider for price in model.prices))
        and (query.get("free") != "true" or costs_nothing)
    )


def _price(model: SandboxModel) -> Decimal:
    price = model.prices[0]
    return Decimal(price.spread[1] if price.spread else price.value or "1000")
