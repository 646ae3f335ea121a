"""A server that the bot joins sees one card, where the bot may post."""

from sandbox.discord import Guild, Message, Permission
from sandbox.house import House


def new_guild(house: House, *channels: str) -> Guild:
    """A server of Ada's without the bot."""
    world = house.discord.world
    guild = world.add_guild("Kite Club", world.user("ada"))
    for name in channels:
        world.add_channel(guild, name)
    return guild


def posts(house: House, guild: Guild) -> list[Message]:
    """Everything in a server's channels, as its owner sees it."""
    ada = house.person("ada")
    return [message for channel in guild.channels.values() for message in ada.messages(channel)]


async def test_a_new_server_gets_one_card_that_says_how_to_begin(house: House) -> None:
    guild = new_guild(house, "kites", "strings")
    house.discord.world.bot_joins(guild)
    kites = next(channel for channel in guild.channels.values() if channel.name == "kites")
    card = await house.person("ada").wait_for(kites, lambda m: "/imagine" in m.text)

    assert posts(house, guild) == [card]
    assert "**Do you manage this server?** `/setup`" in card.text
    assert not any((card.pinged, card.pinged_everyone))


async def test_the_card_goes_where_the_bot_may_post(house: House) -> None:
    guild = new_guild(house, "readonly", "kites")
    readonly, kites = guild.channels.values()
    everyone = guild.roles[guild.id]
    house.discord.world.set_overwrite(readonly, everyone, deny=Permission.SEND_MESSAGES)
    house.discord.world.bot_joins(guild)

    await house.person("ada").wait_for(kites, lambda m: "/imagine" in m.text)


async def test_a_server_in_which_the_bot_may_post_nowhere_is_left_in_peace(house: House) -> None:
    guild = new_guild(house, "readonly")
    [readonly] = guild.channels.values()
    everyone = guild.roles[guild.id]
    house.discord.world.set_overwrite(readonly, everyone, deny=Permission.SEND_MESSAGES)
    other = new_guild(house, "kites")
    house.discord.world.bot_joins(guild)
    house.discord.world.bot_joins(other)
    [kites] = other.channels.values()
    await house.person("ada").wait_for(kites, lambda m: "/imagine" in m.text)

    assert posts(house, guild) == []


async def test_a_restart_greets_nobody_again(house: House) -> None:
    guild = new_guild(house, "kites")
    house.discord.world.bot_joins(guild)
    [kites] = guild.channels.values()
    await house.person("ada").wait_for(kites, lambda m: "/imagine" in m.text)
    await house.restart_bot()
    ask = await house.person("ada").slash(kites, "usage")
    await ask.answer()

    assert sum("Type `/imagine` and say" in message.text for message in posts(house, guild)) == 1
    assert not any("Type `/imagine` and say" in m.text for m in posts(house, house.guild()))
