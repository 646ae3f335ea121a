"""What people have set, what they use, and how models have fared: on both engines."""

from collections.abc import AsyncIterator, Callable

import pytest

from bot.catalog import Catalog
from bot.imagerouter import CatalogueModel, ModelsPage
from bot.preferences import Preferences, PrivateByNow
from bot.records import ModelRecords
from bot.requests import Actor, ImageRequest, OutputFormat, Quality
from bot.storage import (
    EVERYWHERE,
    Erasure,
    Output,
    PreferenceStore,
    Records,
    SetWishes,
    open_database,
)
from bot.wishes import Wish, Wishes
from tests.storage.books import DAY, MINUTE, Books, StillClock

MIRA, THEO, GUILD, OTHER = 11, 22, 77, 88
PICTURE = Output(url="https://pictures.test/1")


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[PreferenceStore]:
    clock = StillClock()
    async with open_database(database_url, clock=clock) as database:
        yield PreferenceStore(database, clock=clock)


async def test_what_is_set_outlives_the_process(database_url: str) -> None:
    clock = StillClock()
    async with open_database(database_url, clock=clock) as database:
        store = PreferenceStore(database, clock=clock)
        await store.set(MIRA, EVERYWHERE, Wish.MODEL, "a/b")
        await store.set(MIRA, EVERYWHERE, Wish.SIZE, "1024x1024")
        await store.set(MIRA, EVERYWHERE, Wish.QUALITY, Quality.HIGH)
        await store.set(MIRA, EVERYWHERE, Wish.FORMAT, OutputFormat.PNG)
        await store.set(MIRA, EVERYWHERE, Wish.PRIVATE, value=False)
        await store.set(MIRA, GUILD, Wish.PRIVATE, value=True)
    async with open_database(database_url, clock=clock) as database:
        found = await PreferenceStore(database, clock=clock).get(MIRA, GUILD)

    whole = Wishes("a/b", "1024x1024", Quality.HIGH, OutputFormat.PNG, private=False)
    assert found == SetWishes(here=Wishes(private=True), everywhere=whole)


async def test_each_person_and_place_has_its_own(store: PreferenceStore) -> None:
    await store.set(MIRA, GUILD, Wish.MODEL, "a/b")
    await store.set(MIRA, EVERYWHERE, Wish.MODEL, "c/d")

    assert await store.get(THEO, GUILD) == SetWishes(Wishes(), Wishes())
    assert await store.get(MIRA, OTHER) == SetWishes(Wishes(), Wishes(model="c/d"))
    assert await store.get(MIRA, EVERYWHERE) == SetWishes(Wishes(), Wishes(model="c/d"))
    await store.clear(MIRA, EVERYWHERE)
    assert await store.get(MIRA, GUILD) == SetWishes(Wishes(model="a/b"), Wishes())


async def test_one_option_can_be_removed_and_the_others_stay(store: PreferenceStore) -> None:
    await store.set(MIRA, GUILD, Wish.MODEL, "a/b")
    await store.set(MIRA, GUILD, Wish.SIZE, "auto")
    await store.set(MIRA, GUILD, Wish.MODEL, None)

    assert (await store.get(MIRA, GUILD)).here == Wishes(size="auto")


async def test_who_wants_private_answers_is_listed_whole(store: PreferenceStore) -> None:
    await store.set(MIRA, GUILD, Wish.PRIVATE, value=False)
    await store.set(MIRA, EVERYWHERE, Wish.PRIVATE, value=True)
    await store.set(THEO, GUILD, Wish.PRIVATE, value=True)
    await store.set(THEO, GUILD, Wish.PRIVATE, None)
    await store.set(THEO, EVERYWHERE, Wish.MODEL, "a/b")

    assert await store.privacy() == {(MIRA, GUILD): False, (MIRA, EVERYWHERE): True}


async def made(
    books: Books, model: str, *, ms: int = 1_000, user: int = MIRA, guild: int = GUILD
) -> int:
    """Make a picture, delivered in message 99; returns the job."""
    books.clock.now += 1
    held = await books.sent(books.job(model=model, user=user, guild=guild))
    books.clock.now += ms
    await books.ledger.settle(held.charge_ids[0], actual=700, outputs=(PICTURE,))
    await books.jobs.mark_delivered({held.job_id: (5, 99)})
    return held.job_id


async def failed(books: Books, model: str, reason: str) -> None:
    held = await books.sent(books.job(model=model))
    books.clock.now += 50
    await books.ledger.release(held.charge_ids[0], reason=reason)


async def test_the_newest_jobs_of_a_person_tell_what_they_use(books: Books) -> None:
    store = PreferenceStore(books.db, clock=books.clock)
    for model in ("a/old", "a/b", "a/new"):
        await made(books, model)
    await made(books, "a/theirs", user=THEO)

    assert await store.used_by(MIRA, jobs=2) == ["a/new", "a/b"]


async def test_what_a_guild_uses_most_comes_first(books: Books) -> None:
    store = PreferenceStore(books.db, clock=books.clock)
    for model in ("a/b", "a/often", "a/often"):
        await made(books, model)
    await made(books, "a/elsewhere", guild=OTHER)

    assert await store.used_in(GUILD, since_day="2000-01-01") == ["a/often", "a/b"]
    assert await store.used_in(GUILD, since_day="9999-01-01") == []


def records_of(books: Books) -> ModelRecords:
    return ModelRecords(Records(books.db, clock=books.clock), clock=books.clock)


async def test_seconds_are_measured_from_sending_to_the_answer(books: Books) -> None:
    for ms in (1_000, 2_000, 3_000, 9_000):
        await made(books, "a/b", ms=ms)
    records = records_of(books)
    await records.refresh()
    record = records.of("a/b")

    assert record is not None
    assert (record.tries, record.made) == (4, 4)
    assert (record.median_ms, record.p95_ms) == (2_000, 9_000)
    assert records.of("a/other") is None


async def test_a_refused_request_tells_nothing_of_a_model_though_it_was_charged(
    books: Books,
) -> None:
    for reason in ("Moderated", "RefusedRequest", "ChargedWithoutPicture"):
        held = await books.sent(books.job(model="a/b"))
        await books.ledger.settle(held.charge_ids[0], actual=700, reason=reason)
    records = records_of(books)
    await records.refresh()
    record = records.of("a/b")

    assert record is not None
    assert (record.tries, record.made) == (1, 0)
    [(model, tries)] = records.since(0).items()
    assert (model, [each.reason for each in tries]) == ("a/b", ["ChargedWithoutPicture"])
    assert records.since(books.clock.now) == {}


async def test_only_what_tells_of_the_model_counts_as_its_failure(books: Books) -> None:
    await made(books, "a/b")
    await failed(books, "a/b", "ProviderFailed")
    for reason in ("Moderated", "RefusedRequest", "NoCredits", "cancelled", ""):
        await failed(books, "a/b", reason)
    await failed(books, "a/only-refused", "Moderated")
    records = records_of(books)
    await records.refresh()
    record = records.of("a/b")

    assert record is not None
    assert (record.tries, record.made, record.success) == (2, 1, 0.5)
    assert records.of("a/only-refused") is None


async def test_an_outcome_that_stays_unknown_says_nothing_of_the_model(books: Books) -> None:
    held = await books.sent(books.job(model="a/b"))
    await books.ledger.mark_unknown(held.charge_ids[0], reason="OutcomeUnknown")
    books.clock.now += 20 * MINUTE
    await books.ledger.sweep()
    records = records_of(books)
    await records.refresh()

    assert records.of("a/b") is None


async def test_money_that_went_without_a_picture_is_a_failure(books: Books) -> None:
    held = await books.sent(books.job(model="a/b"))
    await books.ledger.settle(held.charge_ids[0], actual=700)
    records = records_of(books)
    await records.refresh()
    record = records.of("a/b")

    assert record is not None
    assert (record.tries, record.made, record.median_ms) == (1, 0, None)


async def test_late_truth_replaces_what_was_counted_before(books: Books) -> None:
    held = await books.sent(books.job(model="a/b"))
    await books.ledger.mark_unknown(held.charge_ids[0], reason="OutcomeUnknown")
    books.clock.now += 20 * MINUTE
    await books.ledger.sweep()
    records = records_of(books)
    await records.refresh()
    await books.ledger.settle(held.charge_ids[0], actual=700, outputs=(PICTURE,))
    books.clock.now += MINUTE
    await records.refresh()
    record = records.of("a/b")

    assert record is not None
    assert (record.tries, record.made, record.median_ms) == (1, 1, None)


async def test_what_ended_since_is_read_when_somebody_asks_again(books: Books) -> None:
    records = records_of(books)
    await made(books, "a/b")
    await records.refresh()
    await made(books, "a/b", ms=20)
    await records.refresh()  # too soon: what is known will do
    before = records.of("a/b")
    books.clock.now += MINUTE
    await records.refresh()
    after = records.of("a/b")

    assert before is not None
    assert after is not None
    assert (before.tries, after.tries) == (1, 2)


async def test_a_record_goes_back_thirty_days(books: Books) -> None:
    await made(books, "a/b")
    books.clock.now += 31 * DAY
    records = records_of(books)
    await records.refresh()

    assert records.of("a/b") is None


async def test_examples_are_public_results_that_can_still_be_seen(books: Books) -> None:
    records = Records(books.db, clock=books.clock)
    private = await books.sent(books.job(model="a/b", private=True))
    await books.ledger.settle(private.charge_ids[0], actual=1, outputs=(PICTURE,))
    await books.jobs.mark_delivered({private.job_id: (5, 98)})
    assert await records.examples(GUILD, "a/b") == []

    deleted = await made(books, "a/b")
    await made(books, "a/b", guild=OTHER)
    [example] = await records.examples(GUILD, "a/b")
    assert (example.channel_id, example.message_id) == (5, 99)
    await books.jobs.unlink(deleted)
    assert await records.examples(GUILD, "a/b") == []


def empty_catalogue() -> Catalog:
    """A list with nothing but the free test model in it."""
    return Catalog(
        Unreachable(), clock=StillClock(), cache_path=None, unpriced_ceiling=None, refresh_s=3600
    )


class Unreachable:
    """An ImageRouter that is never asked."""

    async def models(self, *, etag: str | None = None) -> ModelsPage:
        raise AssertionError(etag)

    async def model(self, model_id: str) -> CatalogueModel | None:
        raise AssertionError(model_id)

    async def popular_models(self) -> list[str]:
        raise AssertionError


async def test_what_one_process_makes_private_another_never_answers_in_public(
    books: Books,
) -> None:
    store, catalog = PreferenceStore(books.db, clock=books.clock), empty_catalogue()
    actor, asked = Actor(MIRA, GUILD, 5), ImageRequest("imagine", "a secret")
    async with (
        Preferences(store, catalog=catalog, clock=books.clock, alone=False) as here,
        Preferences(store, catalog=catalog, clock=books.clock, alone=False) as there,
    ):
        assert (await here.complete(actor, asked, Wishes())).private is False
        await there.set(MIRA, EVERYWHERE, Wish.PRIVATE, value=True)

        assert there.private(actor.user_id, actor.guild_id)
        assert not here.private(actor.user_id, actor.guild_id)  # not yet
        with pytest.raises(PrivateByNow):
            await here.complete(actor, asked, Wishes())
        said = await here.complete(actor, asked, Wishes(private=False))
        assert said.private is False


async def test_what_another_process_sets_holds_for_the_next_job_here(books: Books) -> None:
    store, catalog = PreferenceStore(books.db, clock=books.clock), empty_catalogue()
    actor, asked = Actor(MIRA, GUILD, 5), ImageRequest("imagine", "a fig")
    async with Preferences(store, catalog=catalog, clock=books.clock, alone=False) as here:
        await here.complete(actor, asked, Wishes())
        await store.set(MIRA, GUILD, Wish.QUALITY, Quality.HIGH)

        assert (await here.complete(actor, asked, Wishes())).quality is Quality.HIGH
        assert here.remembered(actor) == Wishes(quality=Quality.HIGH)


async def test_privacy_follows_each_change_at_once(books: Books) -> None:
    store, catalog = PreferenceStore(books.db, clock=books.clock), empty_catalogue()
    actor = Actor(MIRA, GUILD, 5)
    async with Preferences(store, catalog=catalog, clock=books.clock, alone=True) as here:
        await here.set(MIRA, EVERYWHERE, Wish.PRIVATE, value=True)
        await here.set(MIRA, GUILD, Wish.PRIVATE, value=False)
        assert not here.private(actor.user_id, actor.guild_id)
        await here.clear(MIRA, GUILD)
        assert here.private(actor.user_id, actor.guild_id)
        await here.set(MIRA, EVERYWHERE, Wish.PRIVATE, None)
        assert not here.private(actor.user_id, actor.guild_id)


async def test_what_was_set_in_a_guild_that_is_erased_is_in_no_memory(books: Books) -> None:
    store, catalog = PreferenceStore(books.db, clock=books.clock), empty_catalogue()
    actor, elsewhere = Actor(MIRA, GUILD, 5), Actor(MIRA, OTHER, 5)
    async with Preferences(store, catalog=catalog, clock=books.clock, alone=True) as here:
        for guild_id in (GUILD, OTHER):
            await here.set(MIRA, guild_id, Wish.PRIVATE, value=True)
            await here.set(MIRA, guild_id, Wish.SIZE, "1024x1024")
        assert (await here.wishes(actor)).size == (await here.wishes(elsewhere)).size
        await Erasure(books.db, clock=books.clock).erase_guild(GUILD)
        here.forget_guild(GUILD)

        assert not here.private(MIRA, GUILD)
        assert here.remembered(actor) == await here.wishes(actor) == Wishes()
        assert here.private(MIRA, OTHER)
        assert here.remembered(elsewhere).size == "1024x1024"


class Slow(PreferenceStore):
    """Lets something happen while it reads what somebody uses."""

    meanwhile: Callable[[], None] | None = None

    async def used_by(self, user_id: int, *, jobs: int) -> list[str]:
        found = await super().used_by(user_id, jobs=jobs)
        if self.meanwhile is not None:
            self.meanwhile()
        return found


async def test_habits_that_were_being_read_when_their_person_was_erased_are_not_kept(
    books: Books,
) -> None:
    await made(books, "a/b")
    store, actor = Slow(books.db, clock=books.clock), Actor(MIRA, 0, 5)
    async with Preferences(store, catalog=empty_catalogue(), clock=books.clock, alone=True) as here:
        store.meanwhile = lambda: here.forget_person(MIRA)
        assert await here.habits_now(actor) == ()
        store.meanwhile = None
        assert await here.habits_now(actor) == ("a/b",)
