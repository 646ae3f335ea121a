"""The bot in somebody's account: whose rules bind it where, and how its answers arrive."""

from collections.abc import Awaitable, Callable

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Message, NotPossibleError, Permission, Person
from sandbox.house import House, button, pictures
from sandbox.talk import answered, mail, make, refused, told
from tests.discord.strangers import lighthouse

MINUTE = 60_000
LARGE = "papercut/fold-large"  # usually $0.04, at most $0.08
FOR_EVERYBODY = [
    "Add to edit tray",
    "Edit image",
    "compare",
    "edit",
    "imagine",
    "models",
    "privacy",
    "settings",
    "usage",
]
OpenHouse = Callable[..., Awaitable[House]]


@pytest.fixture
def lamp_room(house: House) -> Channel:
    """See `lighthouse`."""
    return lighthouse(house)


async def test_in_a_server_without_the_bot_it_counts_for_the_persons_own_allowance(
    house: House, mira: Person, theo: Person, lamp_room: Channel, general: Channel, books: Books
) -> None:
    message = await make(mira, lamp_room, LARGE)
    assert message in theo.messages(lamp_room)
    [charge] = books.charges()
    assert (charge["guild_id"], charge["channel_id"]) == (0, 0)

    for place in (lamp_room, mail(house, mira), house.discord.world.private_talk(mira.user)):
        shown = await told(mira, place, "usage")
        assert "$0.46 left of $0.50 a day · outside this bot's servers" in shown
        assert "this server" not in shown
    assert "$0.50 left of $0.50 a day · own" in await told(mira, general, "usage")
    assert str(lamp_room.id) not in await told(mira, lamp_room, "usage")


async def test_who_has_spent_their_allowance_is_told_of_it_there(
    house: House, mira: Person, lamp_room: Channel
) -> None:
    oskar = house.person("oskar")
    await told(oskar, mail(house, oskar), "operator budget", per="day", amount="0.05", of="dm")
    text = (await refused(mira, lamp_room, LARGE)).text
    assert "the operator's limit of $0.05 a day outside this bot's servers" in text
    assert "Only the operator of this bot can raise it." in text


async def test_where_the_server_has_the_bot_its_rules_bind_who_brought_it_along_too(
    house: House, ada: Person, mira: Person, general: Channel, books: Books
) -> None:
    house.discord.world.user_installs(mira.user)
    await told(ada, general, "quota set", per="day", amount="0.05", member=mira.user)
    assert "your own limit of $0.05 a day" in (await refused(mira, general, LARGE)).text
    await told(ada, general, "quota block", member=mira.user)
    assert "can't make pictures in this server" in (await refused(mira, general, LARGE)).text
    assert books.charges() == []


async def test_a_button_brought_along_binds_to_the_server_once_that_has_the_bot(
    house: House, mira: Person, lamp_room: Channel, books: Books
) -> None:
    message = await make(mira, lamp_room, LARGE)
    guild = house.discord.world.guild("Lighthouse")
    house.discord.world.bot_joins(guild)
    await mira.wait_for(lamp_room, lambda m: "/setup" in m.text or "/imagine" in m.text)

    ask = await mira.click(message, button(message, "Again"))
    await pictures(mira, lamp_room, ask)
    assert [charge["guild_id"] for charge in books.charges()] == [0, guild.id]


async def test_whoever_clicks_on_what_another_brought_along_pays_with_their_own_allowance(
    mira: Person, theo: Person, lamp_room: Channel, books: Books
) -> None:
    message = await make(mira, lamp_room, LARGE)
    await pictures(theo, lamp_room, await theo.click(message, button(message, "Again")))
    assert [c["user_id"] for c in books.charges()] == [mira.user.id, theo.user.id]
    assert [c["guild_id"] for c in books.charges()] == [0, 0]


async def test_by_default_it_is_off_and_kindly_so(open_house: OpenHouse) -> None:
    house = await open_house(DEFAULT_DM_DAILY_USD="0")
    mira, place = house.person("mira"), lighthouse(house)
    text = (await refused(mira, place, LARGE)).text
    assert "Pictures are off here" in text
    assert "Free models still work; for the others, go to a server that has it." in text
    shown = await told(mira, place, "usage")
    assert "Only free models work here" in shown
    assert "$0.00 a day" not in shown
    assert (await make(mira, place, "test/test")).attachments  # what is free stays so


async def test_a_late_picture_comes_by_direct_message_where_the_bot_can_not_post(
    house: House, mira: Person, theo: Person, lamp_room: Channel, books: Books
) -> None:
    talk = house.discord.world.private_talk(mira.user, theo.user)
    home = mail(house, mira)
    came: list[Message] = []
    for count, place in enumerate((lamp_room, talk), start=1):
        gate = house.imagerouter.faults.hold()
        await mira.slash(place, "imagine", {"prompt": f"slow boat {count}"})
        await gate.reached()
        house.clock.advance(13 * MINUTE + 40_000)
        await mira.wait_for(place, lambda m: "still works" in m.text)
        house.clock.advance(2 * MINUTE)
        gate.open()
        message = await mira.wait_for(home, lambda m: bool(m.attachments) and m not in came)
        came.append(message)
        assert f"slow boat {count}" in message.text
        assert not any(m.attachments for m in mira.messages(place))
    await house.bot.services.generation.idle()
    assert [job["delivery"] for job in books.rows("SELECT * FROM job")] == ["delivered"] * 2


async def test_a_late_picture_that_can_not_be_brought_anywhere_is_paid_and_recorded(
    house: House, mira: Person, lamp_room: Channel, books: Books
) -> None:
    house.discord.world.close_dms(mira.user)
    gate = house.imagerouter.faults.hold()
    await mira.slash(lamp_room, "imagine", {"prompt": "a slow boat"})
    await gate.reached()
    house.clock.advance(16 * MINUTE)
    gate.open()
    await house.bot.services.generation.idle()
    assert [job["delivery"] for job in books.rows("SELECT * FROM job")] == ["undeliverable"]
    assert [charge["state"] for charge in books.charges()] == ["settled"]


async def test_where_a_server_has_it_whispered_picture_and_refusal_reach_the_person(
    house: House, mira: Person, theo: Person, lamp_room: Channel
) -> None:
    guild = house.discord.world.guild("Lighthouse")
    everyone = guild.roles[guild.id]
    house.discord.world.set_overwrite(lamp_room, everyone, deny=Permission.USE_EXTERNAL_APPS)
    message = await make(mira, lamp_room, LARGE)
    assert message.ephemeral_to == mira.user.id
    assert "no model" in (await refused(mira, lamp_room, "nobody/nothing")).text
    assert theo.messages(lamp_room) == []
    await (await mira.click(message, button(message, "Delete"))).acknowledged()
    await mira.wait_for(lamp_room, lambda _: message.deleted)


async def test_commands_of_servers_do_not_come_along(mira: Person, lamp_room: Channel) -> None:
    assert sorted(c.name for c in mira.commands_in(lamp_room)) == FOR_EVERYBODY
    with pytest.raises(NotPossibleError):
        await mira.slash(lamp_room, "quota show")


async def test_nothing_is_offered_to_accounts_where_the_application_is_not_set_up_for_it(
    servers: House,
) -> None:
    world = servers.discord.world
    world.application.user_installs = False
    await servers.start_bot()
    kinds = [command["integration_types"] for command in world.commands[None].values()]
    assert kinds
    assert all(kind == [0] for kind in kinds)

    world.application.user_installs = True
    await servers.restart_bot()
    mira = servers.person("mira")
    answer = await answered(mira, mail(servers, mira), "usage")
    assert "What is left" in answer.text
    both = [c["name"] for c in world.commands[None].values() if c["integration_types"] == [0, 1]]
    assert sorted(both) == FOR_EVERYBODY
