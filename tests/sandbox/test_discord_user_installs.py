"""An application that people add to their account: where it is listed, and how it is held short."""

import discord
import pytest
from discord import app_commands

from sandbox.discord import Channel, DiscordServer, Guild, NotPossibleError, Permission, Person
from sandbox.tinybot import TinyBot

Interaction = discord.Interaction[discord.Client]


@pytest.fixture
def stranger(server: DiscordServer, mira: Person, theo: Person) -> Channel:
    """A channel of a guild that does not have the bot; Mira and Theo are in it."""
    world = server.world
    guild = world.add_guild("Lighthouse", world.user("ada"))
    for person in (mira, theo):
        world.add_member(guild, person.user)
    return world.add_channel(guild, "lamp-room")


@pytest.fixture
async def seen(bot: TinyBot, server: DiscordServer) -> list[Interaction]:
    """What the bot gets; `/carry` may be added to accounts, `/stay` belongs to guilds."""
    seen: list[Interaction] = []

    @bot.tree.command(description="Goes where its person goes")
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def carry(interaction: Interaction) -> None:
        seen.append(interaction)
        await interaction.response.defer(thinking=True)

    @bot.tree.command(description="Stays in guilds")
    @app_commands.allowed_installs(guilds=True, users=False)
    async def stay(interaction: Interaction) -> None:
        seen.append(interaction)

    await bot.begin(server)
    return seen


def names(person: Person, channel: Channel) -> list[str]:
    return sorted(command.name for command in person.commands_in(channel))


async def test_only_who_added_it_finds_it_where_the_bot_is_not(
    server: DiscordServer, seen: list[Interaction], mira: Person, theo: Person, stranger: Channel
) -> None:
    talk = server.world.private_talk(mira.user, theo.user)
    assert names(mira, stranger) == names(mira, talk) == []
    server.world.user_installs(mira.user)
    assert names(mira, stranger) == names(mira, talk) == ["carry"]
    assert names(theo, stranger) == names(theo, talk) == []
    server.world.user_uninstalls(mira.user)
    assert names(mira, stranger) == []
    with pytest.raises(NotPossibleError):
        await mira.slash(stranger, "carry")
    assert seen == []


async def test_the_bot_is_told_whose_installation_it_answers_for(
    server: DiscordServer,
    seen: list[Interaction],
    mira: Person,
    theo: Person,
    guild: Guild,
    channel: Channel,
    stranger: Channel,
) -> None:
    world = server.world
    world.user_installs(mira.user)
    for place in (
        channel,
        stranger,
        world.direct_channel(mira.user),
        world.private_talk(mira.user, theo.user),
        world.private_talk(mira.user, theo.user, world.user("ada")),
    ):
        await (await mira.slash(place, "carry")).acknowledged()
    await (await theo.slash(channel, "carry")).acknowledged()

    owners = [interaction._integration_owners for interaction in seen]
    own = {1: mira.user.id}
    assert owners == [{0: guild.id, **own}, own, {0: 0, **own}, own, own, {0: guild.id}]
    kinds = [type(interaction.channel) for interaction in seen]
    assert kinds[2:5] == [discord.DMChannel, discord.DMChannel, discord.GroupChannel]
    assert seen[1].app_permissions.attach_files
    assert not seen[1].app_permissions.view_channel


async def test_the_bot_itself_reaches_no_place_that_it_was_brought_along_to(
    server: DiscordServer, bot: TinyBot, seen: list[Interaction], mira: Person, stranger: Channel
) -> None:
    server.world.user_installs(mira.user)
    talk = server.world.private_talk(mira.user, server.world.user("theo"))
    await (await mira.slash(stranger, "carry")).acknowledged()
    for place in (stranger, talk):
        with pytest.raises(discord.Forbidden) as refused:
            await bot.get_partial_messageable(place.id).send("hello")
        assert refused.value.code == 50001
    assert len(seen) == 1


async def test_it_has_five_follow_ups_where_the_bot_is_not(
    server: DiscordServer,
    seen: list[Interaction],
    mira: Person,
    channel: Channel,
    stranger: Channel,
) -> None:
    server.world.user_installs(mira.user)
    for place in (stranger, channel):
        await (await mira.slash(place, "carry")).acknowledged()
    outside, inside = (interaction.followup for interaction in seen)
    for number in range(5):
        await outside.send(str(number))
        await inside.send(str(number))
    await inside.send("one more")
    with pytest.raises(discord.HTTPException) as refused:
        await outside.send("one more")
    assert refused.value.code == 40094


async def test_a_guild_may_have_what_people_bring_along_whispered(
    server: DiscordServer, seen: list[Interaction], mira: Person, theo: Person, stranger: Channel
) -> None:
    guild = server.world.guild("Lighthouse")
    server.world.user_installs(mira.user)
    server.world.set_overwrite(stranger, guild.roles[guild.id], deny=Permission.USE_EXTERNAL_APPS)
    await (await mira.slash(stranger, "carry")).acknowledged()
    await seen[0].followup.send("for you")
    await seen[0].followup.send("and this")
    assert [message.text for message in mira.messages(stranger)] == ["for you", "and this"]
    assert theo.messages(stranger) == []


async def test_it_can_be_kept_off_accounts_in_the_portal(
    server: DiscordServer, bot: TinyBot, mira: Person
) -> None:
    server.world.application.user_installs = False
    await bot.begin(server)
    assert (await bot.application_info()).user_integration_config is None
    with pytest.raises(ValueError, match="account"):
        server.world.user_installs(mira.user)


async def test_who_added_it_can_be_written_to_without_a_common_guild(
    server: DiscordServer, bot: TinyBot, seen: list[Interaction]
) -> None:
    world = server.world
    hermit = world.add_user("hermit")
    mail = await bot.create_dm(discord.Object(hermit.id))
    with pytest.raises(discord.Forbidden):
        await mail.send("hello")
    world.user_installs(hermit)
    await mail.send("hello")
    assert seen == []
