"""The command line at its start: what it says, what it refuses, and with which exit code."""

import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.settings import EXIT_CONFIG
from bot.storage import open_database
from sandbox.child import Child
from sandbox.house import House, pictures


def overwrites(house: House) -> int:
    """How often the whole command list was sent."""
    return sum(
        request.method == "PUT" and request.path.endswith("/commands")
        for request in house.discord.requests
    )


async def refused(child: Child) -> str:
    """The one sentence with which a bot that can't start ends."""
    async with child:
        code = await child.ended()
    assert code == EXIT_CONFIG
    assert "Traceback" not in child.output
    *others, sentence = [line for line in child.lines if line not in child.errors]
    assert all(line.startswith("ImageRouter balance") for line in others)
    return sentence


async def test_at_its_start_the_bot_tells_its_balance_its_name_and_how_to_invite_it(
    servers: House, tmp_path: Path
) -> None:
    async with Child(servers.servers, tmp_path) as child:
        invite = await child.printed("Invite: ")
        balance = await child.printed("ImageRouter balance: ")
        name = await child.printed("Connected as ")

    assert balance == "ImageRouter balance: $25.00"
    assert name.endswith("in 2 servers.")
    application = servers.discord.world.application.id
    assert f"client_id={application}" in invite
    assert "scope=bot+applications.commands" in invite
    # View Channel, Send Messages, Attach Files, Send Messages in Threads: and nothing else.
    assert "permissions=274877942784" in invite
    assert child.troubles == []


async def test_a_token_that_discord_refuses_is_one_sentence(servers: House, tmp_path: Path) -> None:
    environ = {"DISCORD_TOKEN": "bm90.a.token"}
    sentence = await refused(Child(servers.servers, tmp_path, environ=environ))
    assert "Discord refuses DISCORD_TOKEN" in sentence


async def test_a_key_that_imagerouter_refuses_is_one_sentence(
    servers: House, tmp_path: Path
) -> None:
    environ = {"IMAGEROUTER_API_KEY": "w" * 64}
    sentence = await refused(Child(servers.servers, tmp_path, environ=environ))
    assert "ImageRouter refuses IMAGEROUTER_API_KEY" in sentence
    assert "https://imagerouter.io/api-keys" in sentence


async def test_a_token_without_a_key_is_one_sentence(servers: House, tmp_path: Path) -> None:
    child = Child(servers.servers, tmp_path, environ={"IMAGEROUTER_API_KEY": ""}, command=())
    assert "IMAGEROUTER_API_KEY is not set" in await refused(child)
    assert servers.discord.requests == []


async def test_every_setting_that_is_wrong_is_named_at_once(servers: House, tmp_path: Path) -> None:
    environ = {"HTTP_PORT": "eighty", "LOG_FORMAT": "xml"}
    async with Child(servers.servers, tmp_path, environ=environ) as child:
        assert await child.ended() == EXIT_CONFIG
    assert [line.split()[0] for line in child.lines] == ["HTTP_PORT:", "LOG_FORMAT:"]


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"IMAGEROUTER_BASE_URL": "http://api.example.org"}, "must begin with https://"),
        ({"IMAGEROUTER_API_KEY": "a key"}, "contains characters that no key has"),
    ],
)
async def test_what_imagerouter_can_never_be_asked_with_is_one_sentence(
    servers: House, tmp_path: Path, environ: dict[str, str], says: str
) -> None:
    sentence = await refused(Child(servers.servers, tmp_path, environ=environ))
    assert says in sentence
    assert "a key" not in sentence


async def test_settings_in_a_file_that_is_not_utf8_are_one_sentence(
    servers: House, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_bytes("DEFAULT_MODEL=café".encode("latin-1"))
    assert ".env is not written in UTF-8" in await refused(Child(servers.servers, tmp_path))


async def test_discord_out_of_reach_is_a_sentence_and_worth_another_try(
    servers: House, tmp_path: Path
) -> None:
    servers.discord.faults.drop("GET /users/@me", times=None)
    async with Child(servers.servers, tmp_path) as child:
        code = await child.ended()
    assert code == 1  # not a fault in the settings: whoever restarts services may do so
    assert "Discord can't be reached just now." in child.output
    assert "Traceback" not in child.output


async def test_commands_that_cannot_be_removed_just_now_are_a_sentence_as_well(
    servers: House, tmp_path: Path
) -> None:
    servers.discord.faults.drop("PUT /applications/*/commands", times=None)
    async with Child(servers.servers, tmp_path, command=("clear-commands",)) as child:
        assert await child.ended() == 1
    assert child.lines == ["Discord could not be asked: Server disconnected. Try again."]


async def test_imagerouter_being_down_at_the_start_stops_nobody(
    servers: House, tmp_path: Path
) -> None:
    servers.imagerouter.faults.drop("at_once", on="auth", times=20)
    servers.imagerouter.faults.drop("at_once", on="models", times=20)
    mira, general = servers.person("mira"), servers.channel()
    async with Child(servers.servers, tmp_path) as child:
        await child.printed("ImageRouter can't be reached just now")
        await child.printed("Connected as ")
        servers.imagerouter.faults.clear()
        ask = await mira.slash(general, "imagine", {"prompt": "a boat"})
        message = await pictures(mira, general, ask)
    assert "a boat" in message.text


async def test_a_second_process_on_the_same_database_is_refused(
    servers: House, tmp_path: Path
) -> None:
    await servers.start_bot()
    sentence = await refused(Child(servers.servers, tmp_path))
    assert "bot.db is in use by another process of the bot" in sentence


async def test_a_database_newer_than_the_bot_is_refused_with_the_remedy(
    servers: House, tmp_path: Path
) -> None:
    path = tmp_path / "bot.db"
    async with open_database(f"sqlite:///{path}", clock=SystemClock()):
        pass
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO migration VALUES (9999, '9999_later.sql', 'x', 0)")

    sentence = await refused(Child(servers.servers, tmp_path))

    assert "9999_later.sql" in sentence
    assert "Run the newer version" in sentence


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
async def test_the_secret_is_made_once_and_for_its_owner_only(house: House, tmp_path: Path) -> None:
    path = tmp_path / "bot.key"
    made = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(made.strip()) == 64

    await house.restart_bot()

    assert path.read_text() == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_commands_are_sent_when_they_have_changed_and_only_then(
    house: House, tmp_path: Path
) -> None:
    assert overwrites(house) == 1
    await house.restart_bot()
    assert overwrites(house) == 1

    await house.stop_bot()
    async with Child(house.servers, tmp_path, command=("clear-commands",)) as cleaner:
        assert await cleaner.ended() == 0
    assert "The commands are removed." in cleaner.output
    assert overwrites(house) == 2
    assert house.person("mira").commands_in(house.channel()) == []

    await house.start_bot()
    assert overwrites(house) == 3
    names = {command.name for command in house.person("mira").commands_in(house.channel())}
    assert {"imagine", "usage"} <= names
