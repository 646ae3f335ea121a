"""What is offered where models are compared, and what its buttons say."""

import pytest
from msgspec import to_builtins

from bot.catalog import Catalog
from bot.clock import SystemClock
from bot.comparing import instead, once_more
from bot.errors import (
    BotError,
    InvalidOption,
    QueueFull,
    UnknownModel,
    UnpricedModel,
    UnsuitableModel,
)
from bot.imagerouter import CatalogueModel, ModelsPage, Moderated, ProviderFailed, ProviderPrice
from bot.outcomes import Assignment, Part, Report
from bot.planning import plan
from bot.quotas import Limit, PictureTooDear, QuotaExceeded, Scope, Window
from bot.requests import Actor, ImageRequest, Quality, ReplyRoute, request_from
from bot.storage import ChargeState
from cogs.ui.buttons import offer_label

CHEAP, MIDDLING, DEAR = "paper/cheap", "glass/middling", "paper/dear"
PRICES = {CHEAP: 300, MIDDLING: 1000, DEAR: 2500}
ASKED = ImageRequest("compare", "a heron").by_models([DEAR, CHEAP, MIDDLING])
FULL = QuotaExceeded(Limit(Scope.MEMBER, Window.DAY, 9000), left=0, needed=3800, resets_at_ms=None)
BUSY = QuotaExceeded(Limit(Scope.MEMBER, Window.OPEN, 1), left=0, needed=1, resets_at_ms=None)


class Shelf:
    """The other end of the catalogue: three models with a price each."""

    async def models(self, *, etag: str | None = None) -> ModelsPage:
        found = tuple(
            CatalogueModel(
                id=name,
                providers=(ProviderPrice(provider="p", minimum=1, average=price, maximum=price),),
                quality=name == DEAR,
            )
            for name, price in PRICES.items()
        )
        return ModelsPage(models=found, etag=etag)

    async def model(self, model_id: str) -> None:
        return None

    async def popular_models(self) -> list[str]:
        return []


@pytest.fixture
async def catalog() -> Catalog:
    """A catalogue of the shelf."""
    catalog = Catalog(Shelf(), clock=SystemClock(), cache_path=None, unpriced_ceiling=None)
    await catalog.load()
    return catalog


def test_a_plan_has_a_part_for_each_model_in_the_order_of_the_wish(catalog: Catalog) -> None:
    planned = plan(ASKED, catalog, defaults=[])

    assert [(part.model.id, part.ceiling) for part in planned.parts] == [
        (DEAR, 2500),
        (CHEAP, 300),
        (MIDDLING, 1000),
    ]
    assert (planned.ceiling, planned.about) == (2500, 3800)
    assert planned.request.models == (DEAR, CHEAP, MIDDLING)
    assert (planned.request.count, planned.request.model) == (3, None)


def test_a_quality_goes_to_those_models_that_have_one(catalog: Catalog) -> None:
    asked = ImageRequest("compare", "a heron", quality=Quality.HIGH).by_models([DEAR, CHEAP])
    planned = plan(asked, catalog, defaults=[])
    assert [part.request.quality for part in planned.parts] == [Quality.HIGH, Quality.AUTO]
    assert planned.request.quality is Quality.HIGH
    assert [note.value for note in planned.notes] == ["quality_ignored"]


@pytest.mark.parametrize(
    ("names", "option"),
    [
        ((CHEAP, CHEAP), "model2"),
        ((CHEAP, DEAR, "Paper/Cheap"), "model3"),
        ((CHEAP, DEAR, MIDDLING, "test/test", "one/more"), "model"),
    ],
)
def test_models_that_take_part_twice_or_are_too_many_are_refused(
    catalog: Catalog, names: tuple[str, ...], option: str
) -> None:
    with pytest.raises(InvalidOption) as refusal:
        plan(ImageRequest("compare", "a heron").by_models(names), catalog, defaults=[])
    assert refusal.value.option == option


@pytest.mark.parametrize(
    ("error", "left", "offered", "label"),
    [
        (FULL, 3800, ASKED.models, "Try again"),
        (FULL, 3799, (CHEAP, MIDDLING), "Without paper/dear"),
        (FULL, 1299, (CHEAP,), "Only paper/cheap"),
        (FULL, 299, None, ""),
        (PictureTooDear(Limit(Scope.BOT, Window.IMAGE, 999), price=2500), 999, (CHEAP,), "Only "),
        (BUSY, 0, ASKED.models, "Try again"),
        (QueueFull(3), 0, ASKED.models, "Try again"),
        (InvalidOption("size", "9:16", "x"), 0, ASKED.models, "Try again"),
        (InvalidOption("prompt", "", "x"), 0, None, ""),
        (UnpricedModel(MIDDLING), 0, (DEAR, CHEAP), "Without glass/middling"),
        (UnknownModel(MIDDLING, ["test/test"]), 0, (DEAR, CHEAP, "test/test"), "Use test/test"),
        (UnknownModel(MIDDLING, [DEAR]), 0, None, ""),
        (UnsuitableModel(DEAR, "text", ["a/b"]), 0, ("a/b", CHEAP, MIDDLING), "Use a/b"),
    ],
)
def test_what_is_offered_instead_of_a_refused_comparison(
    catalog: Catalog, error: BotError, left: int, offered: tuple[str, ...] | None, label: str
) -> None:
    found = instead(ASKED, error, catalog, takes=lambda prices: sum(prices) <= left)
    expected = [] if offered is None else [ASKED.by_models(offered)]
    assert list(found) == expected
    for request in found:
        assert offer_label(request, ASKED).startswith(label)


def test_only_what_may_pass_by_itself_is_asked_once_more() -> None:
    reply = ReplyRoute(1, "", 0, 1, 1, 1)
    job = Assignment(1, Actor(1, 2, 3), ASKED, DEAR, reply)
    free = ChargeState.RELEASED
    parts = (
        Part(1, DEAR, free, 2500, 0, error=ProviderFailed()),
        Part(2, CHEAP, ChargeState.SETTLED, 300, 300, error=None),
        Part(3, MIDDLING, free, 1000, 0, error=Moderated()),
    )
    [again] = once_more(Report(job, parts))
    assert (again.model, again.models, again.count) == (DEAR, (), 1)
    assert offer_label(again, ASKED, missing=True) == "Try the missing one again"
    assert once_more(Report(job, parts[2:])) == ()


def test_an_offer_of_an_earlier_version_compares_nothing() -> None:
    entry = to_builtins(ImageRequest("imagine", "a heron", count=2))
    del entry["models"]
    assert request_from(entry) == ImageRequest("imagine", "a heron", count=2)
    assert request_from({**entry, "models": ["a/b", "c/d"]}).models == ("a/b", "c/d")
