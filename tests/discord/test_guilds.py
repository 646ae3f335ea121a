"""The bot comes to guilds, is thrown out of them, and loses its connection: nobody notices much."""

import asyncio

from sandbox.discord import Channel, Guild, Message, Permission, Person
from sandbox.house import House, pictures

CARD = "Pictures from words"
MINUTE = 60_000


def cards(house: House, guild: Guild) -> list[tuple[str, Message]]:
    """The set-up cards in a guild, with the names of their channels."""
    history = house.discord.world.history
    return [
        (channel.name, message)
        for channel in guild.channels.values()
        for message in history[channel.id]
        if CARD in message.text
    ]


def new_guild(house: House, *channels: str) -> Guild:
    """A guild which the bot has not joined yet."""
    world = house.discord.world
    guild = world.add_guild("Lantern Club", world.user("ada"))
    world.add_member(guild, world.user("mira"))
    for name in channels:
        world.add_channel(guild, name)
    return guild


async def joined(house: House, guild: Guild) -> None:
    """Let the bot join, and wait until it has done what it does then."""
    heard = asyncio.ensure_future(house.bot.wait_for("guild_join", timeout=10))
    await asyncio.sleep(0)  # now it listens
    house.discord.world.bot_joins(guild)
    await heard


async def test_a_guild_that_the_bot_joins_gets_one_card_in_its_system_channel(
    house: House,
) -> None:
    guild = new_guild(house, "lobby", "pictures")
    await joined(house, guild)
    lobby, mira = house.channel("lobby", guild=guild.name), house.person("mira")
    await mira.wait_for(lobby, lambda m: CARD in m.text)

    assert [name for name, _ in cards(house, guild)] == ["lobby"]
    assert "/imagine" in cards(house, guild)[0][1].text


async def test_where_the_system_channel_is_closed_the_card_goes_to_the_first_open_one(
    house: House,
) -> None:
    guild = new_guild(house, "lobby", "pictures", "workshop")
    everyone = guild.roles[guild.id]
    lobby = house.channel("lobby", guild=guild.name)
    house.discord.world.set_overwrite(lobby, everyone, deny=Permission.SEND_MESSAGES)
    await joined(house, guild)
    open_one, mira = house.channel("pictures", guild=guild.name), house.person("mira")
    await mira.wait_for(open_one, lambda m: CARD in m.text)

    assert [name for name, _ in cards(house, guild)] == ["pictures"]


async def test_a_guild_in_which_the_bot_may_post_nowhere_gets_no_card_and_works_all_the_same(
    house: House,
) -> None:
    guild = new_guild(house, "lobby")
    everyone = guild.roles[guild.id]
    lobby = house.channel("lobby", guild=guild.name)
    house.discord.world.set_overwrite(lobby, everyone, deny=Permission.SEND_MESSAGES)
    await joined(house, guild)

    mira = house.person("mira")
    ask = await mira.slash(lobby, "imagine", {"prompt": "a lantern"})
    await pictures(mira, lobby, ask)
    assert cards(house, guild) == []


async def test_a_restart_greets_nobody(house: House) -> None:
    await house.restart_bot()
    mira, general = house.person("mira"), house.channel()
    await pictures(mira, general, await mira.slash(general, "imagine", {"prompt": "a boat"}))
    assert all(cards(house, guild) == [] for guild in house.discord.world.guilds.values())


async def test_thrown_out_while_it_works_the_bot_sends_the_picture_by_direct_message(
    house: House, mira: Person, general: Channel
) -> None:
    gate = house.imagerouter.faults.hold()
    await mira.slash(general, "imagine", {"prompt": "a late boat"})
    await gate.reached()
    house.discord.world.bot_leaves(house.guild())
    house.clock.advance(16 * MINUTE)

    gate.open()

    home = house.discord.world.direct_channel(mira.user)
    message = await mira.wait_for(home, lambda m: bool(m.attachments))
    assert "a late boat" in message.text


async def test_after_a_lost_connection_is_resumed_commands_work(
    house: House, mira: Person, general: Channel
) -> None:
    lost = asyncio.ensure_future(house.bot.wait_for("shard_disconnect", timeout=20))
    back = asyncio.ensure_future(house.bot.wait_for("shard_resumed", timeout=20))
    await asyncio.sleep(0)  # now they listen
    house.discord.faults.drop_gateway()
    await lost
    assert not house.bot.is_connected()
    assert house.bot.is_ready()
    await back
    assert house.bot.is_connected()

    ask = await mira.slash(general, "imagine", {"prompt": "a boat"})
    await pictures(mira, general, ask)


async def test_after_a_session_that_is_lost_for_good_commands_work(
    house: House, mira: Person, general: Channel
) -> None:
    ready = asyncio.ensure_future(house.bot.wait_for("ready", timeout=20))
    await asyncio.sleep(0)  # now it listens
    house.discord.faults.close_gateway(4009)
    await ready

    ask = await mira.slash(general, "imagine", {"prompt": "a boat"})
    await pictures(mira, general, ask)


async def test_a_picture_under_way_outlives_a_lost_connection(
    house: House, mira: Person, general: Channel
) -> None:
    gate = house.imagerouter.faults.hold()
    ask = await mira.slash(general, "imagine", {"prompt": "a boat"})
    await gate.reached()
    house.discord.faults.close_gateway(4000)
    gate.open()
    await pictures(mira, general, ask)


async def test_a_token_that_is_reset_while_the_bot_runs_ends_it_with_a_sentence(
    house: House,
) -> None:
    task = asyncio.ensure_future(house.ended())
    house.discord.faults.close_gateway(4004)
    error = await task
    assert "Discord ended the connection for good (code 4004)." in str(error)


async def test_an_unset_operator_is_the_owner_of_the_application_or_its_team(
    house: House,
) -> None:
    world = house.discord.world
    assert house.bot.services.alerts.operators == (world.application.owner.id,)

    world.application.team = [world.user("ada"), world.user("theo")]
    await house.restart_bot()

    assert set(house.bot.services.alerts.operators) == {
        world.user("ada").id,
        world.user("theo").id,
    }


async def test_the_team_is_told_what_only_the_operator_can_mend(house: House) -> None:
    world = house.discord.world
    world.application.team = [world.user("ada"), world.user("theo")]
    await house.restart_bot()
    house.imagerouter.faults.status(401, '{"error": {"message": "Invalid authorization token"}}')
    mira, general = house.person("mira"), house.channel()
    await mira.slash(general, "imagine", {"prompt": "a boat"})

    for name in ("ada", "theo"):
        person = house.person(name)
        mail = world.direct_channel(person.user)
        await person.wait_for(mail, lambda m: "ImageRouter refuses the key" in m.text)
