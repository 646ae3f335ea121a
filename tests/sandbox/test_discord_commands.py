"""Commands from typing to answer, as a person meets them."""

import asyncio
import io
from typing import Any

import discord
import pytest
from discord import app_commands

from sandbox.clock import SandboxClock
from sandbox.discord import (
    Channel,
    DiscordServer,
    Guild,
    NotPossibleError,
    Person,
    UploadedFile,
)
from sandbox.tinybot import TinyBot

Interaction = discord.Interaction[Any]
FIFTEEN_MINUTES = 15 * 60 * 1000


async def test_a_slash_command_is_answered(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    @bot.tree.command(description="Say pong")
    async def ping(interaction: Interaction) -> None:
        await interaction.response.send_message("pong")

    await bot.begin(server)
    ask = await mira.slash(channel, "ping")
    message = await ask.answer()
    assert (message.text, message.interaction_name) == ("pong", "/ping")
    assert ask.state == "acknowledged"
    assert mira.messages(channel) == [message]
    assert server.openapi_problems == []


async def test_a_command_that_was_never_synced_cannot_be_used(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    await bot.begin(server)

    @bot.tree.command(description="Too late")
    async def late(interaction: Interaction) -> None:
        await interaction.response.send_message("never")

    with pytest.raises(NotPossibleError, match="late is not offered here"):
        await mira.slash(channel, "late")


async def test_an_answer_after_the_deadline_is_an_unknown_interaction(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    server.acknowledge_within = 0.05
    go = asyncio.Event()

    @bot.tree.command(description="Slow")
    async def slow(interaction: Interaction) -> None:
        await go.wait()
        await interaction.response.send_message("too late")

    await bot.begin(server)
    async with server.world.subscribe() as events:
        ask = await mira.slash(channel, "slow")
        await ask.failed()
        go.set()
        assert (await bot.refused()).code == 10062
        seen = [events.get_nowait() for _ in range(events.qsize())]
    assert ask.message is None
    assert "The application did not respond" in [event.text for event in seen]


async def test_three_seconds_pass_on_the_sandbox_clock_too(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person, clock: SandboxClock
) -> None:
    go = asyncio.Event()

    @bot.tree.command(description="Slow")
    async def slow(interaction: Interaction) -> None:
        await go.wait()
        await interaction.response.defer()

    await bot.begin(server)
    ask = await mira.slash(channel, "slow")
    states = [str(ask.state)]
    for step in (2_500, 500):
        clock.advance(step)
        states.append(str(ask.state))
    assert states == ["sent", "sent", "failed"]
    go.set()
    assert (await bot.refused()).code == 10062


async def test_a_second_acknowledgement_is_refused(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    @bot.tree.command(description="Eager")
    async def eager(interaction: Interaction) -> None:
        await interaction.response.send_message("once")
        again = discord.InteractionResponse(interaction)
        await again.send_message("twice")

    await bot.begin(server)
    ask = await mira.slash(channel, "eager")
    assert (await bot.refused()).code == 40060
    assert [message.text for message in mira.messages(channel)] == ["once"]
    assert (await ask.answer()).text == "once"


async def test_a_token_dies_after_fifteen_minutes(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person, clock: SandboxClock
) -> None:
    go = asyncio.Event()

    @bot.tree.command(description="Long")
    async def long(interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="still at it")
        await go.wait()
        await interaction.edit_original_response(content="done")

    await bot.begin(server)
    ask = await mira.slash(channel, "long")
    message = await ask.answer()
    clock.advance(FIFTEEN_MINUTES)
    go.set()
    refusal = await bot.refused()
    assert (refusal.status, refusal.code) == (401, 50027)
    assert message.text == "still at it"


async def test_a_follow_up_before_the_answer_has_no_webhook(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    @bot.tree.command(description="Hasty")
    async def hasty(interaction: Interaction) -> None:
        await interaction.followup.send("first?")

    await bot.begin(server)
    await mira.slash(channel, "hasty")
    assert (await bot.refused()).code == 10015


async def test_a_deferred_answer_thinks_and_then_is_filled(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    go = asyncio.Event()

    @bot.tree.command(description="Thoughtful")
    async def think(interaction: Interaction) -> None:
        await interaction.response.defer()
        await go.wait()
        await interaction.edit_original_response(content="done")

    await bot.begin(server)
    ask = await mira.slash(channel, "think")
    await ask.acknowledged()
    placeholder = ask.message
    assert placeholder is not None
    assert placeholder.loading
    with pytest.raises(TimeoutError, match="answer loading"):
        await ask.answer(timeout=0.01)
    go.set()
    message = await ask.answer()
    assert message is placeholder
    assert (message.text, message.loading, message.edited_at) == ("done", False, None)


async def test_the_first_follow_up_fills_the_placeholder_and_takes_its_visibility(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person, theo: Person
) -> None:
    @bot.tree.command(description="Means it privately")
    async def whisper(interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.followup.send("not so secret", ephemeral=True)
        await interaction.followup.send("secret", ephemeral=True)

    await bot.begin(server)
    ask = await mira.slash(channel, "whisper")
    await ask.followup()
    assert [message.text for message in theo.messages(channel)] == ["not so secret"]
    assert [message.text for message in mira.messages(channel)] == ["not so secret", "secret"]


async def test_deleting_the_placeholder_unfilled_does_not_make_the_follow_up_private(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person, theo: Person
) -> None:
    @bot.tree.command(description="Means it privately")
    async def whisper(interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.delete_original_response()
        await interaction.followup.send("not so secret", ephemeral=True)
        await interaction.followup.send("secret", ephemeral=True)

    await bot.begin(server)
    ask = await mira.slash(channel, "whisper")
    await ask.followup(1)
    assert [message.text for message in theo.messages(channel)] == ["not so secret"]


async def test_filling_the_placeholder_first_keeps_the_follow_up_private(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person, theo: Person
) -> None:
    @bot.tree.command(description="Does it right")
    async def whisper(interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="a moment")
        await interaction.followup.send("secret", ephemeral=True)
        await interaction.delete_original_response()

    await bot.begin(server)
    await mira.slash(channel, "whisper")
    await server.wait_for_request("DELETE /webhooks/*/*/messages/@original")
    assert [message.text for message in mira.messages(channel)] == ["secret"]
    assert theo.messages(channel) == []


async def test_an_ephemeral_answer_does_not_exist_on_channel_routes(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    @bot.tree.command(description="Private")
    async def whisper(interaction: Interaction) -> None:
        await interaction.response.send_message("secret", ephemeral=True)
        answer = await interaction.original_response()
        place = interaction.client.get_partial_messageable(channel.id, guild_id=channel.guild_id)
        assert [message async for message in place.history()] == []
        await place.fetch_message(answer.id)

    await bot.begin(server)
    ask = await mira.slash(channel, "whisper")
    assert (await ask.answer()).ephemeral_to == mira.user.id
    assert (await bot.refused()).code == 10008


async def test_options_arrive_as_what_they_are(
    server: DiscordServer, bot: TinyBot, channel: Channel, guild: Guild, mira: Person, theo: Person
) -> None:
    got: list[tuple[object, ...]] = []

    @bot.tree.command(description="Takes everything")
    async def everything(
        interaction: Interaction,
        text: str,
        number: app_commands.Range[int, 1, 4],
        yes: bool,
        who: discord.Member,
        where: discord.TextChannel,
        role: discord.Role,
        picture: discord.Attachment,
    ) -> None:
        got.append((text, number, yes, who.id, where.name, role.name, await picture.read()))
        assert who.get_role(role.id) is not None
        assert interaction.filesize_limit == 10 * 1024 * 1024
        assert interaction.app_permissions.attach_files
        assert interaction.permissions.send_messages
        await interaction.response.send_message("thanks")

    await bot.begin(server)
    role = server.world.role(guild, "Booster")
    options = {
        "text": "a cat",
        "number": 2,
        "yes": True,
        "who": theo.user,
        "where": channel,
        "role": role,
        "picture": "cat",
    }
    files = {"cat": UploadedFile("cat.png", b"meow")}
    await (await mira.slash(channel, "everything", options, files=files)).answer()
    assert got == [("a cat", 2, True, theo.user.id, "pictures", "Booster", b"meow")]
    for name, wrong in (("number", 5), ("number", "2"), ("yes", "yes"), ("who", 1), ("nope", 1)):
        with pytest.raises(NotPossibleError):
            await mira.slash(channel, "everything", {**options, name: wrong}, files=files)


async def test_subcommands_are_named_with_their_group(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    group = app_commands.Group(name="policy", description="Rules")

    @group.command(name="show", description="Show them")
    async def show(interaction: Interaction, kind: str = "all") -> None:
        await interaction.response.send_message(f"rules: {kind}")

    bot.tree.add_command(group)
    await bot.begin(server)
    assert (await (await mira.slash(channel, "policy show")).answer()).text == "rules: all"
    ask = await mira.slash(channel, "policy", {"kind": "money"}, subcommand="show")
    assert (await ask.answer()).text == "rules: money"
    with pytest.raises(NotPossibleError):
        await mira.slash(channel, "policy")


async def test_suggestions_follow_what_is_typed(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    @bot.tree.command(description="Make a picture")
    async def imagine(interaction: Interaction, prompt: str, model: str) -> None:
        await interaction.response.send_message(f"{prompt} by {model}")

    @imagine.autocomplete("model")
    async def models(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        prompt = interaction.namespace.prompt
        count = 26 if typed == "many" else 2
        return [
            app_commands.Choice(name=f"{typed} {prompt} {n}", value=str(n)) for n in range(count)
        ]

    await bot.begin(server)
    typed = {"prompt": "cat", "model": "flu"}
    choices = await mira.autocomplete(channel, "imagine", typed, "model")
    assert [(choice.name, choice.value) for choice in choices] == [
        ("flu cat 0", "0"),
        ("flu cat 1", "1"),
    ]
    server.acknowledge_within = 0.2
    with pytest.raises(TimeoutError, match="suggestions"):
        await mira.autocomplete(channel, "imagine", {"prompt": "cat", "model": "many"}, "model")
    with pytest.raises(NotPossibleError):
        await mira.autocomplete(channel, "imagine", {"prompt": "cat"}, "prompt")


async def test_commands_on_messages_and_users_live_in_the_apps_menu(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person, theo: Person
) -> None:
    @bot.tree.context_menu(name="Edit this")
    async def edit_this(interaction: Interaction, message: discord.Message) -> None:
        picture = message.attachments[0]
        size = len(await picture.read())
        await interaction.response.send_message(f"{message.content}: {picture.filename} {size}")

    @bot.tree.context_menu(name="Greet")
    async def greet(interaction: Interaction, member: discord.Member) -> None:
        await interaction.response.send_message(f"hello {member.display_name}", ephemeral=True)

    await bot.begin(server)
    said = await theo.say(channel, "look", files=[UploadedFile("cat.png", b"meow")])
    assert (await (await mira.apps_menu(channel, "Edit this", said)).answer()).text == (
        "look: cat.png 4"
    )
    assert (await (await mira.apps_menu(channel, "Greet", theo.user)).answer()).text == (
        "hello Theo"
    )
    with pytest.raises(NotPossibleError):
        await mira.apps_menu(channel, "Greet", said)


async def test_commands_for_admins_and_for_guilds_are_listed_accordingly(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person, ada: Person
) -> None:
    @bot.tree.command(description="For managers")
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.guild_only()
    async def budget(interaction: Interaction) -> None:
        await interaction.response.send_message("rich")

    @bot.tree.command(description="For everyone")
    async def ping(interaction: Interaction) -> None:
        await interaction.response.send_message("pong")

    await bot.begin(server)
    direct = server.world.direct_channel(mira.user)
    assert {command.name for command in ada.commands_in(channel)} == {"budget", "ping"}
    assert {command.name for command in mira.commands_in(channel)} == {"ping"}
    assert {command.name for command in mira.commands_in(direct)} == {"ping"}
    assert (await (await mira.slash(direct, "ping")).answer()).text == "pong"
    with pytest.raises(NotPossibleError):
        await mira.slash(channel, "budget")
    assert (await (await ada.slash(channel, "budget")).answer()).text == "rich"


async def test_commands_of_one_guild_stay_there(
    server: DiscordServer, bot: TinyBot, channel: Channel, guild: Guild, mira: Person
) -> None:
    here = discord.Object(guild.id)

    @bot.tree.command(description="Local", guild=here)
    async def local(interaction: Interaction) -> None:
        await interaction.response.send_message("here")

    await bot.begin(server)
    async with server.world.subscribe() as events:
        await bot.tree.sync(guild=here)
        assert events.get_nowait().guild_id == guild.id
    other = server.world.channel(server.world.guild("Night Owls"), "lobby")
    assert [command.name for command in mira.commands_in(channel)] == ["local"]
    assert mira.commands_in(other) == []
    first = await bot.tree.fetch_commands(guild=here)
    again = await bot.tree.sync(guild=here)
    assert [command.id for command in first] == [command.id for command in again]
    await first[0].delete()
    assert mira.commands_in(channel) == []


async def test_more_options_than_discord_takes_are_refused_at_sync(
    server: DiscordServer, bot: TinyBot
) -> None:
    await bot.begin(server)
    assert bot.application_id is not None
    options = [{"type": 3, "name": f"o{n}", "description": "x"} for n in range(26)]
    body = [{"name": "much", "description": "x", "options": options}]
    with pytest.raises(discord.HTTPException) as refusal:
        await bot.http.bulk_upsert_global_commands(bot.application_id, body)
    assert refusal.value.code == 50035
    unknown = [{"name": "x", "description": "x", "options": [{**options[0], "type": 12}]}]
    with pytest.raises(discord.HTTPException) as refusal:
        await bot.http.bulk_upsert_global_commands(bot.application_id, unknown)
    assert refusal.value.code == 50035


async def test_a_file_can_be_the_first_answer(
    server: DiscordServer, bot: TinyBot, channel: Channel, mira: Person
) -> None:
    @bot.tree.command(description="Send a file")
    async def file(interaction: Interaction) -> None:
        sent = discord.File(io.BytesIO(b"a,b\n1,2\n"), "report.csv", description="A report")
        await interaction.response.send_message(file=sent, ephemeral=True)

    await bot.begin(server)
    message = await (await mira.slash(channel, "file")).answer()
    attachment = message.attachments[0]
    assert (attachment.filename, attachment.data) == ("report.csv", b"a,b\n1,2\n")
    assert attachment.description == "A report"
    assert "/ephemeral-attachments/" in attachment.url
