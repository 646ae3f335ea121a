"""What may be tried instead when models are compared: pure, as `bot.remedies` is for one model.

A comparison that can't be run as it was asked for is offered with another model in the place of
the one that can't, or without those that are too dear.
"""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from bot.catalog import Catalog
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
from bot.imagerouter import NotStarted, ProviderFailed, RateLimited
from bot.money import Micros
from bot.outcomes import Report
from bot.policy import ModelNotAllowed
from bot.quotas import PictureTooDear, QuotaExceeded, Window
from bot.requests import ImageRequest

_PASSING: Final = (NotStarted, ProviderFailed, RateLimited, ShuttingDown, LedgerUnavailable)
"""Why the same model may do better a little later."""


def once_more(report: Report) -> tuple[ImageRequest, ...]:
    """Return a request for those models without a picture that may bring one a little later."""
    failed = report.failed_parts
    names = [part.model for part in failed if isinstance(part.error, _PASSING)]
    return (report.job.request.by_models(names),) if names else ()


def instead(
    request: ImageRequest,
    error: BotError | None,
    catalog: Catalog,
    *,
    takes: Callable[[Sequence[Micros]], bool],
) -> tuple[ImageRequest, ...]:
    """Return requests that would do instead of a refused comparison, best first.

    `takes` says whether pictures at these prices pass the limits together.
    """
    match error:
        case UnknownModel(name=name, suggestions=others) if others:
            return _with_another(request, name, others, catalog)
        case UnsuitableModel(model=name, alternatives=others):
            return _with_another(request, name, others, catalog)
        case ModelNotAllowed(model=name, alternatives=others) if others:
            return _with_another(request, name, others, catalog)
        case UnknownModel(name=name) | ModelNotAllowed(model=name):
            return _without(request, {name}, catalog)
        case UnpricedModel(model=name):
            return _without(request, {name}, catalog)
        case InvalidOption(option="size"):
            return (replace(request, size="auto"),)
        case QueueFull() | ShuttingDown() | LedgerUnavailable():
            return (request,)
        case QuotaExceeded() if error.limit.window is Window.OPEN:
            return (request,)
        case QuotaExceeded() | PictureTooDear():
            return _without(request, _too_dear(request, catalog, takes), catalog)
        case _:
            return ()


def _with_another(
    request: ImageRequest, name: str, others: Sequence[str], catalog: Catalog
) -> tuple[ImageRequest, ...]:
    """Put each of `others` in the place of `name`, except for those that take part already."""
    asked = [_id(each, catalog) for each in request.models]
    return tuple(
        request.by_models([other if each == _id(name, catalog) else each for each in asked])
        for other in others
        if other not in asked
    )


def _without(request: ImageRequest, names: set[str], catalog: Catalog) -> tuple[ImageRequest, ...]:
    rest = [name for name in request.models if _id(name, catalog) not in names]
    return (request.by_models(rest),) if rest else ()


def _too_dear(
    request: ImageRequest, catalog: Catalog, takes: Callable[[Sequence[Micros]], bool]
) -> set[str]:
    """The dearest of the models, as few as must go for the others to fit."""
    ids = [_id(name, catalog) for name in request.models]
    rest = sorted(ids, key=lambda name: _price(name, catalog))
    while rest and not takes([_price(name, catalog) for name in rest]):
        rest.pop()
    return set(ids) - set(rest)


def _id(name: str, catalog: Catalog) -> str:
    """How the catalogue calls it; the name itself when it doesn't know it."""
    model = catalog.get(name)
    return name if model is None else model.id


def _price(name: str, catalog: Catalog) -> Micros:
    model = catalog.get(name)
    return (model.ceiling if model is not None else None) or 0
