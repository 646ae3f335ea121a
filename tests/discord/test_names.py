"""Names of members for a chart: known ones, asked ones, and neutral ones where nobody says."""

import time

from cogs.ui.names import MOST_ASKED, names_of
from sandbox.discord import Person
from sandbox.house import House

NOBODY = 1234567890123456789


async def test_members_whom_the_bot_has_not_seen_are_asked_for(
    house: House, mira: Person, theo: Person
) -> None:
    guild = house.guild()
    found = await names_of(house.bot, guild.id, [mira.user.id, NOBODY, theo.user.id])
    assert found == {mira.user.id: "Mira", theo.user.id: "Theo"}


async def test_whoever_left_has_the_name_that_they_have_elsewhere(
    house: House, mira: Person
) -> None:
    elsewhere = 1  # a guild that the bot is not in
    assert await names_of(house.bot, elsewhere, [mira.user.id]) == {mira.user.id: "Mira"}


async def test_only_so_many_are_asked_for(house: House, mira: Person) -> None:
    asked = [*range(1, MOST_ASKED + 1), mira.user.id]
    assert await names_of(house.bot, house.guild().id, asked) == {}


async def test_nobody_waits_for_names_that_do_not_come(
    house: House, mira: Person, theo: Person
) -> None:
    gate = house.discord.faults.hold(f"GET /guilds/*/members/{theo.user.id}")
    began = time.monotonic()
    found = await names_of(house.bot, house.guild().id, [mira.user.id, theo.user.id])
    gate.open()
    assert found == {mira.user.id: "Mira"}
    assert time.monotonic() - began < 10
