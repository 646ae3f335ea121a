"""What ImageRouter's answers teach about models, and that it is remembered and forgotten."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.catalog import TEST_MODEL, Ability, Catalog, Lesson, Model
from bot.errors import NoModelAvailable, UnsuitableModel
from bot.imagerouter import CatalogueModel, ModelsPage, ProviderPrice

DAY_MS = 24 * 3_600_000
EDIT = [Ability.EDIT]
MASK = [Ability.EDIT, Ability.MASK]


class Calendar:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.ms = 1_800_000_000_000

    def now_ms(self) -> int:
        return self.ms

    async def sleep_until(self, when_ms: int) -> None:
        raise AssertionError("the catalogue measures its pauses, whatever the time is")


class Shelf:
    """The other end of the catalogue: answers with a list."""

    def __init__(self, *models: CatalogueModel) -> None:
        self.listed = models
        self.etag = "first"

    async def models(self, *, etag: str | None = None) -> ModelsPage:
        return ModelsPage(models=self.listed, not_modified=etag == self.etag, etag=self.etag)

    async def popular_models(self) -> list[str]:
        return []

    async def model(self, model_id: str) -> CatalogueModel | None:
        return None


def listed(name: str, micros: int, *abilities: Ability, date: str = "2026-01-02") -> CatalogueModel:
    return CatalogueModel(
        id=name,
        providers=(ProviderPrice(provider="p", minimum=micros, average=micros, maximum=micros),),
        edit=Ability.EDIT in abilities,
        mask=Ability.MASK in abilities,
        release_date=date,
    )


MODELS = (
    listed("acme/words", 500),
    listed("acme/brush", 2_000, *MASK),
    listed("acme/stitch", 1_000, *EDIT),
    listed("other/lens", 10, *MASK),
)


@pytest.fixture
def clock() -> Calendar:
    return Calendar()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(*MODELS)


@asynccontextmanager
async def loaded(
    shelf: Shelf, clock: Calendar, cache: Path | None = None
) -> AsyncIterator[Catalog]:
    async with Catalog(shelf, clock=clock, cache_path=cache, unpriced_ceiling=None) as catalog:
        await catalog.load()
        yield catalog


def known(catalog: Catalog, name: str) -> Model:
    model = catalog.get(name)
    assert model is not None
    return model


def ids(models: list[Model]) -> set[str]:
    return {model.id for model in models} - {TEST_MODEL}


async def test_before_anything_is_learned_a_model_that_edits_takes_sixteen_images(
    shelf: Shelf, clock: Calendar
) -> None:
    async with loaded(shelf, clock) as catalog:
        assert known(catalog, "acme/brush").max_images == 16
        assert known(catalog, "acme/words").max_images == 0
        assert catalog.require("acme/brush", EDIT, images=16).id == "acme/brush"
        with pytest.raises(UnsuitableModel) as caught:
            catalog.require("acme/brush", EDIT, images=17)
        assert (caught.value.ability, caught.value.alternatives) == ("images", ())


async def test_a_model_that_takes_one_image_is_refused_for_two_with_some_that_would_do(
    shelf: Shelf, clock: Calendar
) -> None:
    async with loaded(shelf, clock) as catalog:
        catalog.learn("other/lens", Lesson.ONE_IMAGE)

        assert known(catalog, "other/lens").max_images == 1
        assert catalog.require("other/lens", EDIT, images=1).id == "other/lens"
        with pytest.raises(UnsuitableModel) as caught:
            catalog.require("other/lens", EDIT, images=2)
        assert caught.value.ability == "images"
        assert caught.value.alternatives == ("acme/stitch", "acme/brush")
        assert catalog.cheapest(EDIT, images=1).id == "other/lens"
        assert catalog.cheapest(EDIT, images=2).id == "acme/stitch"
        assert catalog.choose_default("other/lens", EDIT, images=2).id == "acme/stitch"
        assert ids(catalog.search("", images=2)) == {"acme/stitch", "acme/brush"}
        assert "other/lens" in ids(catalog.search("", needs=EDIT))


async def test_a_model_that_needs_an_image_is_refused_for_words_alone(
    shelf: Shelf, clock: Calendar
) -> None:
    async with loaded(shelf, clock) as catalog:
        assert catalog.cheapest().id == "other/lens"

        catalog.learn("other/lens", Lesson.NEEDS_IMAGE)

        assert known(catalog, "other/lens").needs_image
        with pytest.raises(UnsuitableModel) as caught:
            catalog.require("other/lens")
        assert caught.value.ability == "text"
        assert caught.value.alternatives == ("acme/words", "acme/stitch", "acme/brush")
        assert catalog.cheapest().id == "acme/words"
        assert catalog.choose_default("other/lens").id == "acme/words"
        assert "other/lens" not in ids(catalog.search("lens", images=0))
        assert catalog.require("other/lens", MASK).id == "other/lens"
        assert catalog.require("other/lens", images=None).id == "other/lens"
        assert catalog.require("other/lens", images=1).id == "other/lens"


async def test_a_model_without_masks_is_refused_for_a_mask_only(
    shelf: Shelf, clock: Calendar
) -> None:
    async with loaded(shelf, clock) as catalog:
        catalog.learn("other/lens", Lesson.NO_MASK)

        with pytest.raises(UnsuitableModel) as caught:
            catalog.require("other/lens", MASK, images=1)
        assert (caught.value.ability, caught.value.alternatives) == ("mask", ("acme/brush",))
        assert catalog.require("other/lens", EDIT, images=3).id == "other/lens"


async def test_a_model_that_takes_no_image_is_one_for_words(shelf: Shelf, clock: Calendar) -> None:
    shelf.listed = (listed("acme/enhance", 10, *MASK), *MODELS)
    async with loaded(shelf, clock) as catalog:
        assert known(catalog, "acme/enhance").seems_to_need_picture

        catalog.learn("acme/enhance", Lesson.NO_IMAGE_INPUT)

        model = known(catalog, "acme/enhance")
        assert (model.max_images, model.abilities) == (0, frozenset())
        assert not model.seems_to_need_picture
        with pytest.raises(UnsuitableModel) as caught:
            catalog.require("acme/enhance", images=1)
        assert caught.value.ability == "edit"


async def test_of_two_lessons_that_contradict_each_other_the_newer_is_believed(
    shelf: Shelf, clock: Calendar
) -> None:
    async with loaded(shelf, clock) as catalog:
        catalog.learn("acme/words", Lesson.NO_IMAGE_INPUT)
        catalog.learn("acme/words", Lesson.NEEDS_IMAGE)
        catalog.learn("acme/words", Lesson.ONE_IMAGE)
        assert known(catalog, "acme/words").max_images == 1
        assert known(catalog, "acme/words").can(EDIT)

        catalog.learn("acme/words", Lesson.NO_IMAGE_INPUT)
        assert known(catalog, "acme/words").max_images == 0
        assert not known(catalog, "acme/words").needs_image


async def test_when_no_model_takes_as_many_images_this_is_said(
    shelf: Shelf, clock: Calendar
) -> None:
    shelf.listed = (listed("acme/stitch", 1_000, *EDIT),)
    async with loaded(shelf, clock) as catalog:
        catalog.learn("acme/stitch", Lesson.ONE_IMAGE)
        with pytest.raises(NoModelAvailable):
            catalog.cheapest(EDIT, images=2)
        assert catalog.choose_default(None, EDIT, images=2).id == TEST_MODEL


async def test_lessons_about_models_that_nobody_lists_are_dropped(
    shelf: Shelf, clock: Calendar, tmp_path: Path
) -> None:
    async with loaded(shelf, clock, tmp_path / "list.json") as catalog:
        catalog.learn("nobody/knows", Lesson.ONE_IMAGE)
        assert catalog.get("nobody/knows") is None
    assert not (tmp_path / "list.lessons.json").exists()


async def test_what_was_learned_outlives_a_restart_and_a_new_list(
    shelf: Shelf, clock: Calendar, tmp_path: Path
) -> None:
    cache = tmp_path / "list.json"
    async with loaded(shelf, clock, cache) as catalog:
        catalog.learn("acme/brush", Lesson.ONE_IMAGE)
        catalog.learn("acme/brush", Lesson.NEEDS_IMAGE)
        catalog.learn("other/lens", Lesson.NO_MASK)

    shelf.listed, shelf.etag = (listed("acme/new", 1), *MODELS), "news"
    async with loaded(shelf, clock, cache) as catalog:
        for _ in range(2):  # the copy on disk, then ImageRouter's own list
            assert known(catalog, "acme/brush").max_images == 1
            assert known(catalog, "acme/brush").needs_image
            assert not known(catalog, "other/lens").can(MASK)
            await catalog.refresh()


async def test_what_is_learned_before_the_first_list_was_loaded_keeps_the_older_lessons(
    shelf: Shelf, clock: Calendar, tmp_path: Path
) -> None:
    cache = tmp_path / "list.json"
    async with loaded(shelf, clock, cache) as catalog:
        catalog.learn("acme/brush", Lesson.ONE_IMAGE)
    hasty = Catalog(shelf, clock=clock, cache_path=cache, unpriced_ceiling=None)
    async with hasty:
        hasty.learn(TEST_MODEL, Lesson.NO_MASK)
        await hasty.load()

    async with loaded(shelf, clock, cache) as catalog:
        assert known(catalog, "acme/brush").max_images == 1
        assert not known(catalog, TEST_MODEL).can(MASK)


async def test_two_processes_in_one_folder_do_not_erase_each_others_lessons(
    shelf: Shelf, clock: Calendar, tmp_path: Path
) -> None:
    cache = tmp_path / "list.json"
    async with loaded(shelf, clock, cache) as one:
        async with loaded(shelf, clock, cache) as other:
            other.learn("acme/stitch", Lesson.ONE_IMAGE)
            other.learn("other/lens", Lesson.NEEDS_IMAGE)
        one.learn("acme/brush", Lesson.ONE_IMAGE)
    async with loaded(shelf, clock, cache) as catalog:
        catalog.learn("acme/brush", Lesson.NO_IMAGE_INPUT)  # the older lesson must not come back
    async with loaded(shelf, clock, cache) as catalog:
        assert known(catalog, "acme/brush").max_images == 0
        assert known(catalog, "acme/stitch").max_images == 1
        assert known(catalog, "other/lens").needs_image


async def test_a_lesson_is_forgotten_after_thirty_days_and_kept_by_being_learned_again(
    shelf: Shelf, clock: Calendar, tmp_path: Path
) -> None:
    cache = tmp_path / "list.json"
    async with loaded(shelf, clock, cache) as catalog:
        catalog.learn("acme/brush", Lesson.ONE_IMAGE)
        catalog.learn("acme/stitch", Lesson.ONE_IMAGE)
        clock.ms += 29 * DAY_MS
        catalog.learn("acme/stitch", Lesson.ONE_IMAGE)
        await catalog.refresh()
        assert known(catalog, "acme/brush").max_images == 1

        clock.ms += DAY_MS
        await catalog.refresh()  # says that nothing has changed
        assert known(catalog, "acme/brush").max_images == 16
        assert known(catalog, "acme/stitch").max_images == 1

    async with loaded(shelf, clock, cache) as catalog:
        assert known(catalog, "acme/brush").max_images == 16
        assert known(catalog, "acme/stitch").max_images == 1


async def test_a_lesson_is_forgotten_when_the_entry_changes_but_not_with_its_price(
    shelf: Shelf, clock: Calendar
) -> None:
    async with loaded(shelf, clock) as catalog:
        catalog.learn("acme/brush", Lesson.ONE_IMAGE)
        catalog.learn("other/lens", Lesson.ONE_IMAGE)
        shelf.listed = (
            listed("acme/brush", 2_000, *MASK, date="2026-03-01"),
            listed("other/lens", 99, *MASK),
        )
        shelf.etag = "news"
        await catalog.refresh()

        assert known(catalog, "acme/brush").max_images == 16
        assert known(catalog, "other/lens").max_images == 1


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"format": 2, "lessons": []}',
        b'{"format": 1, "lessons": [["acme/brush", "one_image", "x"]]}',
        b'{"format": 1, "lessons": [["acme/brush", "levitates", "x", 1]]}',
        b'{"format": 1, "lessons": [["acme/brush", "one_image", "x", true]]}',
        b'{"format": 1, "lessons": {"a": 1}}',
        b"[" * 100_000,
    ],
)
async def test_a_damaged_file_of_lessons_counts_as_none_and_is_replaced(
    shelf: Shelf, clock: Calendar, tmp_path: Path, damage: bytes
) -> None:
    cache = tmp_path / "list.json"
    (tmp_path / "list.lessons.json").write_bytes(damage)
    async with loaded(shelf, clock, cache) as catalog:
        assert known(catalog, "acme/brush").max_images == 16
        catalog.learn("acme/brush", Lesson.ONE_IMAGE)
    async with loaded(shelf, clock, cache) as catalog:
        assert known(catalog, "acme/brush").max_images == 1


async def test_a_disk_that_takes_nothing_only_costs_the_memory_of_lessons(
    shelf: Shelf, clock: Calendar, tmp_path: Path
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    async with loaded(shelf, clock, in_the_way / "list.json") as catalog:
        catalog.learn("acme/brush", Lesson.ONE_IMAGE)
        assert known(catalog, "acme/brush").max_images == 1
    assert {task.get_name() for task in asyncio.all_tasks()}.isdisjoint({"catalogue files"})
