"""A member who spends far more than usually: told to those who manage the server, alone."""

import pytest

from sandbox.discord import Channel, Message, Person
from sandbox.house import House, pictures
from sandbox.talk import mail, make, told

LARGE = "papercut/fold-large"  # usually $0.04, at most $0.08
DAY_MS = 86_400_000
WORDS = "A member spends more than usually"

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


async def quiet_days(house: House, mira: Person, general: Channel, days: int = 5) -> None:
    """Let Mira make a picture a day."""
    for _ in range(days):
        await make(mira, general, LARGE)
        house.clock.advance(DAY_MS)


async def busy_day(house: House, mira: Person, general: Channel) -> None:
    """Let Mira make seven pictures for $0.28 at once."""
    for count in (4, 3):
        asked = {"prompt": "a gull", "model": LARGE, "count": count}
        await pictures(mira, general, await mira.slash(general, "imagine", asked))
    await house.bot.services.generation.idle()


def everywhere(house: House) -> list[Message]:
    """Every message about it that there is."""
    return [
        m for history in house.discord.world.history.values() for m in history if WORDS in m.text
    ]


async def test_it_is_told_in_the_alert_channel_once_a_day(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    await told(ada, general, "config alert-channel", channel=house.channel("workshop").id)
    await quiet_days(house, mira, general)
    await busy_day(house, mira, general)
    [message] = everywhere(house)
    assert message.channel_id == house.channel("workshop").id
    assert f"<@{mira.user.id}> has spent **$0.28** here today." in message.text
    assert "about $0.04 on a day with pictures (the median of 5 such days" in message.text
    assert not message.pinged

    await make(mira, general, LARGE)
    await house.restart_bot()
    await house.bot.services.generation.idle()
    assert len(everywhere(house)) == 1
    house.clock.advance(DAY_MS)
    await busy_day(house, mira, general)
    assert len(everywhere(house)) == 2


async def test_without_an_alert_channel_whoever_has_set_a_limit_is_told_alone(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    await told(ada, general, "quota set", per="month", amount="9")
    await quiet_days(house, mira, general)
    await busy_day(house, mira, general)
    [message] = everywhere(house)
    assert message.channel_id == mail(house, ada).id
    assert "has spent **$0.28** in Paper Boat Society today." in message.text


async def test_whoever_manages_the_server_no_more_hears_nothing_of_its_members(
    house: House, ada: Person, oskar: Person, mira: Person, theo: Person, general: Channel
) -> None:
    world, guild = house.discord.world, house.guild()
    booster = world.role(guild, "Booster")
    await told(ada, general, "config managers", role=booster.id)
    world.show_command(guild, "quota", booster)
    await told(theo, general, "quota set", per="month", amount="9")
    await quiet_days(house, mira, general)
    await busy_day(house, mira, general)
    [message] = everywhere(house)
    assert message.channel_id == mail(house, theo).id

    world.set_roles(guild, theo.user, [])
    house.clock.advance(DAY_MS)
    await busy_day(house, mira, general)
    assert [m.channel_id for m in everywhere(house)] == [message.channel_id, mail(house, oskar).id]


async def test_where_nobody_has_set_anything_the_operator_is_told(
    house: House, oskar: Person, mira: Person, general: Channel
) -> None:
    await quiet_days(house, mira, general)
    await busy_day(house, mira, general)
    [message] = everywhere(house)
    assert message.channel_id == mail(house, oskar).id


async def test_newcomers_and_those_who_always_spend_much_are_nobodys_news(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    await quiet_days(house, mira, general, days=4)
    await busy_day(house, mira, general)
    assert everywhere(house) == []
    for _ in range(5):
        await make(theo, general, "driftwood/slow-tide")
        house.clock.advance(DAY_MS)
    await busy_day(house, theo, general)
    assert everywhere(house) == []
