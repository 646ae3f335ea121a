"""Files and their links: how long they work, who may renew them, and what goes wrong with them."""

import asyncio
import io
from typing import Any

import aiohttp
import discord
import pytest
from discord import ui
from yarl import URL

from sandbox.clock import SandboxClock
from sandbox.discord import Channel, DiscordServer, Guild, NotPossibleError, Person, UploadedFile
from sandbox.tinybot import TinyBot

Interaction = discord.Interaction[Any]
DAY = 24 * 60 * 60 * 1000
FILES = "GET /cdn/attachments/*/*/*"
DATA = bytes(range(256)) * 1024


async def fetch(url: str) -> tuple[int, bytes]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, allow_redirects=False) as response,
    ):
        return response.status, await response.read()


async def refresh(bot: TinyBot, urls: list[str]) -> list[dict[str, Any]]:
    route = discord.http.Route("POST", "/attachments/refresh-urls")
    answer = await bot.http.request(route, json={"attachment_urls": urls})
    return list(answer["refreshed_urls"])


@pytest.fixture
async def link(server: DiscordServer, channel: Channel, mira: Person) -> str:
    """A file that Mira posted."""
    said = await mira.say(channel, files=[UploadedFile("cat.bin", DATA)])
    return said.attachments[0].url


async def test_files_of_options_and_forms_are_private_and_die_after_a_day_too(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person, clock: SandboxClock
) -> None:
    got: list[discord.Attachment] = []

    class Form(ui.Modal, title="Files"):
        files = ui.Label[Any](text="Files", component=ui.FileUpload(max_values=10))

        async def on_submit(self, interaction: Interaction) -> None:
            assert isinstance(self.files.component, ui.FileUpload)
            got.extend(self.files.component.values)
            await interaction.response.send_message("thanks")

    @bot.tree.command(description="Takes a file")
    async def take(interaction: Interaction, file: discord.Attachment) -> None:
        got.append(file)
        await interaction.response.send_modal(Form())

    await bot.begin(server)
    first = UploadedFile("my cat (2).bin", b"first")
    ask = await mira.slash(channel, "take", {"file": "one"}, files={"one": first})
    modal = await ask.form()
    (field,) = (each["component"]["custom_id"] for each in modal.components)
    more = [UploadedFile(f"{n}.bin", b"x" * n) for n in range(1, 11)]
    await (await mira.submit(modal, {}, files={field: more})).answer()
    assert [file.filename for file in got][:2] == ["my_cat_2_.bin", "1.bin"]
    assert [file.size for file in got] == [5, *range(1, 11)]
    assert all(file.ephemeral for file in got)
    assert all("/ephemeral-attachments/" in file.url for file in got)
    assert await got[0].read() == b"first"
    clock.advance(DAY)
    assert [(await fetch(file.url))[0] for file in got] == [404] * 11
    (renewed,) = await refresh(bot, [got[0].url])
    assert await fetch(renewed["refreshed"]) == (200, b"first")


async def test_links_are_renewed_fifty_at_a_time_and_only_by_a_bot(
    server: DiscordServer, bot: TinyBot, clock: SandboxClock, link: str
) -> None:
    await bot.begin(server)
    clock.advance(DAY)
    renewed = await refresh(bot, [link] * 49 + ["https://elsewhere.example/cat.png"])
    assert [pair["original"] for pair in renewed] == [link] * 49 + [
        "https://elsewhere.example/cat.png"
    ]
    assert (await fetch(renewed[0]["refreshed"]))[0] == 200
    assert renewed[49]["refreshed"] is None
    for wrong in ([link] * 51, []):
        with pytest.raises(discord.HTTPException) as refused:
            await refresh(bot, wrong)
        assert refused.value.code == 50035
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{server.rest_url}/attachments/refresh-urls", json={"attachment_urls": [link]}
        ) as response,
    ):
        assert response.status == 401


async def test_a_file_goes_with_its_message_and_when_an_edit_takes_it_away(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person, link: str
) -> None:
    await bot.begin(server)
    place = bot.get_partial_messageable(channel.id, guild_id=channel.guild_id)
    own = await place.send(
        files=[discord.File(io.BytesIO(name.encode()), name) for name in ("a.txt", "b.txt")]
    )
    dropped, kept = own.attachments
    await own.edit(attachments=[kept])
    assert (await fetch(dropped.url))[0] == 404
    assert (await fetch(kept.url))[0] == 200
    await mira.delete(mira.messages(channel)[0])
    assert (await fetch(link))[0] == 404
    assert [pair["refreshed"] for pair in await refresh(bot, [link])] == [None]


async def test_a_forged_link_opens_nothing_however_it_is_bent(link: str) -> None:
    for wrong in (
        link.replace("cat.bin", "dog.bin"),
        link.replace("/attachments/", "/ephemeral-attachments/"),
        link.partition("?")[0],
        link.replace("ex=", "ex=f"),
    ):
        assert (await fetch(wrong))[0] == 404


async def test_a_file_can_come_late_be_refused_or_lead_elsewhere(
    server: DiscordServer, link: str
) -> None:
    server.faults.status(FILES, 503, headers={"Retry-After": "1"})
    server.faults.redirect(FILES, "http://169.254.169.254/latest")
    gate = server.faults.hold(FILES, times=1)
    assert (await fetch(link))[0] == 503
    assert (await fetch(link))[0] == 302
    waiting = asyncio.create_task(fetch(link))
    await gate.reached()
    assert not waiting.done()
    gate.open()
    assert await waiting == (200, DATA)
    server.faults.delay(FILES, 0.01)
    assert await fetch(link) == (200, DATA)
    assert server.fetched == [URL(link).path] * 4


async def test_a_file_can_be_cut_off_before_and_in_the_middle(
    server: DiscordServer, link: str
) -> None:
    server.faults.drop(FILES, times=2)  # aiohttp tries a GET once more by itself
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await fetch(link)
    server.faults.truncate(FILES, after=1000)
    async with aiohttp.ClientSession() as session, session.get(link) as response:
        assert response.content_length == len(DATA)
        assert await response.content.readexactly(1000) == DATA[:1000]
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.content.read(1)
    assert await fetch(link) == (200, DATA)


async def test_a_file_can_stall_in_the_middle(server: DiscordServer, link: str) -> None:
    gate = server.faults.stall(FILES, after=1000)
    async with aiohttp.ClientSession() as session, session.get(link) as response:
        assert await response.content.readexactly(1000) == DATA[:1000]
        await gate.reached()
        assert not response.content.at_eof()
        gate.open()
        assert await response.content.read() == DATA[1000:]


async def test_a_file_can_go_on_for_ever(server: DiscordServer, link: str) -> None:
    server.faults.endless(FILES)
    async with aiohttp.ClientSession() as session, session.get(link) as response:
        assert response.content_length is None
        await response.content.readexactly(4 * len(DATA))
        response.close()
    assert await fetch(link) == (200, DATA)


async def test_only_files_can_be_spoiled_in_the_middle(server: DiscordServer) -> None:
    with pytest.raises(ValueError, match="only files"):
        server.faults.endless("GET /users/@me")


async def test_a_file_above_what_the_client_sends_stays_at_home(
    guild: Guild, channel: Channel, mira: Person
) -> None:
    big = UploadedFile("big.bin", bytes(mira.user.upload_limit + 1))
    with pytest.raises(NotPossibleError):
        await mira.say(channel, files=[big])
    guild.premium_tier = 2
    await mira.say(channel, files=[big])
