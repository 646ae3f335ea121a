"""`python -m bot erase`, for those who have left."""

import argparse
import asyncio
import io
from pathlib import Path

import pytest

from bot import erasing
from bot.erased import ErasedList
from bot.erasing import EXIT_REFUSED, erase_subject
from bot.quotas import Window
from bot.settings import EXIT_CONFIG, Settings
from bot.storage import DigestStore, Erasable, Promises, Who
from bot.storage._named import _ACTED, _CONCERNED, _OF_GUILD, _OWNED
from tests.storage.books import Books, StillClock, ended, open_books, sqlite_url

THEM, GUILD = 424_242_424_242, 77
SECRET_KEY = "0123456789abcdef0123456789abcdef"


def settings_of(url: str) -> Settings:
    return Settings.from_env({"DATABASE_URL": url, "SECRET_KEY": SECRET_KEY})


async def erased(
    url: str, kind: Erasable, subject_id: int, clock: StillClock
) -> tuple[int, list[str], str]:
    out, faults = io.StringIO(), io.StringIO()
    code = await erase_subject(
        settings_of(url), kind, subject_id, out=out, faults=faults, clock=clock
    )
    return code, out.getvalue().splitlines(), faults.getvalue()


async def test_a_person_is_erased_and_it_is_told_what_that_was(tmp_path: Path) -> None:
    url, clock = sqlite_url(tmp_path), StillClock()
    async with open_books(url, clock) as books:
        await ended(books, books.job(user=THEM, pictures=2))
        await books.policies.set_limit(Who.member(GUILD, THEM), Window.DAY, 50_000, by=1)
        held = await books.sent(books.job(user=THEM))
        assert held.job_id
    code, told, faults = await erased(url, Erasable.PERSON, THEM, clock)
    assert (code, faults) == (0, "")
    assert told[0] == f"The person {THEM} is erased. Deleted, or without names:"
    assert "          1  prompts" in told
    assert "          1  jobs lost their words, pictures and links" in told
    assert "1 job has not ended: the bot erases them by itself once they have." in told
    assert "restored is erased again" in told[-1]
    secret = SECRET_KEY.encode()
    times = await ErasedList(tmp_path / "bot.erased", secret=secret).times(Erasable.PERSON, [THEM])
    assert times == {THEM: clock.now}
    code, told, _ = await erased(url, Erasable.PERSON, 5, clock)
    assert (code, told) == (0, ["The person 5 is not in the database: there was nothing to erase."])


async def test_a_guild_is_erased(tmp_path: Path) -> None:
    url, clock = sqlite_url(tmp_path), StillClock()
    async with open_books(url, clock) as books:
        await ended(books, books.job(user=THEM, guild=GUILD))
    code, told, _ = await erased(url, Erasable.GUILD, GUILD, clock)
    assert code == 0
    assert told[0] == f"The server {GUILD} is erased. Deleted, or without names:"
    async with open_books(url, clock) as books:
        assert await books.jobs.recent(THEM) == []


@pytest.mark.parametrize("kind", Erasable)
async def test_what_people_have_set_and_wait_for_is_told_of(tmp_path: Path, kind: Erasable) -> None:
    url, clock = sqlite_url(tmp_path), StillClock()
    async with open_books(url, clock) as books:
        reply = books.job(user=THEM).reply
        assert reply is not None
        await DigestStore(books.db, clock=clock).set(GUILD, Window.DAY, 770, by=THEM)
        await Promises(books.db, clock=clock, process_id=1).give(THEM, reply, private=False)
    subject_id = THEM if kind is Erasable.PERSON else GUILD
    code, told, faults = await erased(url, kind, subject_id, clock)
    assert (code, faults) == (0, "")
    assert "          1  digests, or who set them" in told
    waited = "          1  answers that were waited for" in told
    assert waited is (kind is Erasable.PERSON)


def test_everything_that_an_erasure_counts_has_words() -> None:
    named = {table for table, *_ in (*_ACTED, *_CONCERNED, *_OWNED, *_OF_GUILD)}
    others = {"job", "charge", "prompt", "job_input", "job_output", "usage_month"}
    assert set(erasing._WHAT) == named | others


async def test_beside_a_running_bot_sqlite_refuses_and_says_what_to_do(tmp_path: Path) -> None:
    url, clock = sqlite_url(tmp_path), StillClock()
    async with open_books(url, clock) as books:
        await ended(books, books.job(user=THEM))
        code, told, faults = await erased(url, Erasable.PERSON, THEM, clock)
        assert (code, told) == (EXIT_CONFIG, [])
        assert "in use by another process of the bot" in faults
        assert "Stop the bot, erase, and start it again." in faults
        assert len(await books.jobs.recent(THEM)) == 1
    assert not (tmp_path / "bot.erased").exists()


async def test_beside_a_running_bot_a_server_lets_it(
    books: Books, database_url: str, engine: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if engine == "sqlite":
        pytest.skip("see above")
    monkeypatch.chdir(tmp_path)  # the folder in which `data` is made
    await ended(books, books.job(user=THEM))
    code, _, faults = await erased(database_url, Erasable.PERSON, THEM, books.clock)
    assert (code, faults) == (0, "")
    assert await books.jobs.recent(THEM) == []
    assert (tmp_path / "data" / "bot.erased").is_file()


async def test_no_database_is_made_to_erase_somebody_in_it(tmp_path: Path) -> None:
    code, told, faults = await erased(sqlite_url(tmp_path), Erasable.PERSON, THEM, StillClock())
    assert (code, told) == (EXIT_CONFIG, [])
    assert "There is no database" in faults
    assert not (tmp_path / "bot.db").exists()


async def test_a_server_without_the_secret_is_refused(
    books: Books, database_url: str, engine: str
) -> None:
    if engine == "sqlite":
        pytest.skip("its secret is a file")
    out, faults = io.StringIO(), io.StringIO()
    settings = Settings.from_env({"DATABASE_URL": database_url})
    code = await erase_subject(
        settings, Erasable.PERSON, THEM, out=out, faults=faults, clock=books.clock
    )
    assert code == EXIT_CONFIG
    assert "SECRET_KEY must be set" in faults.getvalue()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("said", "agrees"), [("yes", True), (" YES ", True), ("y", False), ("", False)]
)
def test_only_a_whole_yes_is_one(said: str, *, agrees: bool) -> None:
    asked = list[str]()

    def ask(question: str) -> str:
        asked.append(question)
        return said

    assert erasing.agrees(Erasable.PERSON, THEM, ask=ask, terminal=Terminal()) is agrees
    assert f"the person {THEM}" in asked[0]
    assert "can't be undone" in asked[0]


def test_who_ends_the_input_has_not_agreed() -> None:
    def ask(_: str) -> str:
        raise EOFError

    assert not erasing.agrees(Erasable.GUILD, GUILD, ask=ask, terminal=Terminal())


def test_without_a_terminal_a_script_has_to_say_yes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = sqlite_url(tmp_path)

    async def make() -> None:
        async with open_books(url) as books:
            await ended(books, books.job(user=THEM))

    asyncio.run(make())
    parser = argparse.ArgumentParser()
    erasing.add_arguments(parser)
    asked = parser.parse_args(["--user", str(THEM)])
    assert erasing.erase(settings_of(url), asked) == EXIT_REFUSED
    assert "say --yes" in capsys.readouterr().err
    sure = parser.parse_args(["--user", str(THEM), "--yes"])
    assert erasing.erase(settings_of(url), sure) == 0
    assert f"The person {THEM} is erased." in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [[], ["--user", "0"], ["--user", "-5"], ["--user", "1", "--guild", "2"], ["--guild", "٣"]],
)
def test_what_names_nobody_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    erasing.add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(arguments)
    assert capsys.readouterr().err
