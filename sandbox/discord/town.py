"""The world that a new sandbox starts with: two guilds, four people, and where they write."""

from typing import Final

from bot.clock import Clock
from sandbox.discord.permissions import Permission
from sandbox.discord.snowflakes import Snowflakes
from sandbox.discord.world import World

FIRST_GUILD: Final = "Paper Boat Society"
SECOND_GUILD: Final = "Night Owls"
THREAD: Final = "paper-boats"
"""A thread in the first guild's `pictures`."""
BOOSTER: Final = "Booster"
"""A role in the first guild."""


class _Founding:
    """A clock that stands still, so that the default world has the same ids at every start."""

    def now_ms(self) -> int:
        """2026-01-01T00:00:00Z."""
        return 1_767_225_600_000

    async def sleep_until(self, when_ms: int) -> None:
        """Nothing waits while a world is made."""


def default_world(clock: Clock) -> World:
    """Return a fresh world.

    Mira and Theo are members (Theo has the Booster role in the first guild), Ada administrates
    both guilds, Oskar operates the bot and is an ordinary member of both. The bot is in both, and
    no part of the group in which Mira, Theo and Ada talk among themselves.
    """
    world = World(_Founding())
    mira = world.add_user("mira", "Mira")
    theo = world.add_user("theo", "Theo")
    ada = world.add_user("ada", "Ada")
    oskar = world.application.owner
    for name, channels in (
        (FIRST_GUILD, ("general", "pictures", "workshop")),
        (SECOND_GUILD, ("lobby", "midnight-art", "announcements")),
    ):
        guild = world.add_guild(name, ada)
        admin = world.add_role(
            guild,
            "Admin",
            permissions=Permission.ADMINISTRATOR | Permission.MANAGE_GUILD,
            color=0xE06C4F,
        )
        world.set_roles(guild, ada, [admin])
        booster = [world.add_role(guild, BOOSTER, color=0xF47FFF)] if name == FIRST_GUILD else []
        world.add_member(guild, mira)
        world.add_member(guild, theo, roles=booster)
        world.add_member(guild, oskar)
        for channel in channels:
            world.add_channel(guild, channel)
        world.bot_joins(guild)
    for person in (mira, theo, ada, oskar):
        world.direct_channel(person)
    first = world.guild(FIRST_GUILD)
    world.add_thread(world.channel(first, "pictures"), THREAD, theo)
    world.private_talk(mira, theo, ada)
    world.clock = clock
    world.snowflakes = Snowflakes(clock)
    return world
