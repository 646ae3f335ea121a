"""What may be tried instead of what failed: pure, from the request, the error and the catalogue.

Each remedy is a whole request that a button runs. At most three: a person reads no more.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final

from bot.catalog import Ability, Catalog, Model
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
from bot.money import Micros
from bot.quotas import PictureTooDear, QuotaExceeded, Window
from bot.requests import ImageRequest, Quality

MOST_REMEDIES: Final = 3


def remedies(
    request: ImageRequest,
    error: BotError | None,
    catalog: Catalog,
    *,
    missing: int = 0,
    needs: Collection[Ability] = (),
    within: Micros = 0,
) -> tuple[ImageRequest, ...]:
    """Return requests that would do instead, best first.

    `request.model` is the model that was used, if one was. `missing` is how many of the job's
    pictures did not come; of a part that failed only those are offered again. `within` is what
    one picture may cost at most by the limits that refused the request.
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
        case QuotaExceeded() if error.limit.window is Window.OPEN:
            found = [again]
        case QuotaExceeded() | PictureTooDear():
            found = _models_within(again, catalog, needs, within)
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
    able = [model for model in _able(request, catalog, needs) if not model.is_free]
    able.sort(key=lambda model: (abs((model.ceiling or 0) - worth), model.id))
    return _with_models(request, (model.id for model in able[: MOST_REMEDIES - 1]))


def _models_within(
    request: ImageRequest, catalog: Catalog, needs: Collection[Ability], within: Micros
) -> list[ImageRequest]:
    """The best that still fit: dearest first, and what is free when nothing else does."""
    able = [m for m in _able(request, catalog, needs) if (m.ceiling or 0) <= within]
    able.sort(key=lambda model: (-(model.ceiling or 0), model.id))
    return _with_models(request, (model.id for model in able[:MOST_REMEDIES]))


def _able(request: ImageRequest, catalog: Catalog, needs: Collection[Ability]) -> list[Model]:
    """The models other than the one asked for that can do the job, and have a price to hold."""
    from_picture = Ability.EDIT in needs or Ability.MASK in needs
    return [
        model
        for model in catalog.models
        if model.can(needs)
        and model.ceiling is not None
        and not model.is_test
        and model.id != request.model
        and (from_picture or not model.seems_to_need_picture)
    ]
