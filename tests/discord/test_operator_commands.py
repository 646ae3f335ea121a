"""/operator: budgets that no admin can raise, for the operator only."""

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Person
from sandbox.house import House
from sandbox.talk import mail, make, refused, told

LARGE = "papercut/fold-large"  # usually $0.04, at most $0.08

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


@pytest.fixture
def home(house: House, oskar: Person) -> Channel:
    """The operator's direct messages with the bot."""
    return mail(house, oskar)


async def test_a_servers_budget_binds_its_admins_and_they_cannot_raise_it(
    ada: Person, oskar: Person, mira: Person, home: Channel, general: Channel
) -> None:
    server = str(general.guild_id)
    text = await told(oskar, home, "operator guild", per="month", amount="0.10", server=server)
    assert "**$0.10 a month** · everybody in the server together." in text
    text = await told(ada, general, "quota set", per="month", amount="1000")
    assert "But the operator's limit of $0.10 a month for this server ends first" in text

    await make(mira, general, LARGE)
    words = (await refused(ada, general, LARGE)).text
    assert "the operator's limit of $0.10 a month for this server" in words
    assert "Only the operator of this bot can raise it." in words


async def test_the_default_budget_holds_where_a_server_has_none_of_its_own(
    house: House, oskar: Person, mira: Person, home: Channel, general: Channel
) -> None:
    server = str(general.guild_id)
    await told(oskar, home, "operator guild", per="month", amount="1", server=server)
    text = await told(oskar, home, "operator guild", per="month", amount="0.05")
    assert "**$0.05 a month** · each server without a budget of its own." in text

    await make(mira, general, LARGE)
    lobby = house.channel("lobby", guild="Night Owls")
    assert "the operator's limit of $0.05 a month" in (await refused(mira, lobby, LARGE)).text


async def test_a_person_is_limited_over_all_servers_and_direct_messages(
    house: House, oskar: Person, mira: Person, theo: Person, home: Channel, general: Channel
) -> None:
    text = await told(oskar, home, "operator person", person=mira.user, per="day", amount="0.10")
    assert f"**$0.10 a day** · <@{mira.user.id}>, everywhere." in text
    await make(mira, general, LARGE)
    lobby = house.channel("lobby", guild="Night Owls")
    for place in (lobby, mail(house, mira)):
        assert (
            "the operator's limit of $0.10 a day for you"
            in (await refused(mira, place, LARGE)).text
        )
    await make(theo, general, LARGE)


async def test_the_budget_of_everybody_and_that_of_direct_messages(
    house: House, oskar: Person, mira: Person, theo: Person, home: Channel, general: Channel
) -> None:
    text = await told(oskar, home, "operator budget", per="day", amount="0", of="dm")
    assert "**$0.00 a day** · each person outside this bot's servers." in text
    words = (await refused(mira, mail(house, mira), LARGE)).text
    assert "Pictures are off here" in words

    text = await told(oskar, home, "operator budget", per="month", amount="0.10")
    assert "**$0.10 a month** · everybody everywhere together." in text
    await make(mira, general, LARGE)
    lobby = house.channel("lobby", guild="Night Owls")
    words = (await refused(theo, lobby, LARGE)).text
    assert "the operator's limit of $0.10 a month for everybody together" in words
    removed = await told(oskar, home, "operator budget", per="month")
    assert "Now $25.00 a month holds instead." in removed


async def test_a_pause_stops_everything_outlives_a_restart_and_admins_cannot_end_it(
    house: House, ada: Person, oskar: Person, mira: Person, home: Channel, general: Channel
) -> None:
    assert "### Paused" in await told(oskar, home, "operator pause")
    await house.restart_bot()
    assert "**Paused everywhere.**" in await told(oskar, home, "operator status")
    assert "paused them everywhere" in (await refused(mira, general, LARGE)).text
    await told(ada, general, "config pause", state="off")
    assert "paused them everywhere" in (await refused(mira, general, LARGE)).text

    assert "### Going on" in await told(oskar, home, "operator resume")
    assert "### Not paused" in await told(oskar, home, "operator resume")
    await make(mira, general, LARGE)


async def test_status_tells_what_is_spent_and_what_is_set(
    oskar: Person, mira: Person, home: Channel, general: Channel
) -> None:
    await told(oskar, home, "operator person", person=mira.user, per="day", amount="0.20")
    await make(mira, general, LARGE)
    text = await told(oskar, home, "operator status")

    assert "Easel in 2 servers" in text
    assert "Spent $0.04 today and $0.04 this month (UTC); $0.00 is set aside." in text
    assert "$24.96 left of $25.00 a month" in text
    assert "**Paper Boat Society** $0.04 of $10.00" in text
    assert "**Night Owls** $0.00 of $10.00" in text
    assert f"- **$0.20 a day** <@{mira.user.id}>, everywhere" in text
    assert "ImageRouter: $24.96 of credits are left." in text


async def test_status_answers_while_imagerouter_is_down(
    house: House, oskar: Person, home: Channel
) -> None:
    await house.imagerouter.__aexit__(None, None, None)
    assert "can't be reached just now" in await told(oskar, home, "operator status")


async def test_a_block_of_a_server_is_lifted_by_the_operator(
    ada: Person, oskar: Person, mira: Person, home: Channel, general: Channel
) -> None:
    await told(ada, general, "quota block", member=mira.user)
    server = str(general.guild_id)
    text = await told(oskar, home, "operator unblock", server=server, person=mira.user)
    assert "may make pictures in **Paper Boat Society** again" in text
    await make(mira, general, LARGE)
    text = await told(oskar, home, "operator unblock", server=server, person=mira.user)
    assert "is not blocked in **Paper Boat Society**" in text


async def test_servers_complete_themselves_for_the_operator_and_for_nobody_else(
    house: House, ada: Person, oskar: Person, mira: Person, home: Channel, general: Channel
) -> None:
    async def offered(person: Person, channel: Channel) -> list[object]:
        found = await person.autocomplete(channel, "operator guild", {"server": "pap"}, "server")
        return [choice.value for choice in found]

    assert await offered(oskar, home) == [str(general.guild_id)]
    assert await offered(ada, general) == []
    assert await offered(mira, mail(house, mira)) == []


@pytest.mark.parametrize("server", ["Paper Boat Society", "0", "-1", "9" * 20, "١٢"])
async def test_what_is_no_server_is_refused(oskar: Person, home: Channel, server: str) -> None:
    text = await told(oskar, home, "operator guild", per="month", amount="1", server=server)
    assert "`server` can't be used like that" in text


async def test_whoever_is_no_operator_is_refused_privately_even_as_an_admin(
    house: House, ada: Person, mira: Person, general: Channel, books: Books
) -> None:
    owner = "the operator of this bot, who pays"
    server = str(general.guild_id)
    assert "operator" not in {command.name for command in mira.commands_in(general)}
    asked: list[tuple[str, dict[str, object]]] = [
        ("guild", {"per": "month", "amount": "999", "server": server}),
        ("person", {"per": "day", "amount": "999", "person": mira.user}),
        ("budget", {"per": "month", "amount": "999"}),
        ("status", {}),
        ("pause", {}),
        ("resume", {}),
        ("unblock", {"server": server, "person": mira.user}),
    ]
    for name, options in asked:
        for person, place in ((ada, general), (mira, mail(house, mira))):
            text = await told(person, place, f"operator {name}", **options)
            assert owner in text
            assert "$" not in text
    assert books.rows("SELECT * FROM spending_rule") == []
    assert books.rows("SELECT * FROM guild WHERE paused_at IS NOT NULL") == []
