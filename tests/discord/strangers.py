"""A server that does not have the bot, and who brings it along."""

from sandbox.discord import Channel
from sandbox.house import House


def lighthouse(house: House) -> Channel:
    """A channel of a server that does not have the bot; Mira, who has it, and Theo are in it."""
    world = house.discord.world
    guild = world.add_guild("Lighthouse", world.user("ada"))
    for name in ("mira", "theo"):
        world.add_member(guild, world.user(name))
    world.user_installs(world.user("mira"))
    return world.add_channel(guild, "lamp-room")
