"""Erasing with the bot as its operator runs it: no word in any file, after kills and restores.

The command line of `erase` beside it, and without it.
"""

import shutil
import signal
from pathlib import Path

from sandbox.books import Books
from sandbox.child import Child
from sandbox.discord import Channel, Message, Person
from sandbox.house import House, pictures
from tests.discord.erasing import erase
from tests.discord.killing import doomed
from tests.disk import on_disk

WORDS = "a lighthouse that nobody else has ever thought of"


async def imagine(person: Person, channel: Channel) -> Message:
    return await pictures(
        person, channel, await person.slash(channel, "imagine", {"prompt": WORDS})
    )


def restore(database: Path, backup: Path) -> None:
    """Do as docs/operators.md says."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    backup.rename(database)


async def test_after_an_erasure_and_a_kill_no_file_and_no_log_has_a_word_of_it(
    servers: House, tmp_path: Path
) -> None:
    mira, general = servers.person("mira"), servers.channel()
    async with doomed(servers, tmp_path, LOG_LEVEL="DEBUG") as child:
        await imagine(mira, general)
        assert WORDS.encode() in on_disk(tmp_path)
        await erase(mira, general)
        assert WORDS.encode() not in on_disk(tmp_path)
        output = child.output
    assert "A person was erased" in output
    ours = [line for line in output.splitlines() if "discord" not in line]
    assert not [line for line in ours if WORDS in line]
    assert WORDS.encode() not in on_disk(tmp_path)


async def test_who_is_in_a_restored_backup_is_erased_again_at_the_start(
    servers: House, tmp_path: Path, books: Books
) -> None:
    mira, theo, general = servers.person("mira"), servers.person("theo"), servers.channel()
    database, backup = tmp_path / "bot.db", tmp_path / "elsewhere.db"
    async with Child(servers.servers, tmp_path) as child:
        await servers.discord.wait_for_bot(20)
        await imagine(mira, general)
        await imagine(theo, general)
        child.send(signal.SIGTERM)
        await child.ended()
    shutil.copy(database, backup)
    async with doomed(servers, tmp_path):
        await erase(mira, general)
    restore(database, backup)
    assert len(books.rows("SELECT * FROM prompt")) == 2

    async with doomed(servers, tmp_path) as child:
        await child.printed("1 were erased again")
        [job] = books.rows("SELECT user_id FROM job JOIN prompt ON job_id = job.id")
        assert job["user_id"] == theo.user.id
        await imagine(mira, general)  # and she may go on
    assert str(mira.user.id).encode() not in (tmp_path / "bot.erased").read_bytes()


async def test_beside_a_running_bot_the_command_says_what_to_do_and_later_it_erases(
    servers: House, tmp_path: Path, books: Books
) -> None:
    mira, general = servers.person("mira"), servers.channel()
    command = ("erase", "--user", str(mira.user.id), "--yes")
    async with doomed(servers, tmp_path):
        await imagine(mira, general)
        async with Child(servers.servers, tmp_path, command=command) as refused:
            assert await refused.ended() == 78
        assert "Stop the bot, erase, and start it again." in refused.output
    assert len(books.rows("SELECT * FROM prompt")) == 1

    async with Child(servers.servers, tmp_path, command=command[:-1]) as unsure:
        assert await unsure.ended() == 1
    assert "say --yes" in unsure.output
    async with Child(servers.servers, tmp_path, command=command) as child:
        assert await child.ended() == 0
    assert f"The person {mira.user.id} is erased." in child.output
    assert WORDS.encode() not in on_disk(tmp_path)
    async with doomed(servers, tmp_path):
        await imagine(mira, general)
    assert len(books.rows("SELECT * FROM prompt")) == 1
