"""Threads: where they belong, who may write in them, and what a bot is told of them."""

from typing import Any

import discord
import pytest

from sandbox.discord import (
    Channel,
    DiscordServer,
    EventKind,
    Guild,
    NotPossibleError,
    Permission,
    Person,
)
from sandbox.tinybot import TinyBot

Interaction = discord.Interaction[Any]


@pytest.fixture
def thread(server: DiscordServer, guild: Guild) -> Channel:
    """The town's thread, which belongs to `pictures`."""
    return server.world.channel(guild, "paper-boats")


async def test_a_command_in_a_thread_tells_which_channel_the_thread_belongs_to(
    server: DiscordServer, bot: TinyBot, channel: Channel, thread: Channel, mira: Person
) -> None:
    places: list[object] = []

    @bot.tree.command(description="Where are we")
    async def where(interaction: Interaction) -> None:
        places.append(interaction.channel)
        await interaction.response.send_message("here")
        await interaction.followup.send("and here")

    await bot.begin(server)
    ask = await mira.slash(thread, "where")
    assert (await ask.answer()).channel_id == thread.id
    assert (await ask.followup()).channel_id == thread.id
    (place,) = places
    assert isinstance(place, discord.Thread)
    assert (place.id, place.parent_id, place.name) == (thread.id, channel.id, "paper-boats")
    assert place.parent is not None
    assert place.parent.name == "pictures"


async def test_the_bot_posts_edits_and_reads_in_a_thread(
    server: DiscordServer, bot: TinyBot, thread: Channel, theo: Person
) -> None:
    await bot.begin(server)
    known = bot.get_channel(thread.id)
    assert isinstance(known, discord.Thread)
    sent = await known.send("hello")
    await sent.edit(content="hello again")
    fetched = await bot.fetch_channel(thread.id)
    assert isinstance(fetched, discord.Thread)
    assert fetched.message_count == 1
    assert [message.content async for message in fetched.history()] == ["hello again"]
    assert [message.text for message in theo.messages(thread)] == ["hello again"]


async def test_writing_in_threads_is_a_permission_of_its_own(
    server: DiscordServer,
    bot: TinyBot,
    guild: Guild,
    channel: Channel,
    thread: Channel,
    mira: Person,
) -> None:
    await bot.begin(server)
    world = server.world
    for whom in (world.bot, mira.user):
        world.set_overwrite(channel, whom, deny=Permission.SEND_MESSAGES_IN_THREADS)
    with pytest.raises(discord.Forbidden) as refused:
        await bot.get_partial_messageable(thread.id).send("hello")
    assert refused.value.code == 50013
    with pytest.raises(NotPossibleError):
        await mira.say(thread, "hello")
    await bot.get_partial_messageable(channel.id).send("hello")
    await mira.say(channel, "hello")
    for whom in (world.bot, mira.user):
        world.set_overwrite(
            channel,
            whom,
            allow=Permission.SEND_MESSAGES_IN_THREADS,
            deny=Permission.SEND_MESSAGES,
        )
    await bot.get_partial_messageable(thread.id).send("hello")
    await mira.say(thread, "hello")
    world.set_overwrite(channel, guild.roles[guild.id], deny=Permission.VIEW_CHANNEL)
    world.set_overwrite(channel, mira.user)
    assert mira.messages(thread) == []


async def test_the_bot_is_told_when_a_thread_begins_and_ends(
    server: DiscordServer, bot: TinyBot, guild: Guild, channel: Channel, mira: Person
) -> None:
    await bot.begin(server)
    begun = server.world.add_thread(channel, "more boats", mira.user)
    made = await bot.wait_for("thread_create", timeout=5)
    assert (made.id, made.parent_id, made.owner_id) == (begun.id, channel.id, mira.user.id)
    with pytest.raises(ValueError, match="channels of guilds"):
        server.world.add_thread(begun, "too deep", mira.user)
    async with server.world.subscribe() as events:
        server.world.remove_channel(channel)
        gone = [events.get_nowait() for _ in range(events.qsize())]
    assert [event.kind for event in gone] == [EventKind.GUILD_CHANGED] * 3
    await bot.wait_for("guild_channel_delete", timeout=5)
    assert bot.get_channel(begun.id) is None
    with pytest.raises(LookupError):
        server.world.channel(guild, "paper-boats")
