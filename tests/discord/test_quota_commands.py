"""/quota: limits and what they come to, grants and blocks, for those who manage a server."""

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Permission, Person
from sandbox.discord.client import NotPossibleError
from sandbox.house import House
from sandbox.talk import answered, mail, make, refused, told

LARGE = "papercut/fold-large"  # usually $0.04, at most $0.08
MINI = "papercut/fold-mini"

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


# What a limit comes to


async def test_a_budget_above_the_operators_says_which_one_binds_and_who_raises_it(
    ada: Person, general: Channel
) -> None:
    text = await told(ada, general, "quota set", per="month", amount="50")

    assert "**$50.00 a month** · everybody in this server together." in text
    assert "But the operator's limit of $10.00 a month for this server ends first" in text
    assert "Only the operator of this bot can raise it." in text
    assert "$10.00 a month at $0.50 a day: **20** full member-days" in text


async def test_a_budget_that_binds_says_how_many_full_member_days_it_holds(
    house: House, ada: Person, oskar: Person, general: Channel
) -> None:
    home, server = mail(house, oskar), str(general.guild_id)
    await told(oskar, home, "operator guild", per="month", amount="100", server=server)
    await told(oskar, home, "operator budget", per="month", amount="500")
    text = await told(ada, general, "quota set", per="month", amount="$50")

    assert "This is what binds: nothing tighter is set." in text
    assert "$50.00 a month at $0.50 a day: **100** full member-days" in text


async def test_a_member_limit_above_the_pools_says_that_the_pool_ends_first(
    ada: Person, general: Channel
) -> None:
    await told(ada, general, "quota set", per="month", amount="2")
    text = await told(ada, general, "quota set", per="day", amount="5", each_member=True)

    assert "**$5.00 a day** · each member." in text
    assert "But this server's limit of $2.00 a month ends first" in text
    assert "An admin of this server can raise it." in text
    assert "$2.00 a month at $5.00 a day: **0** full member-days" in text


async def test_a_button_adds_a_limit_for_the_day_to_a_pool(
    ada: Person, mira: Person, theo: Person, general: Channel
) -> None:
    message = await answered(ada, general, "quota set", per="month", amount="3")
    [button] = message.buttons
    assert button.label == "Add a limit of $0.10 a day for everybody together"

    modal = await (await ada.click(message, button.custom_id or "")).form()
    assert modal.title == "Everybody in this server together"
    shown = await (await ada.submit(modal, {"amount": "$0.10"})).answer()

    assert shown is message
    assert "**$0.10 a day** · everybody in this server together." in shown.text
    assert shown.buttons == []
    await make(mira, general, LARGE)
    assert "this server's limit of $0.10 a day" in (await refused(theo, general, LARGE)).text


async def test_a_limit_is_changed_shown_with_what_it_was_and_removed(
    ada: Person, general: Channel
) -> None:
    await told(ada, general, "quota set", per="day", amount="1", each_member=True)
    changed = await told(ada, general, "quota set", per="day", amount="2", each_member=True)
    same = await told(ada, general, "quota set", per="day", amount="2", each_member=True)
    removed = await told(ada, general, "quota set", per="day", each_member=True)
    again = await told(ada, general, "quota set", per="day", each_member=True)

    assert "It was $1.00." in changed
    assert "Nothing has changed." in same
    assert "No limit of its own any more" in removed
    assert "Now $0.50 a day holds instead." in removed
    assert "Nothing was set" in again


async def test_everyone_is_each_member(house: House, ada: Person, general: Channel) -> None:
    guild = house.guild()
    everyone = guild.roles[guild.id]
    text = await told(ada, general, "quota set", per="day", amount="2", role=everyone)
    assert "**$2.00 a day** · each member." in text


async def test_a_price_says_how_many_models_it_leaves(
    ada: Person, mira: Person, general: Channel
) -> None:
    text = await told(ada, general, "quota set", per="image", amount="0.01", channel=general)

    assert "**$0.01 for one picture** · in " in text
    assert " models cost no more; the others are refused." in text
    assert "too dear here" in (await refused(mira, general, LARGE)).text
    await make(mira, general, MINI)


async def test_an_override_of_a_member_knows_what_they_spent_before_it(
    ada: Person, mira: Person, general: Channel
) -> None:
    await make(mira, general, LARGE)
    text = await told(ada, general, "quota set", per="day", amount="0.06", member=mira.user)

    assert f"**$0.06 a day** · <@{mira.user.id}>." in text
    assert "$0.04 of it is used already, and a new one begins <t:" in text
    assert "your own limit of $0.06 a day" in (await refused(mira, general, LARGE)).text


@pytest.mark.parametrize(
    "typed", ["1,000", "0,50", "50 cents", "-1", "1e3", "٣", "0.0000001", "99999999999", "NaN"]
)
async def test_an_amount_that_can_be_read_in_two_ways_or_none_is_refused(
    ada: Person, general: Channel, books: Books, typed: str
) -> None:
    text = await told(ada, general, "quota set", per="day", amount=typed)
    assert "`amount` can't be used like that" in text
    assert "an amount in US dollars with a point, such as 0.50 or $12" in text
    assert books.rows("SELECT * FROM spending_rule") == []


async def test_only_one_can_be_named_at_a_time(
    house: House, ada: Person, mira: Person, general: Channel, books: Books
) -> None:
    text = await told(
        ada, general, "quota set", per="day", amount="1", member=mira.user, channel=general
    )
    assert "one at a time" in text
    text = await told(
        ada, general, "quota set", per="day", amount="1", member=house.discord.world.bot
    )
    assert "bots make no pictures" in text
    assert books.rows("SELECT * FROM spending_rule") == []


# What is shown


async def test_show_tells_every_limit_what_is_left_which_binds_and_spends_nothing(
    ada: Person, mira: Person, general: Channel, books: Books
) -> None:
    await told(ada, general, "quota set", per="day", amount="0.10", each_member=True)
    await told(ada, general, "quota set", per="week", amount="1", channel=general)
    await make(mira, general, LARGE)
    before = books.rows("SELECT * FROM bucket")
    text = await told(ada, general, "quota show", member=mira.user, model=LARGE)

    assert f"<@{mira.user.id}> in <#{general.id}>" in text
    assert "`██████░░░░` $0.06 left of $0.10 a day · own · new <t:" in text
    assert "$0.96 left of $1.00 a week · this channel · new <t:" in text
    assert "$9.96 left of $10.00 a month · this server, by the operator" in text
    assert "$24.96 left of $25.00 a month · everybody, by the operator" in text
    assert "3 of 3 jobs may still be started at once" in text
    assert "**Their own limit of $0.10 a day** stands in the way." in text
    assert "costs at most $0.08, so it would be refused now. Nothing was spent." in text
    assert "- **$0.10 a day** each member" in text
    assert f"- **$1.00 a week** everybody in <#{general.id}> together" in text
    assert books.rows("SELECT * FROM bucket") == before
    cheap = await told(ada, general, "quota show", member=mira.user, model=MINI)
    assert "so it could be made now" in cheap


async def test_show_knows_no_model_of_that_name(ada: Person, general: Channel) -> None:
    assert "No such model" in await told(ada, general, "quota show", model="nobody/nothing")


async def test_models_complete_themselves(ada: Person, general: Channel) -> None:
    found = await ada.autocomplete(general, "quota show", {"model": "fold-large"}, "model")
    assert LARGE in [choice.value for choice in found]


# Grants and blocks


async def test_a_grant_adds_to_the_windows_that_run_and_keeps_its_reason(
    house: House, ada: Person, mira: Person, general: Channel, books: Books
) -> None:
    await told(ada, general, "quota set", per="day", amount="0.05", each_member=True)
    assert "your own limit" in (await refused(mira, general, LARGE)).text
    reason = "**birthday** @everyone"
    text = await told(ada, general, "quota grant", member=mira.user, amount="1", reason=reason)

    assert "has $1.00 extra: \\*\\*birthday\\*\\* \\@everyone" in text
    assert "$1.05 left of $1.05 a day · own, with $1.00 extra" in text
    [row] = books.rows("SELECT * FROM spending_grant")
    assert (row["reason"], row["amount"]) == (reason, 1_000_000)
    await make(mira, general, LARGE)
    house.clock.advance(86_400_000)
    assert "your own limit of $0.05 a day" in (await refused(mira, general, LARGE)).text


async def test_a_grant_of_nothing_is_refused(ada: Person, mira: Person, general: Channel) -> None:
    text = await told(ada, general, "quota grant", member=mira.user, amount="0", reason="x")
    assert "It takes more than 0." in text


async def test_a_block_holds_in_that_server_only_outlives_a_restart_and_is_lifted(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    lobby = house.channel("lobby", guild="Night Owls")
    text = await told(ada, general, "quota block", member=mira.user, reason="spam `code`")
    assert "makes no new pictures in this server: spam" in text
    assert "already" in await told(ada, general, "quota block", member=mira.user)
    await house.restart_bot()

    words = (await refused(mira, general, LARGE)).text
    assert "An admin has blocked you here" in words
    assert "spam" in words
    await make(mira, lobby, LARGE)
    assert f":R>: <@{mira.user.id}>" in await told(ada, general, "quota show")

    # An admin elsewhere says nothing about this server.
    other = await told(ada, lobby, "quota block", member=mira.user, state="off")
    assert "is not blocked in this server" in other
    assert "An admin has blocked you here" in (await refused(mira, general, LARGE)).text
    assert "Unblocked" in await told(ada, general, "quota block", member=mira.user, state="off")
    await make(mira, general, LARGE)


async def test_rules_of_one_server_are_not_those_of_another(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    lobby = house.channel("lobby", guild="Night Owls")
    await told(ada, general, "quota set", per="day", amount="0", each_member=True)
    assert "your own limit of $0.00 a day" in (await refused(mira, general, LARGE)).text
    await make(mira, lobby, LARGE)
    assert "Nothing: the bot's own defaults hold." in await told(ada, lobby, "quota show")


# Who may


async def test_discord_shows_the_commands_to_those_who_manage_the_server_only(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    def names(person: Person) -> set[str]:
        return {command.name for command in person.commands_in(general)}

    admins = {"setup", "quota", "config", "operator"}
    assert admins <= names(ada)
    assert admins.isdisjoint(names(mira))
    guild = house.guild()
    keeper = house.discord.world.add_role(guild, "Keeper", permissions=Permission.MANAGE_GUILD)
    house.discord.world.set_roles(guild, mira.user, [keeper])
    assert admins & names(mira) == {"setup", "quota", "config"}
    with pytest.raises(NotPossibleError):
        await mira.slash(house.discord.world.direct_channel(mira.user), "quota show")


async def test_whom_an_admin_shows_a_command_to_is_checked_again_by_the_bot(
    house: House, ada: Person, mira: Person, general: Channel, books: Books
) -> None:
    guild, world = house.guild(), house.discord.world
    painters = world.add_role(guild, "Painters")
    world.set_roles(guild, mira.user, [painters])
    for name in ("quota", "setup", "config"):
        world.show_command(guild, name, painters)

    assert "**Manage Server**" in await told(mira, general, "quota set", per="day", amount="99")
    assert "**Manage Server**" in await told(mira, general, "quota show")
    assert "**Manage Server**" in await told(mira, general, "setup")
    assert books.rows("SELECT * FROM spending_rule") == []

    text = await told(ada, general, "config managers", role=painters)
    assert "Integrations" in text
    assert "### Set" in await told(mira, general, "quota set", per="day", amount="9")
    # Managers may not hand it on.
    assert "**Manage Server**" in await told(mira, general, "config managers", role=painters)
    await told(ada, general, "config managers")
    assert "**Manage Server**" in await told(mira, general, "quota set", per="day", amount="99")
