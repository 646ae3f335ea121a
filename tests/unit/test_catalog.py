"""What the catalogue answers: names, prices, defaults, sizes."""

from datetime import date

import pytest

from bot.catalog import TEST_MODEL, Ability, Catalog, Model, label, parse_size, size_choices
from bot.clock import SystemClock
from bot.errors import (
    InvalidOption,
    NoModelAvailable,
    UnknownModel,
    UnpricedModel,
    UnsuitableModel,
)
from bot.imagerouter import CatalogueModel, ModelsPage, ProviderPrice
from bot.money import Micros


def price(
    average: Micros | None, most: Micros | None = None, *, named: bool = True
) -> ProviderPrice:
    maximum = (average if most is None else most) if named else None
    return ProviderPrice(provider="p", minimum=average, average=average, maximum=maximum)


def listed(
    name: str, *prices: ProviderPrice, abilities: str = "", **fields: object
) -> CatalogueModel:
    return CatalogueModel(
        id=name,
        providers=prices or (price(10_000),),
        edit="edit" in abilities,
        mask="mask" in abilities,
        quality="quality" in abilities,
        sizes=fields.get("sizes", ()),  # type: ignore[arg-type]  # a test's own tuple
        release_date=fields.get("release_date"),  # type: ignore[arg-type]  # a test's own text
    )


class Shelf:
    """The other end of the catalogue: answers with a list."""

    def __init__(self, *models: CatalogueModel) -> None:
        self._models = models

    async def models(self, *, etag: str | None = None) -> ModelsPage:
        return ModelsPage(models=self._models, etag=etag)

    async def model(self, model_id: str) -> CatalogueModel | None:
        return None

    async def popular_models(self) -> list[str]:
        return []


async def catalogue(*models: CatalogueModel, unpriced: Micros | None = None) -> Catalog:
    catalog = Catalog(
        Shelf(*models), clock=SystemClock(), cache_path=None, unpriced_ceiling=unpriced
    )
    await catalog.load()
    return catalog


async def model(entry: CatalogueModel, *, unpriced: Micros | None = None) -> Model:
    found = (await catalogue(entry, unpriced=unpriced)).get(entry.id)
    assert found is not None
    return found


# -- prices ---------------------------------------------------------------------------------------


async def test_the_ceiling_is_the_largest_price_of_any_provider_and_about_is_the_usual_one() -> (
    None
):
    found = await model(listed("a/b", price(600, 3_200), price(18_000), price(500)))
    assert (found.about, found.at_most, found.ceiling) == (600, 18_000, 18_000)


@pytest.mark.parametrize(
    ("prices", "unpriced", "ceiling"),
    [
        ((price(None),), None, None),
        ((price(None),), 50_000, 50_000),
        ((price(600), price(600, named=False)), None, None),
        ((price(600), price(600, named=False)), 50_000, 50_000),
        ((price(90_000), price(600, named=False)), 50_000, 90_000),
        ((price(90_000),), 50_000, 90_000),
    ],
)
async def test_the_operators_ceiling_stands_in_for_prices_that_nobody_names(
    prices: tuple[ProviderPrice, ...], unpriced: Micros | None, ceiling: Micros | None
) -> None:
    assert (await model(listed("a/b", *prices), unpriced=unpriced)).ceiling == ceiling


async def test_only_a_price_of_nothing_is_free() -> None:
    assert (await model(listed("a/b:free", price(0)))).is_free
    assert not (await model(listed("a/b", price(0, 5_000)))).is_free
    assert not (await model(listed("a/b", price(None)), unpriced=0)).is_free


# -- names ----------------------------------------------------------------------------------------


async def test_a_name_is_found_exactly_or_without_regard_to_case() -> None:
    catalog = await catalogue(listed("Acme/Big-One"))
    exact = catalog.get("Acme/Big-One")
    assert exact is not None
    assert exact.short_name == "Big-One"
    assert catalog.get(" acme/big-ONE ") is exact
    assert catalog.get("big-one") is None


async def test_names_that_differ_in_case_only_are_told_apart_exactly_or_not_at_all() -> None:
    catalog = await catalogue(listed("acme/one", price(1)), listed("Acme/One", price(2)))
    one, other = catalog.get("acme/one"), catalog.get("Acme/One")
    assert one is not None
    assert other is not None
    assert (one.about, other.about) == (1, 2)
    assert catalog.get("ACME/ONE") is None
    assert set(catalog.suggest("ACME/ONE")) == {"acme/one", "Acme/One"}


async def test_the_dummy_model_is_known_to_an_empty_catalogue() -> None:
    catalog = await catalogue()
    dummy = catalog.require(TEST_MODEL, list(Ability))
    assert dummy.is_test
    assert dummy.ceiling == 0


@pytest.mark.parametrize(
    "typed",
    [
        "acme/FLUX-1-schnel",
        "flux schnell",
        "flux1shnell",
        "FLUX-1-schnell!!",
        "acme FLUX-1-scnhell",
    ],
)
async def test_a_misspelt_name_is_recognised(typed: str) -> None:
    catalog = await catalogue(
        *(listed(f"vendor/other-{number}") for number in range(50)), listed("acme/FLUX-1-schnell")
    )
    assert catalog.suggest(typed)[0] == "acme/FLUX-1-schnell"
    with pytest.raises(UnknownModel) as caught:
        catalog.require(typed)
    assert caught.value.suggestions[0] == "acme/FLUX-1-schnell"


@pytest.mark.parametrize("typed", ["", "   ", "///", "🎨", "x" * 6_000, "a " * 3_000, "qqqqqqqq"])
async def test_hopeless_names_get_no_suggestion_and_no_error(typed: str) -> None:
    catalog = await catalogue(listed("acme/FLUX-1-schnell"))
    assert catalog.suggest(typed) in ([], ["acme/FLUX-1-schnell"])
    assert isinstance(catalog.search(typed), list)


async def test_search_ranks_whole_words_before_beginnings_before_the_rest() -> None:
    catalog = await catalogue(
        listed("acme/superflux"), listed("acme/fluxion"), listed("other/flux"), listed("other/cat")
    )
    assert [found.id for found in catalog.search("FLUX")] == [
        "other/flux",
        "acme/fluxion",
        "acme/superflux",
    ]
    assert [found.id for found in catalog.search("acme flux")] == ["acme/fluxion", "acme/superflux"]
    assert catalog.search("fluxoin")[0].id == "acme/fluxion"


async def test_search_offers_only_models_that_can_do_the_job() -> None:
    catalog = await catalogue(
        listed("a/plain"),
        listed("a/editor", abilities="edit"),
        listed("a/m", abilities="edit mask"),
    )
    found = catalog.search("a", needs=[Ability.EDIT])
    assert {found.id for found in found} == {"a/editor", "a/m"}
    assert len(catalog.search("", limit=2)) == 2


async def test_a_model_that_cannot_do_the_job_is_refused_with_some_that_can() -> None:
    catalog = await catalogue(
        listed("a/plain"),
        listed("b/cheap", price(1), abilities="edit"),
        listed("a/editor", price(9), abilities="edit"),
        listed("c/unpriced", price(None), abilities="edit"),
    )
    with pytest.raises(UnsuitableModel) as caught:
        catalog.require("a/plain", [Ability.EDIT])
    assert caught.value.ability == "edit"
    assert caught.value.alternatives == ("a/editor", "b/cheap")
    with pytest.raises(UnpricedModel):
        catalog.require("c/unpriced")
    assert catalog.require("a/plain").id == "a/plain"


# -- defaults -------------------------------------------------------------------------------------


async def test_the_default_is_taken_when_it_can_do_the_job_else_the_cheapest_that_can() -> None:
    catalog = await catalogue(
        listed("a/plain", price(3)),
        listed("a/unpriced", price(None)),
        listed("a/dear", price(90_000), abilities="edit"),
        listed("a/cheap", price(9_000), abilities="edit"),
    )
    assert catalog.choose(["a/plain"]).id == "a/plain"
    assert catalog.choose(["a/plain"], [Ability.EDIT]).id == "a/cheap"
    assert catalog.choose(["a/gone"]).id == "a/plain"
    assert catalog.choose(["a/unpriced"]).id == "a/plain"
    with pytest.raises(NoModelAvailable):
        catalog.choose(["a/plain"], [Ability.MASK])


async def test_with_nothing_configured_the_dummy_model_is_the_default() -> None:
    catalog = await catalogue(listed("a/plain"))
    assert catalog.choose([TEST_MODEL]).id == TEST_MODEL
    assert catalog.choose([TEST_MODEL], [Ability.EDIT]).id == TEST_MODEL


async def test_the_cheapest_is_never_the_dummy_and_never_without_a_ceiling() -> None:
    catalog = await catalogue(listed("a/unpriced", price(None)))
    with pytest.raises(NoModelAvailable):
        catalog.cheapest()
    assert (
        await catalogue(listed("a/unpriced", price(None)), unpriced=5)
    ).cheapest().id == "a/unpriced"


async def test_a_model_that_works_on_pictures_is_the_last_choice_for_words_alone() -> None:
    catalog = await catalogue(
        listed("a/remove-background", price(1), abilities="edit"), listed("a/painter", price(500))
    )
    assert catalog.cheapest().id == "a/painter"
    assert catalog.cheapest([Ability.EDIT]).id == "a/remove-background"


# -- labels, dates, sizes -------------------------------------------------------------------------


async def test_a_label_carries_name_price_and_marks() -> None:
    flux = listed("bfl/FLUX-1-schnell", price(1_300, 7_000), abilities="edit mask")
    assert label(await model(flux)) == "FLUX-1-schnell · about $0.0013 · edit mask"
    assert label(await model(listed("a/b:free", price(0)))) == "b:free · free"
    assert label(await model(listed("a/b", price(None, 40_000)))) == "b · at most $0.04"
    assert label(await model(listed("a/b", price(None), abilities="edit"))) == (
        "b · price unknown · edit"
    )


async def test_a_label_fits_discord_and_tells_vendors_with_the_same_name_apart() -> None:
    long = await model(listed("a/" + "n" * 98, abilities="edit mask"))
    assert len(label(long)) == 100
    assert label(long).endswith("… · about $0.01 · edit mask")
    catalog = await catalogue(listed("a/sdxl"), listed("b/SDXL"))
    assert [label(found).split(" · ")[0] for found in catalog.search("sdxl")] == [
        "a/sdxl",
        "b/SDXL",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-28", date(2026, 1, 28)),
        ("2022-04-6", date(2022, 4, 6)),
        ("2022-13-01", None),
        ("soon", None),
        (None, None),
    ],
)
async def test_release_dates_are_read_as_they_come(text: str | None, expected: date | None) -> None:
    assert (await model(listed("a/b", release_date=text))).release_date == expected


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1024x1024", "1024x1024"),
        (" 1536 X 1024 ", "1536x1024"),
        ("1536\u00d71024", "1536x1024"),
        ("800*600", "800x600"),
        ("0800x0600", "800x600"),
        ("1024px x 768px", "1024x768"),
        ("AUTO", "auto"),
        ("", "auto"),
    ],
)
def test_a_size_is_read_in_the_ways_people_write_it(text: str, size: str) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "16:9",
        "1024",
        "x",
        "0x0",
        "0x64",
        "100000x64",
        "-1x5",
        "1e3x1e3",
        "9" * 50 + "x1",
        "\u0661\u0660\u0660x\u0661\u0660\u0660",
        "1024x1024x1024",
        "1024x1024\x00",
        "big",
    ],
)
def test_what_is_no_size_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        parse_size(text)
    assert caught.value.option == "size"
    assert caught.value.value == text


async def test_sizes_are_offered_by_name_and_narrowed_by_what_is_typed() -> None:
    found = await model(listed("a/b", sizes=("auto", "1024x1024", "1536x1024", "1024x1536")))
    assert size_choices(found, "") == [
        ("auto (the model decides)", "auto"),
        ("square 1024x1024", "1024x1024"),
        ("landscape 1536x1024", "1536x1024"),
        ("portrait 1024x1536", "1024x1536"),
    ]
    assert size_choices(found, "Land") == [("landscape 1536x1024", "1536x1024")]
    assert size_choices(found, "1536 x") == [
        ("landscape 1536x1024", "1536x1024"),
        ("portrait 1024x1536", "1024x1536"),
    ]
    assert size_choices(found, "nothing like it") == []


async def test_a_typed_size_is_offered_first_although_the_model_does_not_list_it() -> None:
    found = await model(listed("a/b", sizes=("1024x1024",)))
    assert size_choices(found, "900 \u00d7 700") == [("landscape 900x700", "900x700")]
    assert size_choices(found, "1024x1024") == [("square 1024x1024", "1024x1024")]


async def test_at_most_25_sizes_are_offered_and_some_for_models_that_list_none() -> None:
    many = await model(listed("a/b", sizes=tuple(f"{side}x512" for side in range(600, 640))))
    assert len(size_choices(many, "")) == 25
    assert ("landscape 1536x1024", "1536x1024") in size_choices(None, "")
    free = await model(listed("a/b:free", price(0)))
    assert ("landscape 1536x1024", "1536x1024") not in size_choices(free, "")
    assert ("square 1024x1024", "1024x1024") in size_choices(free, "")
