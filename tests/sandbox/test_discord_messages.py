"""Messages: attachments and their links, direct messages, permissions, what Discord refuses."""

import asyncio
import io
from typing import Any

import aiohttp
import discord
import pytest
from PIL import Image

from sandbox.clock import SandboxClock
from sandbox.discord import (
    Channel,
    DiscordServer,
    Guild,
    NotPossibleError,
    Permission,
    Person,
    UploadedFile,
)
from sandbox.tinybot import TinyBot

Interaction = discord.Interaction[Any]
DAY = 24 * 60 * 60 * 1000
MIB = 1024 * 1024


def png(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(buffer, "PNG")
    return buffer.getvalue()


def gallery(*names: str) -> discord.ui.LayoutView:
    view = discord.ui.LayoutView()
    items = [discord.MediaGalleryItem(f"attachment://{name}") for name in names]
    view.add_item(discord.ui.MediaGallery(*items))
    return view


async def fetch(url: str) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.read()


def place(bot: TinyBot, channel: Channel) -> discord.TextChannel:
    found = bot.get_channel(channel.id)
    assert isinstance(found, discord.TextChannel)
    return found


async def test_a_gallery_shows_uploaded_pictures(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    picture = png(30, 20)
    await bot.begin(server)
    sent = await place(bot, channel).send(
        view=gallery("cat.png"), file=discord.File(io.BytesIO(picture), "cat.png")
    )
    (message,) = mira.messages(channel)
    (attachment,) = message.attachments
    media = message.components[0]["items"][0]["media"]
    assert (media["width"], media["height"], media["content_type"]) == (30, 20, "image/png")
    assert media["attachment_id"] == str(attachment.id)
    assert await fetch(media["url"]) == (200, picture)
    # As on Discord, files that components show are not among the message's attachments.
    assert sent.attachments == []
    component = sent.components[0]
    assert isinstance(component, discord.MediaGalleryComponent)
    assert component.items[0].media.attachment_id == attachment.id


async def test_a_link_dies_after_a_day_and_can_be_refreshed(
    server: DiscordServer, bot: TinyBot, channel: Channel, clock: SandboxClock
) -> None:
    await bot.begin(server)
    sent = await place(bot, channel).send(file=discord.File(io.BytesIO(b"meow"), "ä cat.txt"))
    url = sent.attachments[0].url
    assert await fetch(url) == (200, b"meow")
    clock.advance(DAY)
    assert (await fetch(url))[0] == 404
    with pytest.raises(discord.NotFound):
        await sent.attachments[0].read()
    again = await place(bot, channel).fetch_message(sent.id)
    assert await again.attachments[0].read() == b"meow"
    refreshed = await bot.http.request(
        discord.http.Route("POST", "/attachments/refresh-urls"), json={"attachment_urls": [url]}
    )
    (pair,) = refreshed["refreshed_urls"]
    assert pair["original"] == url
    assert await fetch(pair["refreshed"]) == (200, b"meow")


async def test_a_forged_link_opens_nothing(
    server: DiscordServer, bot: TinyBot, channel: Channel
) -> None:
    await bot.begin(server)
    sent = await place(bot, channel).send(file=discord.File(io.BytesIO(b"meow"), "cat.txt"))
    url = sent.attachments[0].url
    for forged in (
        url.replace("cat.txt", "dog.txt"),
        url.replace("ex=", "ex=f"),
        url.partition("?")[0],
        url.replace(str(channel.id), "1"),
    ):
        assert (await fetch(forged))[0] == 404, forged


async def test_an_edit_keeps_removes_and_adds_attachments(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    await bot.begin(server)
    files = [discord.File(io.BytesIO(name.encode()), f"{name}.txt") for name in ("one", "two")]
    sent = await place(bot, channel).send("files", files=files)
    await sent.edit(content="still both")
    (message,) = mira.messages(channel)
    kept, _ = message.attachments
    third = discord.File(io.BytesIO(b"three"), "three.txt")
    edited = await sent.edit(attachments=[sent.attachments[0], third])
    assert [attachment.filename for attachment in message.attachments] == ["one.txt", "three.txt"]
    assert message.attachments[0] is kept
    assert message.text == "still both"
    assert edited.attachments[0].id == kept.id
    await sent.edit(attachments=[])
    assert message.attachments == []


async def test_a_gallery_survives_an_edit_of_its_text(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    await bot.begin(server)
    sent = await place(bot, channel).send(
        view=gallery("cat.png"), file=discord.File(io.BytesIO(b"meow"), "cat.png")
    )
    again = await place(bot, channel).fetch_message(sent.id)
    view = discord.ui.LayoutView.from_message(again)
    view.add_item(discord.ui.TextDisplay("a cat"))
    await again.edit(view=view)
    (message,) = mira.messages(channel)
    assert message.text == "a cat"
    media = message.components[0]["items"][0]["media"]
    assert media["attachment_id"] == str(message.attachments[0].id)
    assert (await fetch(media["url"]))[1] == b"meow"


async def test_a_reference_to_a_file_that_was_not_sent_is_refused(
    server: DiscordServer, bot: TinyBot, channel: Channel
) -> None:
    await bot.begin(server)
    with pytest.raises(discord.HTTPException) as refusal:
        await place(bot, channel).send(view=gallery("cat.png"))
    assert refusal.value.code == 50035


async def test_files_that_are_too_big_are_refused(
    server: DiscordServer, bot: TinyBot, channel: Channel, guild: Guild
) -> None:
    await bot.begin(server)
    exact = discord.File(io.BytesIO(bytes(10 * MIB)), "exact.bin")
    assert (await place(bot, channel).send(file=exact)).attachments[0].size == 10 * MIB
    over = discord.File(io.BytesIO(bytes(10 * MIB + 1)), "over.bin")
    with pytest.raises(discord.HTTPException) as refusal:
        await place(bot, channel).send(file=over)
    assert (refusal.value.status, refusal.value.code) == (413, 40005)
    three = [discord.File(io.BytesIO(bytes(9 * MIB)), f"{n}.bin") for n in range(3)]
    with pytest.raises(discord.HTTPException) as refusal:
        await place(bot, channel).send(files=three)
    assert (refusal.value.status, refusal.value.code) == (413, 40005)
    guild.premium_tier = 2
    over.reset()
    over = discord.File(io.BytesIO(bytes(10 * MIB + 1)), "over.bin")
    assert (await place(bot, channel).send(file=over)).attachments[0].size == 10 * MIB + 1


async def test_permissions_decide_what_the_bot_may_do(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    await bot.begin(server)
    said = await mira.say(channel, "hello")
    there = place(bot, channel)
    with pytest.raises(discord.Forbidden) as refusal:
        await there.get_partial_message(said.id).edit(content="hijacked")
    assert refusal.value.code == 50005
    with pytest.raises(discord.Forbidden) as refusal:
        await there.get_partial_message(said.id).delete()
    assert refusal.value.code == 50013
    server.world.set_overwrite(channel, server.world.bot, deny=Permission.SEND_MESSAGES)
    with pytest.raises(discord.Forbidden) as refusal:
        await there.send("hello")
    assert refusal.value.code == 50013
    server.world.set_overwrite(channel, server.world.bot, deny=Permission.VIEW_CHANNEL)
    with pytest.raises(discord.Forbidden) as refusal:
        await there.send("hello")
    assert refusal.value.code == 50001
    with pytest.raises(discord.NotFound) as unknown:
        await bot.fetch_channel(1)
    assert unknown.value.code == 10003


async def test_direct_messages_go_both_ways_until_they_are_closed(
    server: DiscordServer, bot: TinyBot, mira: Person, theo: Person
) -> None:
    await bot.begin(server)
    user = await bot.fetch_user(mira.user.id)
    await user.send("hello")
    direct = server.world.direct_channel(mira.user)
    assert (await mira.wait_for(direct, lambda message: message.text == "hello")).author.bot
    assert theo.messages(direct) == []
    server.world.close_dms(mira.user)
    with pytest.raises(discord.Forbidden) as refusal:
        await user.send("still there?")
    assert refusal.value.code == 50007
    server.world.open_dms(mira.user)
    await user.send("ah")
    for guild in server.world.guilds.values():
        server.world.bot_leaves(guild)
    with pytest.raises(discord.Forbidden):
        await user.send("we share no server")


async def test_a_nonce_makes_a_post_happen_once(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    await bot.begin(server)
    first = await place(bot, channel).send("once", nonce="job-1")
    second = await place(bot, channel).send("once", nonce="job-1")
    other = await place(bot, channel).send("twice", nonce="job-2")
    assert first.id == second.id != other.id
    assert [message.text for message in mira.messages(channel)] == ["once", "twice"]


async def test_mentions_ping_only_whom_the_message_allows(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    await bot.begin(server)
    text = f"<@{mira.user.id}> @everyone"
    loud = await place(bot, channel).send(text)
    quiet = await place(bot, channel).send(text, allowed_mentions=discord.AllowedMentions.none())
    first, second = mira.messages(channel)
    assert (first.pinged, first.pinged_everyone) == (frozenset({mira.user.id}), True)
    assert (second.pinged, second.pinged_everyone) == (frozenset(), False)
    assert [user.id for user in loud.mentions] == [mira.user.id]
    assert quiet.mentions == []


async def test_history_comes_in_pages(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    await bot.begin(server)
    for n in range(5):
        await mira.say(channel, str(n))
    there = place(bot, channel)
    newest = [message async for message in there.history(limit=2)]
    older = [message async for message in there.history(limit=2, before=newest[-1])]
    onward = [message async for message in there.history(limit=2, after=older[-1])]
    around = [message async for message in there.history(limit=3, around=older[0])]
    ids = [message.id for message in mira.messages(channel)]
    assert [ids.index(message.id) for message in newest] == [4, 3]
    assert [ids.index(message.id) for message in older] == [2, 1]
    assert [ids.index(message.id) for message in onward] == [2, 3]
    assert sorted(ids.index(message.id) for message in around) == [1, 2, 3]


async def test_a_reply_points_to_its_message(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    await bot.begin(server)
    said = await mira.say(channel, "question")
    there = place(bot, channel)
    answer = await there.get_partial_message(said.id).reply("answer", mention_author=True)
    assert answer.reference is not None
    assert answer.reference.message_id == said.id
    assert mira.messages(channel)[-1].pinged == frozenset({mira.user.id})


async def test_a_spoken_message_reaches_the_bot_without_its_content(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    await bot.begin(server)

    def waiting(where: Channel) -> Any:
        return bot.wait_for("message", check=lambda m: m.channel.id == where.id, timeout=5)

    async def heard(where: Channel, text: str) -> str:
        message = waiting(where)
        await mira.say(where, text, files=[UploadedFile("a.txt", b"a")])
        received = await message
        assert isinstance(received, discord.Message)
        return received.content

    assert await heard(channel, "secret") == ""
    assert await heard(server.world.direct_channel(mira.user), "hello bot") == "hello bot"
    mention = f"<@{server.world.bot.id}> hi"
    assert await heard(channel, mention) == mention


async def test_deleting_and_typing_are_seen(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    await bot.begin(server)
    there = place(bot, channel)
    async with server.world.subscribe() as events:
        await there.typing()
        sent = await there.send("oops")
        await sent.delete()
        kinds = [events.get_nowait().kind.value for _ in range(events.qsize())]
    assert kinds == ["typing", "message_created", "message_deleted"]
    assert mira.messages(channel) == []
    with pytest.raises(discord.NotFound):
        await sent.edit(content="gone")


async def test_an_answer_that_a_moderator_deleted_is_unknown(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person, ada: Person
) -> None:
    gate = asyncio.Event()

    @bot.tree.command(description="Slow")
    async def slow(interaction: Interaction) -> None:
        await interaction.response.defer()
        await gate.wait()
        await interaction.edit_original_response(content="done")

    await bot.begin(server)
    ask = await mira.slash(channel, "slow")
    await ask.acknowledged()
    assert ask.message is not None
    with pytest.raises(NotPossibleError):
        await mira.delete(ask.message)
    await ada.delete(ask.message)
    gate.set()
    assert (await bot.refused()).code == 10008


async def test_nothing_can_be_said_in_a_channel_that_is_gone(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    gate = asyncio.Event()

    @bot.tree.command(description="Slow")
    async def slow(interaction: Interaction) -> None:
        await interaction.response.defer()
        await gate.wait()
        await interaction.edit_original_response(content="done")

    await bot.begin(server)
    await (await mira.slash(channel, "slow")).acknowledged()
    there = place(bot, channel)
    deleted = asyncio.create_task(bot.wait_for("guild_channel_delete", timeout=5))
    await asyncio.sleep(0)
    server.world.remove_channel(channel)
    assert (await deleted).id == channel.id
    gate.set()
    assert (await bot.refused()).code == 10003
    with pytest.raises(discord.NotFound) as unknown:
        await there.send("hello?")
    assert unknown.value.code == 10003
    assert mira.messages(channel) == []


async def test_who_left_every_shared_server_cannot_be_written_to(
    server: DiscordServer, bot: TinyBot, mira: Person
) -> None:
    await bot.begin(server)
    for guild in server.world.guilds.values():
        server.world.remove_member(guild, mira.user)
    with pytest.raises(discord.Forbidden) as refusal:
        await (await bot.fetch_user(mira.user.id)).send("hello?")
    assert refusal.value.code == 50007


async def test_an_embeds_picture_is_the_uploaded_one(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    await bot.begin(server)
    embed = discord.Embed(title="Cat").set_image(url="attachment://cat.png")
    file = discord.File(io.BytesIO(png(8, 9)), "cat.png")
    sent = await place(bot, channel).send(embed=embed, file=file)
    shown = sent.embeds[0].image
    assert (shown.width, shown.height) == (8, 9)
    assert shown.url is not None
    assert await fetch(shown.url) == (200, png(8, 9))
    assert sent.attachments == []
    assert [attachment.filename for attachment in mira.messages(channel)[0].attachments] == [
        "cat.png"
    ]
