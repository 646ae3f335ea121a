"""Erasures are remembered beside the database, repeated after a restore, and leave no byte."""

import asyncio
import json
import os
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.aside import aside
from bot.erased import ErasedList
from bot.errors import LedgerUnavailable
from bot.offers import Offers
from bot.policy import Effect, ModelRule, Reach
from bot.privacy import Privacy
from bot.quotas import Window
from bot.requests import Actor, ImageRequest, Source
from bot.storage import (
    Erasable,
    Erasure,
    MaskStore,
    ModelPolicies,
    OfferStore,
    Option,
    PaintLink,
    PaintLinks,
    PersonalData,
    PreferenceStore,
    Promises,
    Tray,
    Who,
    forget_backups,
    scrub,
)
from bot.storage.personal import _PAGE
from bot.storage.rows import Row
from bot.takeout import LEFT_BEHIND_S, Takeouts, Underway
from bot.wishes import Wish
from tests.disk import on_disk
from tests.storage.books import DAY, NOON, SECRET, Books, StillClock, ended, open_books, sqlite_url

THEM, OTHER, ADMIN, GUILD = 424_242_424_242, 12, 13, 77
WORDS = "a lighthouse that nobody else has ever thought of"


@pytest.fixture
def erased(tmp_path: Path) -> ErasedList:
    return ErasedList(tmp_path / "bot.erased", secret=SECRET)


def privacy_of(books: Books, erased: ErasedList) -> Privacy:
    erasure = Erasure(books.db, clock=books.clock)
    return Privacy(erasure, database=books.db, erased=erased, clock=books.clock)


async def rows_of(books: Books, sql: str) -> list[Row]:
    return await books.db.read(lambda tx: tx.fetch(sql))


async def prompts(books: Books) -> list[str]:
    rows = await rows_of(books, "SELECT prompt FROM prompt ORDER BY prompt")
    return [row.text("prompt") for row in rows]


# The list


async def test_the_list_knows_who_was_erased_and_names_nobody(
    erased: ErasedList, tmp_path: Path
) -> None:
    assert erased.is_empty
    assert await erased.times(Erasable.PERSON, [THEM]) == {}
    await erased.add(Erasable.PERSON, THEM, when_ms=5)
    await erased.add(Erasable.PERSON, THEM, when_ms=9)
    await erased.add(Erasable.PERSON, THEM, when_ms=7)
    await erased.add(Erasable.GUILD, OTHER, when_ms=8)
    assert await erased.times(Erasable.PERSON, [OTHER, THEM, 5]) == {THEM: 9}
    assert await erased.times(Erasable.GUILD, [OTHER, THEM]) == {OTHER: 8}
    text = (tmp_path / "bot.erased").read_text()
    assert len(text.splitlines()) == 4
    assert str(THEM) not in text
    assert (tmp_path / "bot.erased").stat().st_mode & 0o077 == 0
    others = ErasedList(tmp_path / "bot.erased", secret=b"another secret")
    assert await others.times(Erasable.PERSON, [THEM]) == {}


async def test_a_line_that_a_crash_has_cut_off_spoils_no_other(
    erased: ErasedList, tmp_path: Path
) -> None:
    await erased.add(Erasable.PERSON, THEM, when_ms=1234)
    path = tmp_path / "bot.erased"
    path.write_bytes(path.read_bytes() + path.read_bytes()[:-3])
    await erased.add(Erasable.PERSON, OTHER, when_ms=5)
    assert await erased.times(Erasable.PERSON, [THEM, OTHER]) == {THEM: 1234, OTHER: 5}


async def test_nobody_is_erased_whose_erasure_cannot_be_remembered(
    books: Books, tmp_path: Path
) -> None:
    await ended(books, books.job(user=THEM, prompt=WORDS))
    (tmp_path / "in the way").write_text("")
    erased = ErasedList(tmp_path / "in the way" / "bot.erased", secret=SECRET)
    with pytest.raises(LedgerUnavailable):
        await privacy_of(books, erased).erase_person(THEM)
    assert await prompts(books) == [WORDS]


# After a restore


async def test_who_is_in_a_restored_copy_is_erased_again_and_nobody_else(
    tmp_path: Path, erased: ErasedList
) -> None:
    url, copy = sqlite_url(tmp_path), tmp_path / "copy.db"
    clock = StillClock()
    async with open_books(url, clock) as books:
        await ended(books, books.job(user=THEM, prompt=WORDS))
        await ended(books, books.job(user=OTHER, prompt="hers"))
        await PreferenceStore(books.db, clock=clock).set(THEM, 0, Wish.MODEL, "some/model")
        await books.policies.set_limit(Who.member(GUILD, OTHER), Window.DAY, 5000, by=THEM)
    shutil.copy(tmp_path / "bot.db", copy)
    async with open_books(url, clock) as books:
        clock.now += DAY
        await privacy_of(books, erased).erase_person(THEM)
        assert await prompts(books) == ["hers"]
    shutil.copy(copy, tmp_path / "bot.db")

    clock.now += DAY
    async with open_books(url, clock) as books:
        assert await prompts(books) == [WORDS, "hers"]
        assert await privacy_of(books, erased).reapply() == 1
        assert await prompts(books) == ["hers"]
        assert await rows_of(books, "SELECT * FROM preference") == []
        assert await rows_of(books, f"SELECT 1 FROM spending_rule WHERE set_by = {THEM}") == []
        assert await books.ledger.spend(OTHER) == 700
        assert await privacy_of(books, erased).reapply() == 0
    assert WORDS.encode() not in (tmp_path / "bot.db").read_bytes()


async def test_what_somebody_does_after_their_erasure_is_theirs(
    books: Books, erased: ErasedList
) -> None:
    privacy = privacy_of(books, erased)
    await ended(books, books.job(user=THEM, prompt=WORDS))
    await privacy.erase_person(THEM)
    books.clock.now += 1
    await ended(books, books.job(user=THEM, prompt="new"))
    await PreferenceStore(books.db, clock=books.clock).set(THEM, 0, Wish.MODEL, "some/model")
    await books.policies.set_limit(Who.member(GUILD, THEM), Window.DAY, 5000, by=ADMIN)
    await books.policies.set_limit(Who.guild(GUILD), Window.DAY, 5000, by=THEM)

    assert await privacy.reapply() == 0
    assert await prompts(books) == ["new"]
    assert len(await rows_of(books, "SELECT * FROM preference")) == 1
    limits = await books.policies.limits(GUILD)
    assert {(rule.who.id, rule.set_by) for rule in limits} == {(THEM, ADMIN), (0, THEM)}


async def test_a_guild_in_a_restored_copy_is_erased_again(books: Books, erased: ErasedList) -> None:
    await erased.add(Erasable.GUILD, GUILD, when_ms=NOON + DAY)
    await ended(books, books.job(prompt=WORDS))
    await books.policies.configure(GUILD, Option.ALERT_CHANNEL, 5, by=ADMIN)
    privacy = privacy_of(books, erased)
    assert await privacy.reapply() == 1
    assert await prompts(books) == []
    assert (await books.policies.config(GUILD)).alert_channel is None

    books.clock.now += 2 * DAY  # and then it comes back
    await books.policies.configure(GUILD, Option.ALERT_CHANNEL, 6, by=ADMIN)
    store = ModelPolicies(books.db, clock=books.clock)
    await store.add_rule(GUILD, ModelRule(Reach.GUILD, 0, Effect.DENY, "acme/*"), by=ADMIN)
    await ended(books, books.job(prompt="new"))
    assert await privacy.reapply() == 0
    assert (await books.policies.config(GUILD)).alert_channel == 6
    assert await prompts(books) == ["new"]


# No byte


@pytest.fixture
async def file(tmp_path: Path) -> AsyncIterator[tuple[Books, Path]]:
    async with open_books(sqlite_url(tmp_path)) as books:
        yield books, tmp_path


async def test_erased_words_are_in_no_file_while_the_database_is_open(
    file: tuple[Books, Path], erased: ErasedList
) -> None:
    books, folder = file
    for number in range(60):
        words = f"{WORDS} {number} " + "x" * (number * 97)
        await ended(books, books.job(user=THEM, prompt=words))
        await ended(books, books.job(user=OTHER, prompt=f"hers {number}"))
    assert WORDS.encode() in on_disk(folder)
    await privacy_of(books, erased).erase_person(THEM)
    assert WORDS.encode() not in on_disk(folder)
    assert b"hers 59" in on_disk(folder)


async def test_a_job_that_ran_on_leaves_none_either_once_it_is_erased(
    file: tuple[Books, Path], erased: ErasedList
) -> None:
    books, folder = file
    held = await books.sent(books.job(user=THEM, prompt=WORDS))
    privacy = privacy_of(books, erased)
    assert (await privacy.erase_person(THEM)).waiting == 1
    assert await privacy.go_on() == 1
    await books.ledger.settle(held.charge_ids[0], actual=1)
    await books.jobs.mark_delivered({held.job_id: (1, 1)})
    assert await privacy.go_on() == 0
    assert WORDS.encode() not in on_disk(folder)


async def test_somebody_who_reads_the_log_is_not_waited_for_and_it_is_emptied_later(
    file: tuple[Books, Path], erased: ErasedList
) -> None:
    books, folder = file
    await ended(books, books.job(user=THEM, prompt=WORDS))
    privacy = privacy_of(books, erased)
    with closing(sqlite3.connect(folder / "bot.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert len(reader.execute("SELECT * FROM prompt").fetchall()) == 1
        erasing = asyncio.create_task(privacy.erase_person(THEM))
        await ended(books, books.job(user=OTHER, prompt="meanwhile"))  # nobody is kept waiting
        await erasing
        assert await prompts(books) == ["meanwhile"]
        assert not await scrub(books.db)
        assert WORDS.encode() in on_disk(folder)
        reader.execute("ROLLBACK")
    await privacy.go_on()
    assert WORDS.encode() not in on_disk(folder)
    assert await prompts(books) == ["meanwhile"]


async def test_the_log_is_emptied_while_others_write(file: tuple[Books, Path]) -> None:
    books, _ = file

    async def spend() -> None:
        for _ in range(10):
            await ended(books, books.job(), actual=1)

    async def empty() -> None:
        for _ in range(10):
            await scrub(books.db)

    await asyncio.gather(spend(), empty(), spend())
    assert await scrub(books.db)
    assert len(await prompts(books)) == 20


async def test_a_closed_database_is_not_scrubbed(tmp_path: Path) -> None:
    async with open_books(sqlite_url(tmp_path)) as books:
        database = books.db
    assert not await scrub(database)


async def test_on_a_server_there_is_nothing_to_be_emptied(books: Books, engine: str) -> None:
    assert await scrub(books.db)
    assert engine in {"sqlite", "postgresql"}


def test_copies_from_before_an_upgrade_go_after_a_while(tmp_path: Path) -> None:
    path = tmp_path / "bot.db"
    names = [f"bot.db.backup-0009-{NOON - age * DAY}" for age in (40, 31, 29)]
    for name in (*names, "bot.db.backup-mine", "bot.db.backup-0009-5.part", "bot.db"):
        (tmp_path / name).write_text("")
    assert forget_backups(path, before_ms=NOON - 30 * DAY) == 2
    left = sorted(each.name for each in tmp_path.iterdir())
    assert left == ["bot.db", names[2], "bot.db.backup-0009-5.part", "bot.db.backup-mine"]


# Memory


class Remembering:
    def __init__(self) -> None:
        self.forgot: list[int] = []

    def forget_person(self, user_id: int) -> None:
        self.forgot.append(user_id)

    def forget_guild(self, guild_id: int) -> None:
        self.forgot.append(guild_id)


async def test_what_is_in_memory_is_forgotten_too(books: Books, erased: ErasedList) -> None:
    memory, guilds = Remembering(), Remembering()
    privacy = Privacy(
        Erasure(books.db, clock=books.clock),
        database=books.db,
        erased=erased,
        clock=books.clock,
        memories=(memory,),
        guilds=(guilds,),
    )
    await privacy.erase_person(THEM)
    await privacy.erase_guild(GUILD)
    assert (memory.forgot, guilds.forgot) == ([THEM], [GUILD])


async def test_of_a_question_only_the_first_answer_counts(books: Books, erased: ErasedList) -> None:
    privacy = privacy_of(books, erased)
    assert privacy.answer(5)
    assert not privacy.answer(5)
    privacy.unanswer(5)  # it failed
    assert privacy.answer(5)
    for question in range(10, 2_000):
        privacy.answer(question)
    assert privacy.answer(5)  # nobody clicks on it any more


async def test_two_who_erase_the_same_person_wait_for_each_other(
    books: Books, erased: ErasedList
) -> None:
    for _ in range(30):
        await ended(books, books.job(user=THEM, prompt=WORDS))
    privacy = privacy_of(books, erased)
    first, second = await asyncio.gather(privacy.erase_person(THEM), privacy.erase_person(THEM))
    assert (first.rows["job"], second.rows) == (30, {})


async def test_a_private_offer_is_forgotten_with_its_person(
    books: Books, erased: ErasedList
) -> None:
    offers = Offers(OfferStore(books.db, clock=books.clock), clock=books.clock)
    wish = ImageRequest("imagine", WORDS, private=True)
    hers, his = [
        await offers.save(Actor(user, GUILD, 770), [wish], private=True) for user in (THEM, OTHER)
    ]
    assert hers is not None
    assert his is not None
    privacy = Privacy(
        Erasure(books.db, clock=books.clock),
        database=books.db,
        erased=erased,
        clock=books.clock,
        memories=(offers,),
    )
    await privacy.erase_person(THEM)
    assert await offers.get(hers.id) is None
    assert await offers.get(his.id) is not None


# A copy of everything


async def test_a_copy_names_all_that_the_erasure_would_delete(books: Books) -> None:
    given = Source("https://cdn.test/a.png", "a.png")
    request = ImageRequest("edit", WORDS, images=(given,))
    await ended(books, replace(books.job(user=THEM), request=request), message=4711)
    await ended(books, books.job(user=THEM, guild=0, channel=5, private=True, prompt="secret"))
    await ended(books, books.job(user=OTHER, prompt="hers"))
    await Tray(books.db, clock=books.clock).add(THEM, [given])
    await MaskStore(books.db, clock=books.clock).add(
        user_id=THEM, data=b"12345", expires_ms=NOON + DAY
    )
    await PreferenceStore(books.db, clock=books.clock).set(THEM, 0, Wish.PRIVATE, value=True)
    offers = Offers(OfferStore(books.db, clock=books.clock), clock=books.clock)
    await offers.save(Actor(THEM, GUILD, 770), [request], private=False)
    job = books.job()
    assert job.reply is not None
    draft = json.dumps({"prompt": WORDS})
    link = PaintLink(
        9, Actor(THEM, GUILD, 770), private=False, draft=draft, reply=job.reply, parent_id=None,
        created_ms=NOON, expires_ms=NOON + DAY,
    )  # fmt: skip
    await PaintLinks(books.db, clock=books.clock).add(link)
    await books.policies.set_limit(Who.member(GUILD, THEM), Window.DAY, 5000, by=ADMIN)
    await books.policies.grant(GUILD, THEM, 900, reason="why", by=ADMIN)
    await books.policies.block(GUILD, THEM, reason="why", by=ADMIN)
    await books.policies.pause(78, by=THEM)
    promises = Promises(books.db, clock=books.clock, process_id=1)
    await promises.give(THEM, replace(job.reply, token="a-secret-token"), private=True)

    pages = [page async for page in PersonalData(books.db).of(THEM)]
    records = [record for page in pages for record in page]
    found = Counter(record["kind"] for record in records)
    assert found == {
        "job": 2,
        "sum of a month": 2,
        "settings": 1,
        "tray picture": 1,
        "painted mask": 1,
        "link to the mask painter": 1,
        "offer of a button": 1,
        "answer that you wait for": 1,
        "limit for you": 1,
        "extra for you": 1,
        "block": 1,
        "change that you made": 1,
    }
    whole = json.dumps(records)
    for not_theirs in ("hers", "secret", "token", "why", f'"{ADMIN}"'):
        assert not_theirs not in whole
    by_kind = {record["kind"]: record for record in records}
    assert by_kind["painted mask"]["bytes"] == 5
    assert by_kind["settings"]["server"] is None
    first, second = sorted(
        (record for record in records if record["kind"] == "job"), key=lambda job: job["command"]
    )
    assert first["message"] == f"https://discord.com/channels/{GUILD}/770/4711"
    assert first["made_from"]["images"][0]["url"] == given.url
    assert [charge["result"] for charge in first["charges"]] == [f"https://pictures.test/{THEM}/0"]
    assert (second["prompt"], second["private"], second["server"]) == (None, True, None)


async def test_pages_of_a_copy_meet_without_a_gap(books: Books) -> None:
    for number in range(2 * _PAGE + 30):
        await ended(books, books.job(user=THEM, prompt=f"{number}"), actual=1)
        books.clock.now += number % 3 // 2  # many of one moment
    pages = [page async for page in PersonalData(books.db).of(THEM)]
    assert max(len(page) for page in pages) == _PAGE
    prompts = [record["prompt"] for page in pages for record in page if record["kind"] == "job"]
    assert sorted(prompts, key=int) == [str(number) for number in range(2 * _PAGE + 30)]


async def test_a_copy_that_a_killed_process_left_behind_is_deleted(
    books: Books, tmp_path: Path
) -> None:
    home = tmp_path / "bot.copies"
    takeouts = Takeouts(PersonalData(books.db), home=home)
    await takeouts.tidy()
    async with takeouts.of(THEM, most_bytes=10**6) as underway:
        assert home.stat().st_mode & 0o077 == 0
        left = home / "copy-of-somebody"
        left.mkdir()
        (left / "my-data.json").write_text(WORDS)
        await takeouts.tidy()
        assert left.exists()
        long_ago = time.time() - LEFT_BEHIND_S - 1
        os.utime(left, (long_ago, long_ago))
        await takeouts.tidy()
        assert not left.exists()
        assert all(file.exists() for file in underway.files)
    assert list(home.iterdir()) == []


async def test_a_person_gets_one_copy_at_a_time(books: Books, tmp_path: Path) -> None:
    takeouts = Takeouts(PersonalData(books.db), home=tmp_path / "bot.copies")
    async with takeouts.of(THEM, most_bytes=10**6) as takeout:
        [path] = takeout.files
        folder = path.parent
        with pytest.raises(Underway):
            async with takeouts.of(THEM, most_bytes=10**6):
                pass
        async with takeouts.of(OTHER, most_bytes=10**6):
            pass
        assert await aside(path.read_text) == "[\n]\n"
    assert not folder.exists()
    async with takeouts.of(THEM, most_bytes=10**6):
        pass
