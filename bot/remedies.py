"""What may be tried instead of what failed: pure, from the request, the error and the catalogue.

Each remedy is a whole request that a button runs. At most three: a person reads no more.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from bot.catalog import TEST_MODEL, Ability, Catalog, Model
from bot.errors import (
    BotError,
    InputsFull,
    InputUnreachable,
    InvalidOption,
    LedgerUnavailable,
    NoModelAvailable,
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
from bot.planning import needs_of
from bot.policy import EVERYTHING, Allowance, ModelNotAllowed
from bot.quotas import PictureTooDear, QuotaExceeded, Window
from bot.requests import ImageRequest, Quality

MOST_REMEDIES: Final = 3

_WRONG_MODEL: Final = frozenset(
    {
        Refusal.NEEDS_IMAGE,
        Refusal.NO_IMAGE_INPUT,
        Refusal.MASK_UNSUPPORTED,
        Refusal.TOO_MANY_IMAGES,
    }
)
"""Another model may do what this one refused."""


def remedies(
    request: ImageRequest,
    error: BotError | None,
    catalog: Catalog,
    *,
    missing: int = 0,
    within: Micros = 0,
    defaults: Sequence[str] = (),
    allowed: Allowance = EVERYTHING,
) -> tuple[ImageRequest, ...]:
    """Return requests that would do instead, best first.

    `request.model` is the model that was used, if one was. `missing` is how many of the job's
    pictures did not come; of a part that failed only those are offered again. `within` is what
    one picture may cost at most by the limits that refused the request. `defaults` are the models
    that are tried when nobody names one. Nothing is offered that is not `allowed`.
    """
    again = replace(request, count=missing) if missing else request
    match error:
        case (
            UnknownModel(suggestions=names)
            | UnsuitableModel(alternatives=names)
            | ModelNotAllowed(alternatives=names)
        ):
            found = _with_models(again, names) or _usual_model(again, catalog, defaults, allowed)
        case RefusedRequest():
            found = _after_refusal(again, error.reason, catalog, allowed)
        case InvalidOption(option="size"):
            found = [replace(again, size="auto")]
        case UnpricedModel() | DailyFreeLimit():
            found = _other_models(again, catalog, allowed)
        case ProviderFailed():
            found = [again, *_other_models(again, catalog, allowed)]
        case (
            NotStarted()
            | RateLimited()
            | ShuttingDown()
            | QueueFull()
            | InputUnreachable()
            | InputsFull()
            | LedgerUnavailable()
        ):
            found = [again]
        case QuotaExceeded() if error.limit.window is Window.OPEN:
            found = [again]
        case QuotaExceeded():
            found = [*_fewer(again, error), *_models_within(again, catalog, within, allowed)]
        case PictureTooDear():
            found = _models_within(again, catalog, within, allowed)
        case _:
            found = []
    return tuple([each for each in found if allowed.permits(each)][:MOST_REMEDIES])


def _after_refusal(
    request: ImageRequest, reason: Refusal, catalog: Catalog, allowed: Allowance
) -> list[ImageRequest]:
    """What may pass where ImageRouter or a provider refused the request itself."""
    match reason:
        case Refusal.UNKNOWN_MODEL:
            return _successors(request, catalog, allowed) or _other_models(
                request, catalog, allowed
            )
        case Refusal.SIZE:
            return [replace(request, size="auto")]
        case Refusal.QUALITY:
            return [replace(request, quality=Quality.AUTO)]
        case _:
            words_alone = reason is Refusal.NEEDS_IMAGE
            return (
                _other_models(request, catalog, allowed, words_alone=words_alone)
                if reason in _WRONG_MODEL
                else []
            )


def _with_models(request: ImageRequest, names: Iterable[str]) -> list[ImageRequest]:
    return [replace(request, model=name) for name in names]


def _successors(request: ImageRequest, catalog: Catalog, allowed: Allowance) -> list[ImageRequest]:
    """What a model may have become that is gone, though the catalogue may still list it."""
    named = catalog.suggest(
        request.model or "",
        MOST_REMEDIES + 1,
        needs=needs_of(request),
        images=len(request.images),
        allowed=allowed,
    )
    return _with_models(request, (name for name in named if name != request.model))


def _usual_model(
    request: ImageRequest, catalog: Catalog, defaults: Sequence[str], allowed: Allowance
) -> list[ImageRequest]:
    """What would run if no model were named, but for the test picture, which nobody asked for."""
    wanted = [name for name in defaults if name != TEST_MODEL]
    needs, images = needs_of(request), len(request.images)
    try:
        model = catalog.choose(wanted, needs, images=images, allowed=allowed)
    except NoModelAvailable:
        return []
    return _with_models(request, [model.id])


def _other_models(
    request: ImageRequest, catalog: Catalog, allowed: Allowance, *, words_alone: bool = False
) -> list[ImageRequest]:
    """The nearest in price to what was asked for, so that a click holds no surprise.

    `words_alone`: those that take no picture at all first, since another may need one, too.
    """
    used = catalog.known(request.model) if request.model else None
    worth = (used.ceiling if used else None) or 0
    able = [model for model in _able(request, catalog, allowed) if not model.is_free]
    able.sort(
        key=lambda model: (
            words_alone and Ability.EDIT in model.abilities,
            abs((model.ceiling or 0) - worth),
            model.id,
        )
    )
    return _with_models(request, (model.id for model in able[: MOST_REMEDIES - 1]))


def _fewer(request: ImageRequest, refusal: QuotaExceeded) -> list[ImageRequest]:
    """As many of the pictures as fit, if any do: a refusal names the limit with the least left."""
    price = refusal.needed // request.count
    fitting = min(refusal.left // price, request.count - 1) if price else 0
    return [replace(request, count=fitting)] if fitting > 0 else []


def _models_within(
    request: ImageRequest, catalog: Catalog, within: Micros, allowed: Allowance
) -> list[ImageRequest]:
    """The best that still fit: dearest first, and what is free when nothing else does."""
    able = [m for m in _able(request, catalog, allowed) if (m.ceiling or 0) <= within]
    able.sort(key=lambda model: (-(model.ceiling or 0), model.id))
    return _with_models(request, (model.id for model in able[:MOST_REMEDIES]))


def _able(request: ImageRequest, catalog: Catalog, allowed: Allowance) -> list[Model]:
    """The models other than the one asked for that can do the job, and have a price to hold."""
    needs, images = needs_of(request), len(request.images)
    return [
        model
        for model in catalog.models
        if model.can(needs, images=images)
        and model.ceiling is not None
        and not model.is_test
        and model.id != request.model
        and (request.is_edit or not model.seems_to_need_picture)
        and allowed(model)
    ]
