"""What is offered instead of a batch that goes over a limit: as many of it as fit."""

import pytest
from msgspec.structs import replace

from bot.catalog import Catalog
from bot.clock import SystemClock
from bot.imagerouter import CatalogueModel, ModelsPage, ProviderPrice, Refusal, RefusedRequest
from bot.quotas import Limit, QuotaExceeded, Scope, Window
from bot.remedies import remedies
from bot.requests import ImageRequest, Source
from cogs.ui.buttons import offer_label

PRICE = 80_000


class Shelf:
    """The other end of the catalogue: it lists `models`."""

    def __init__(self, *models: CatalogueModel) -> None:
        self._models = models

    async def models(self, *, etag: str | None = None) -> ModelsPage:
        return ModelsPage(models=self._models, etag=etag)

    async def model(self, model_id: str) -> None:
        return None

    async def popular_models(self) -> list[str]:
        return []


@pytest.fixture
def nothing_else() -> Catalog:
    """A catalogue without any other model."""
    return Catalog(Shelf(), clock=SystemClock(), cache_path=None, unpriced_ceiling=None)


def refusal(count: int, left: int, *, price: int = PRICE) -> QuotaExceeded:
    limit = Limit(Scope.MEMBER, Window.DAY, 500_000)
    return QuotaExceeded(limit, left=left, needed=count * price, resets_at_ms=None)


@pytest.mark.parametrize(
    ("count", "left", "fitting"),
    [
        (4, 4 * PRICE - 1, [3]),
        (4, 2 * PRICE, [2]),
        (2, PRICE, [1]),
        (4, PRICE - 1, []),
        (4, 0, []),
        (1, PRICE - 1, []),
    ],
)
def test_as_many_pictures_are_offered_as_the_limit_leaves_room_for(
    nothing_else: Catalog, count: int, left: int, fitting: list[int]
) -> None:
    asked = ImageRequest("imagine", "a heron", model="papercut/fold-large", count=count)
    offered = remedies(asked, refusal(count, left), nothing_else)
    assert [request.count for request in offered] == fitting
    assert {(request.model, request.prompt) for request in offered} <= {
        ("papercut/fold-large", "a heron")
    }


def test_too_many_jobs_at_once_is_nothing_that_fewer_pictures_mend(nothing_else: Catalog) -> None:
    asked = ImageRequest("imagine", "a heron", count=4)
    full = QuotaExceeded(Limit(Scope.MEMBER, Window.OPEN, 1), left=0, needed=1, resets_at_ms=None)
    assert remedies(asked, full, nothing_else) == (asked,)


@pytest.mark.parametrize(
    ("count", "missing", "label"),
    [
        (1, False, "Only 1 picture"),
        (2, False, "Only 2 pictures"),
        (1, True, "Try the missing one again"),
        (2, True, "Try the missing 2 again"),
        (4, False, "Try again"),
    ],
)
def test_a_button_says_whether_the_other_pictures_are_there(
    count: int, *, missing: bool, label: str
) -> None:
    asked = ImageRequest("imagine", "a heron", count=4)
    offered = ImageRequest("imagine", "a heron", count=count)
    assert offer_label(offered, asked, missing=missing) == label


def listed(name: str, price: int, *, edit: bool = False) -> CatalogueModel:
    priced = ProviderPrice("harbour", price, price, price)
    return CatalogueModel(id=name, providers=(priced,), edit=edit)


async def test_after_a_model_wanted_a_picture_those_that_take_none_come_first() -> None:
    shelf = Shelf(
        listed("harborlight/wants-one", 20_000, edit=True),
        listed("harborlight/may-want-one", 20_000, edit=True),
        listed("papercut/words-alone", 90_000),
    )
    catalog = Catalog(shelf, clock=SystemClock(), cache_path=None, unpriced_ceiling=None)
    await catalog.load()
    asked = ImageRequest("imagine", "a heron", model="harborlight/wants-one")

    offered = remedies(asked, RefusedRequest(Refusal.NEEDS_IMAGE), catalog)

    assert [request.model for request in offered] == [
        "papercut/words-alone",
        "harborlight/may-want-one",
    ]


async def test_a_model_that_is_gone_though_it_is_listed_is_not_offered_again() -> None:
    shelf = Shelf(
        listed("papercut/fold-2", 20_000),
        listed("papercut/fold-2-edit", 20_000, edit=True),
        listed("harborlight/tide", 21_000, edit=True),
    )
    catalog = Catalog(shelf, clock=SystemClock(), cache_path=None, unpriced_ceiling=None)
    await catalog.load()
    gone = RefusedRequest(Refusal.UNKNOWN_MODEL)

    words = ImageRequest("imagine", "a heron", model="papercut/fold-2")
    offered = [request.model for request in remedies(words, gone, catalog)]
    assert offered[0] == "papercut/fold-2-edit"
    assert "papercut/fold-2" not in offered

    picture = Source("https://cdn.discordapp.com/a.png", "a.png")
    edit = replace(words, command="edit", model="papercut/fold-2-edit", images=(picture,))
    assert [request.model for request in remedies(edit, gone, catalog)] == ["harborlight/tide"]
