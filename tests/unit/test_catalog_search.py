"""How suggestions are ordered and filtered, and that odd texts and odd names harm nothing."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.catalog import TEST_MODEL, Ability, Catalog
from bot.catalog._names import joined, words_of
from bot.catalog._search import Index
from bot.catalog._spelling import Typed
from bot.clock import SystemClock
from bot.imagerouter import CatalogueModel, ModelsPage, ProviderPrice


class Shelf:
    """The other end of the catalogue: answers with a list."""

    def __init__(self, *models: CatalogueModel, popular: tuple[str, ...] = ()) -> None:
        self._models, self._popular = models, popular

    async def models(self, *, etag: str | None = None) -> ModelsPage:
        return ModelsPage(models=self._models, etag=etag)

    async def model(self, model_id: str) -> CatalogueModel | None:
        return None

    async def popular_models(self) -> list[str]:
        return list(self._popular)


def listed(name: str, *abilities: Ability) -> CatalogueModel:
    price = ProviderPrice(provider="p", minimum=100, average=100, maximum=100)
    return CatalogueModel(
        id=name,
        providers=(price,),
        edit=Ability.EDIT in abilities,
        mask=Ability.MASK in abilities,
    )


async def catalogue(*models: CatalogueModel) -> Catalog:
    catalog = Catalog(Shelf(*models), clock=SystemClock(), cache_path=None, unpriced_ceiling=None)
    await catalog.load()
    return catalog


async def found(catalog: Catalog, text: str, **how: object) -> list[str]:
    models = catalog.search(text, **how)  # type: ignore[arg-type]  # a test's own arguments
    return [model.id for model in models if model.id != TEST_MODEL]


MODELS = [listed(f"acme/thing-{number}") for number in range(1, 41)]


async def test_nothing_typed_shows_what_the_person_likes_and_then_what_is_new() -> None:
    catalog = await catalogue(*MODELS)

    shown = await found(catalog, "", first=["acme/thing-30", "acme/thing-7", "acme/gone"], limit=5)

    assert shown == [f"acme/thing-{number}" for number in (30, 7, 1, 2, 3)]
    assert await found(catalog, "  ", limit=2) == ["acme/thing-1", "acme/thing-2"]
    assert await found(catalog, "", limit=0) == []


async def test_what_the_person_likes_decides_between_equal_matches_only() -> None:
    catalog = await catalogue(listed("acme/tide"), listed("acme/tide-x"), listed("acme/tide-y"))

    assert await found(catalog, "tide", first=["acme/tide-y"]) == [
        "acme/tide",
        "acme/tide-y",
        "acme/tide-x",
    ]


async def test_a_favourite_is_shown_even_if_hundreds_of_newer_ones_match() -> None:
    catalog = await catalogue(*(listed(f"acme/wave-{number}") for number in range(500)))
    assert (await found(catalog, "wav", first=["acme/wave-499"]))[0] == "acme/wave-499"
    assert len(await found(catalog, "wav", limit=500)) == 500


async def test_models_that_may_not_be_used_are_not_shown_and_others_take_their_place() -> None:
    catalog = await catalogue(*MODELS)
    for text in ("", "thing", "thng"):
        shown = await found(
            catalog, text, allowed=lambda model: model.id.endswith("7"), first=["acme/thing-1"]
        )
        assert shown[:4] == [f"acme/thing-{number}" for number in (7, 17, 27, 37)], text


async def test_only_models_that_can_do_the_job_are_shown_misspelt_or_not() -> None:
    catalog = await catalogue(
        listed("acme/brush"), listed("acme/brush-edit", Ability.EDIT, Ability.MASK)
    )
    for text in ("", "brush", "brsh", "acme"):
        assert await found(catalog, text, needs=[Ability.MASK]) == ["acme/brush-edit"]
        assert await found(catalog, text, images=2) == ["acme/brush-edit"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("nano banana", "google/gemini-2.5-flash-image"),
        ("nanobanana pro", "google/gemini-3-pro-image-preview"),
        ("nano bannana", "google/gemini-2.5-flash-image"),
        ("stable diffusion 3", "stabilityai/sd3"),
        ("stable difusion xl", "stabilityai/sdxl"),
        ("mj", "midjourney/midjourney"),
        ("bfl schnell", "black-forest-labs/FLUX-1-schnell"),
        ("upscale", "philz1337x/clarity-2x"),
        ("geminiflash", "google/gemini-2.5-flash-image"),
        ("qwenedit", "qwen/qwen-image-edit-plus"),
        ("schnell flx", "black-forest-labs/FLUX-1-schnell"),
        ("Dream-Shaper", "Lykon/DreamShaper"),
        ("sd 3", "stabilityai/sd3"),
    ],
)
async def test_nicknames_initials_and_lost_blanks_are_understood(typed: str, meant: str) -> None:
    catalog = await catalogue(
        listed("google/gemini-3-pro-image-preview"),
        listed("google/gemini-2.5-flash-image"),
        listed("midjourney/midjourney"),
        listed("qwen/qwen-image-2512"),
        listed("qwen/qwen-image-edit-plus"),
        listed("bytedance/seededit-3"),
        listed("stabilityai/sdxl"),
        listed("stabilityai/sd3"),
        listed("black-forest-labs/FLUX-1-schnell"),
        listed("philz1337x/clarity-2x"),
        listed("Lykon/DreamShaper"),
    )
    assert (await found(catalog, typed))[0] == meant


async def test_what_is_far_from_every_name_finds_nothing() -> None:
    catalog = await catalogue(listed("acme/tide"), listed("acme/brush"))
    for text in ("quixotic", "zzz", "🍌", "---", "\x00", "٣"):
        assert await found(catalog, text) == []


@given(st.text(max_size=200), st.lists(st.text(max_size=60), max_size=8))
def test_no_text_and_no_name_breaks_the_search(text: str, ids: list[str]) -> None:
    index = Index(ids)
    shown = index.search(text, most=25, fits=lambda _: True)
    assert len(shown) == len(set(shown)) <= 25
    assert set(shown) <= set(range(len(ids)))
    assert set(index.alike(text)) <= set(range(len(ids)))


@given(st.from_regex(r"[a-z0-9]{1,12}/[A-Za-z0-9.-]{1,20}(:free)?", fullmatch=True))
def test_every_name_is_found_by_itself_in_any_case_and_order(name: str) -> None:
    index = Index(["other/thing", name])
    vendor, _, short = name.partition("/")
    for text in (name, name.upper(), f"{short} {vendor}"):
        if joined(words_of(short)):
            assert 1 in index.search(text, most=25, fits=lambda _: True), text


_WORDS = st.sampled_from(["flux", "flu", "pro", "max", "v2", "2", "x", "acme", "ac"])
_IDS = [
    f"{vendor}/{family}{tail}"
    for vendor in ("acme", "acme-labs", "lumen")
    for family in ("flux", "fluximage", "promax", "sd")
    for tail in ("", "-pro", "-v2", "-2.5-max")
]


@given(
    st.lists(
        st.tuples(
            st.lists(_WORDS, max_size=3).map(" ".join),
            st.frozensets(st.integers(0, len(_IDS) - 1)),
            st.lists(st.integers(0, len(_IDS) - 1), max_size=5, unique=True),
        ),
        max_size=12,
    )
)
def test_what_is_remembered_is_what_would_be_found_anew(
    questions: list[tuple[str, frozenset[int], list[int]]],
) -> None:
    index = Index(_IDS)
    for text, fitting, favoured in [*questions, *questions]:
        fits = fitting.__contains__
        anew = index.search(text, most=5, fits=fits)
        liked = index.search(text, most=5, fits=fits, favoured=favoured)
        assert index.search(text, most=5, fits=fitting) == anew
        assert index.search(text, most=5, fits=fitting, favoured=favoured) == liked


async def test_what_somebody_likes_leads_after_others_have_typed_the_same() -> None:
    catalog = await catalogue(listed("acme/tide"), listed("acme/tidal"), listed("lumen/tide-2"))
    everybody = await found(catalog, "ti")
    for liked in ("lumen/tide-2", "acme/tidal"):
        shown = [model.id for model in catalog.search("ti", first=[liked])]
        assert shown[0] == liked
        assert set(shown) == set(everybody)
    assert await found(catalog, "ti") == everybody


def _slips(typed: str, part: str) -> int:
    """The distance between two texts, by the book."""
    rows = [list(range(len(part) + 1))]
    for i, letter in enumerate(typed, 1):
        row = [i]
        for j, other in enumerate(part, 1):
            least = min(rows[-1][j] + 1, row[j - 1] + 1, rows[-1][j - 1] + (letter != other))
            if i > 1 and j > 1 and (letter, typed[i - 2]) == (part[j - 2], other):
                least = min(least, rows[-2][j - 2] + 1)
            row.append(least)
        rows.append(row)
    return rows[-1][-1]


def test_slips_are_counted_as_by_the_book() -> None:
    chance = random.Random(5)
    for _ in range(400):
        typed = "".join(chance.choices("abc", k=chance.randint(1, 7)))
        name = "".join(chance.choices("abc", k=chance.randint(0, 8)))
        parts = {name[i:j] for i in range(len(name) + 1) for j in range(i, len(name) + 1)}
        assert Typed(typed).slips_within(name) == min(_slips(typed, part) for part in parts)
