"""Commands on messages: what the bot is shown of them, and what it is not shown otherwise."""

import io
from typing import Any

import discord
import pytest
from PIL import Image

from sandbox.discord import (
    Channel,
    DiscordServer,
    NotPossibleError,
    Person,
    StickerFormat,
    UploadedFile,
)
from sandbox.tinybot import TinyBot

Interaction = discord.Interaction[Any]
SEA = "https://pictures.example/sea.png"


def picture(width: int = 30, height: int = 20, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture
async def shown(bot: TinyBot, server: DiscordServer) -> list[discord.Message]:
    """The messages on which somebody used "Look"."""
    seen: list[discord.Message] = []

    @bot.tree.context_menu(name="Look")
    @discord.app_commands.allowed_installs(guilds=True, users=True)
    @discord.app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def look(interaction: Interaction, message: discord.Message) -> None:
        seen.append(message)
        await interaction.response.send_message("seen", ephemeral=True)

    await bot.begin(server)
    return seen


@pytest.fixture
def poster(server: DiscordServer, channel: Channel) -> Person:
    """Another application's bot, in the same guild."""
    world = server.world
    other = world.add_user("poster", "Poster", bot=True)
    guild = world.guild_of(channel)
    assert guild is not None
    world.add_member(guild, other)
    return server.person(other)


async def test_a_command_on_a_message_is_shown_everything_that_stands_in_it(
    server: DiscordServer, shown: list[discord.Message], channel: Channel, mira: Person
) -> None:
    theo = server.person("theo")
    server.publish(SEA, UploadedFile("sea.png", picture(64, 48)))
    sticker = server.world.add_sticker("Boat", picture())
    said = await theo.say(
        channel,
        f"look: {SEA}",
        files=[UploadedFile("cat.png", picture())],
        stickers=[sticker],
    )
    await (await mira.apps_menu(channel, "Look", said)).answer()
    (message,) = shown
    assert (message.content, message.author.name) == (f"look: {SEA}", "theo")
    assert [attachment.filename for attachment in message.attachments] == ["cat.png"]
    assert await message.attachments[0].read() == picture()
    (embed,) = message.embeds
    assert (embed.thumbnail.url, embed.thumbnail.width, embed.thumbnail.height) == (SEA, 64, 48)
    assert [(one.name, one.format.name) for one in message.stickers] == [("Boat", "png")]
    assert await message.stickers[0].read() == picture()


async def test_others_messages_are_empty_to_a_bot_that_asks_for_them_by_itself(
    server: DiscordServer,
    bot: TinyBot,
    shown: list[discord.Message],
    channel: Channel,
    theo: Person,
    poster: Person,
) -> None:
    place = bot.get_partial_messageable(channel.id, guild_id=channel.guild_id)
    own = await place.send(
        "mine", file=discord.File(io.BytesIO(picture()), "own.png"), embed=discord.Embed(title="x")
    )
    text = [{"type": 10, "content": "a layout"}]
    others = [
        await theo.say(channel, "secret", files=[UploadedFile("cat.png", picture())]),
        await poster.say(channel, components=text),
    ]
    for message in others:
        hidden = await place.fetch_message(message.id)
        held = (hidden.content, hidden.attachments, hidden.embeds, hidden.components)
        assert held == ("", [], [], [])
    mentioned = await theo.say(
        channel, f"<@{server.world.bot.id}> look", files=[UploadedFile("cat.png", picture())]
    )
    direct = await theo.say(server.world.direct_channel(theo.user), "hello")
    mail = bot.get_partial_messageable(direct.channel_id)
    assert (await mail.fetch_message(direct.id)).content == "hello"
    assert len((await place.fetch_message(mentioned.id)).attachments) == 1
    whole = await place.fetch_message(own.id)
    assert (whole.content, len(whole.attachments), len(whole.embeds)) == ("mine", 1, 1)
    contents = [message.content async for message in place.history(oldest_first=True)]
    assert contents == ["mine", "", "", f"<@{server.world.bot.id}> look"]
    assert shown == []


async def test_with_the_privileged_intent_others_messages_are_whole(
    server: DiscordServer, channel: Channel, theo: Person
) -> None:
    intents = discord.Intents(guilds=True, message_content=True)
    server.world.application.privileged_intents = intents.value
    bot = TinyBot(intents)
    try:
        await bot.begin(server)
        said = await theo.say(channel, "not secret")
        place = bot.get_partial_messageable(channel.id, guild_id=channel.guild_id)
        assert (await place.fetch_message(said.id)).content == "not secret"
    finally:
        await bot.end()


async def test_another_bots_embed_and_layout_carry_media_that_can_be_fetched(
    server: DiscordServer,
    bot: TinyBot,
    shown: list[discord.Message],
    channel: Channel,
    mira: Person,
    poster: Person,
) -> None:
    server.publish(SEA, UploadedFile("sea.png", picture(64, 48)))
    embeds = [{"title": "Sea", "image": {"url": SEA}}]
    gallery = {
        "type": 12,
        "items": [{"media": {"url": "attachment://cat.png"}}, {"media": {"url": SEA}}],
    }
    for said in (
        await poster.say(channel, embeds=embeds),
        await poster.say(channel, components=[gallery], files=[UploadedFile("cat.png", picture())]),
    ):
        await (await mira.apps_menu(channel, "Look", said)).answer()
    image = shown[0].embeds[0].image
    assert image.url == SEA
    assert image.proxy_url is not None
    assert image.proxy_url.startswith(f"{server.cdn_url}/external/")
    assert await bot.http.get_from_cdn(image.proxy_url) == picture(64, 48)
    (shown_gallery,) = shown[1].components
    assert isinstance(shown_gallery, discord.MediaGalleryComponent)
    uploaded, outside = (item.media for item in shown_gallery.items)
    assert shown[1].attachments == []
    assert (uploaded.width, uploaded.attachment_id is None) == (30, False)
    assert await bot.http.get_from_cdn(uploaded.url) == picture()
    assert (outside.url, outside.attachment_id, outside.width) == (SEA, None, 64)
    assert outside.proxy_url is not None
    assert await bot.http.get_from_cdn(outside.proxy_url) == picture(64, 48)


async def test_only_other_bots_write_embeds_and_layouts(
    server: DiscordServer, channel: Channel, theo: Person
) -> None:
    with pytest.raises(NotPossibleError):
        await theo.say(channel, embeds=[{"title": "x"}])
    with pytest.raises(NotPossibleError):
        await theo.say(channel, components=[{"type": 10, "content": "x"}])
    with pytest.raises(NotPossibleError):
        await theo.say(channel)
    stickers = [server.world.add_sticker(str(n), picture()) for n in range(4)]
    with pytest.raises(NotPossibleError):
        await theo.say(channel, stickers=stickers)
    assert theo.messages(channel) == []


async def test_a_link_in_pointed_brackets_or_to_nothing_gets_no_embed(
    server: DiscordServer, channel: Channel, theo: Person
) -> None:
    server.publish(SEA, UploadedFile("sea.png", picture()))
    for text in (f"<{SEA}>", "https://pictures.example/other.png"):
        assert (await theo.say(channel, text)).embeds == []
    assert len((await theo.say(channel, f"{SEA} {SEA}")).embeds) == 1


async def test_a_forwarded_message_carries_a_snapshot_of_the_first_one(
    server: DiscordServer,
    bot: TinyBot,
    shown: list[discord.Message],
    channel: Channel,
    theo: Person,
) -> None:
    world = server.world
    guild = world.guild_of(channel)
    assert guild is not None
    first = await theo.say(channel, "the sea", files=[UploadedFile("sea.png", picture())])
    there = world.channel(guild, "workshop")
    passed_on = await theo.forward(first, there)
    await (await theo.apps_menu(there, "Look", passed_on)).answer()
    (message,) = shown
    assert (message.content, message.attachments) == ("", [])
    (snapshot,) = message.message_snapshots
    assert snapshot.content == "the sea"
    assert await snapshot.attachments[0].read() == picture()
    assert message.reference is not None
    assert message.reference.message_id == first.id
    place = bot.get_partial_messageable(there.id, guild_id=there.guild_id)
    assert (await place.fetch_message(passed_on.id)).message_snapshots == []


async def test_in_a_talk_without_the_bot_a_message_is_shown_by_who_brought_it_along(
    server: DiscordServer, shown: list[discord.Message], mira: Person, theo: Person
) -> None:
    talk = server.world.private_talk(mira.user, theo.user)
    said = await theo.say(talk, "look", files=[UploadedFile("cat.png", picture())])
    with pytest.raises(NotPossibleError):
        await mira.apps_menu(talk, "Look", said)
    server.world.user_installs(mira.user)
    await (await mira.apps_menu(talk, "Look", said)).answer()
    assert (shown[0].content, len(shown[0].attachments)) == ("look", 1)


@pytest.mark.parametrize(
    ("kind", "file", "extensions"),
    [
        (StickerFormat.PNG, "PNG", {"png"}),
        (StickerFormat.APNG, "PNG", {"png"}),
        (StickerFormat.GIF, "GIF", {"gif", "png"}),
        (StickerFormat.LOTTIE, "PNG", {"json"}),
    ],
)
async def test_stickers_have_stills_except_those_that_clients_draw(
    server: DiscordServer, bot: TinyBot, kind: StickerFormat, file: str, extensions: set[str]
) -> None:
    sticker = server.world.add_sticker("Boat", picture(kind=file), kind)
    await bot.begin(server)
    found = set()
    for extension in ("png", "gif", "json"):
        try:
            data = await bot.http.get_from_cdn(
                f"{server.cdn_url}/stickers/{sticker.id}.{extension}"
            )
        except discord.NotFound:
            continue
        found.add(extension)
        if extension == "png":
            assert Image.open(io.BytesIO(data)).format == "PNG"
    assert found == extensions
