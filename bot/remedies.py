"""What may be tried instead of what failed: pure, from the request, the error and the catalogue.

Each remedy is a whole request that a button runs. At most three: a person reads no more.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final

from bot.catalog import Ability, Catalog
from bot.errors import (
    BotError,
    InvalidOption,
    LedgerUnavailable,
    QueueFull,
    ShuttingDown,
    UnknownModel,
    UnpricedModel,
    UnsuitableModel,
)
from bot.imagerouter import (
    DailyFreeLimit,
    NotStarted,
    ProviderFailed,
    RateLimited,
    Refusal,
    RefusedRequest,
)
from bot.requests import ImageRequest, Quality

MOST_REMEDIES: Final = 3


def remedies(
    request: ImageRequest,
    error: BotError | None,
    catalog: Catalog,
    *,
    missing: int = 0,
    needs: Collection[Ability] = (),
) -> tuple[ImageRequest, ...]:
    """Return requests that would do instead, best first.

    `request.model` is the model that was used, if one was. `missing` is how many of the job's
    pictures did not come; of a part that failed only those are offered again.
    """
    again = replace(request, count=missing) if missing else request
    match error:
        case UnknownModel(suggestions=names) | UnsuitableModel(alternatives=names):
            found = _with_models(again, names)
        case RefusedRequest(reason=Refusal.UNKNOWN_MODEL):
            found = _with_models(again, catalog.suggest(request.model or ""))
        case InvalidOption(option="size") | RefusedRequest(reason=Refusal.SIZE):
            found = [replace(again, size="auto")]
        case RefusedRequest(reason=Refusal.QUALITY):
            found = [replace(again, quality=Quality.AUTO)]
        case UnpricedModel() | DailyFreeLimit() | RefusedRequest(reason=Refusal.NEEDS_IMAGE):
            found = _other_models(again, catalog, needs)
        case ProviderFailed():
            found = [again, *_other_models(again, catalog, needs)]
        case NotStarted() | RateLimited() | ShuttingDown() | QueueFull() | LedgerUnavailable():
            found = [again]
        case _:
            found = []
    return tuple(found[:MOST_REMEDIES])


def _with_models(request: ImageRequest, names: Iterable[str]) -> list[ImageRequest]:
    return [replace(request, model=name) for name in names]


def _other_models(
    request: ImageRequest, catalog: Catalog, needs: Collection[Ability]
) -> list[ImageRequest]:
    """The nearest in price to what was asked for, so that a click holds no surprise."""
    used = catalog.known(request.model) if request.model else None
    worth = (used.ceiling if used else None) or 0
    from_picture = Ability.EDIT in needs or Ability.MASK in needs
    able = [
        model
        for model in catalog.models
        if model.can(needs)
        and model.ceiling is not None
        and not model.is_test
        and not model.is_free
        and model.id != request.model
        and (from_picture or not model.seems_to_need_picture)
    ]
    able.sort(key=lambda model: (abs((model.ceiling or 0) - worth), model.id))
    return _with_models(request, (model.id for model in able[: MOST_REMEDIES - 1]))
