"""/setup: one private panel with everything for the first hour."""

from dataclasses import replace

import pytest

from bot.money import MICROS_PER_USD
from sandbox.books import Books
from sandbox.discord import Channel, Message, Modal, Permission, Person
from sandbox.house import House
from sandbox.talk import answered, make, refused, told

LARGE = "papercut/fold-large"  # at most $0.08

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


async def open_form(person: Person, panel: Message, custom_id: str) -> Modal:
    """The form behind a button of the panel, by how its id begins."""
    ids = [button.custom_id or "" for button in panel.buttons]
    [found] = [known for known in ids if known.startswith(custom_id)]
    return await (await person.click(panel, found)).form()


async def type_amount(person: Person, modal: Modal, amount: str) -> Message:
    """Send a form."""
    return await (await person.submit(modal, {"amount": amount})).answer()


def rules(books: Books) -> set[tuple[object, object, object]]:
    """What is set: for whom, which window, how many micro-USD."""
    rows = books.rows("SELECT scope, period, amount FROM spending_rule")
    return {(row["scope"], row["period"], row["amount"]) for row in rows}


async def test_it_says_what_holds_before_anything_is_set(ada: Person, general: Channel) -> None:
    panel = await answered(ada, general, "setup")

    assert "**Server budget:** not set, so the operator's $10.00 a month" in panel.text
    assert "**Each member:** $0.50 a day, which is the bot's own default" in panel.text
    assert "The budget holds 20 full member-days." in panel.text
    assert "**Time zone:** UTC" in panel.text
    assert "**Alerts:** by direct message to whoever set the budget" in panel.text


async def test_everything_is_set_in_one_panel_that_shows_it_at_once(
    house: House, ada: Person, general: Channel, books: Books
) -> None:
    guild, art = house.guild(), house.channel("pictures")
    booster = house.discord.world.role(guild, "Booster")
    panel = await answered(ada, general, "setup")

    await type_amount(ada, await open_form(ada, panel, "setup:budget:guild"), "8")
    await type_amount(ada, await open_form(ada, panel, "setup:budget:default"), "0.40")
    await type_amount(ada, await (await ada.choose(panel, "setup:role", [booster])).form(), "$1")
    await type_amount(ada, await (await ada.choose(panel, "setup:price", [art])).form(), "0.01")
    await (await ada.choose(panel, "setup:zone", ["Europe/Berlin"])).answer()
    shown = await (await ada.choose(panel, "setup:alerts", [general])).answer()

    assert shown is panel
    assert "**Server budget:** $8.00 a month" in panel.text
    assert "**Each member:** $0.40 a day" in panel.text
    assert "The budget holds 20 full member-days." in panel.text
    assert f"**$1.00 a day** each holder of <@&{booster.id}>" in panel.text
    assert f"**$0.01 for one picture** in <#{art.id}>" in panel.text
    assert "**Time zone:** Europe/Berlin" in panel.text
    assert f"**Alerts:** <#{general.id}>" in panel.text
    assert rules(books) == {
        ("guild", "month", 8 * MICROS_PER_USD),
        ("default", "day", 400_000),
        ("role", "day", MICROS_PER_USD),
        ("channel", "image", 10_000),
    }
    assert [m.id for m in ada.messages(general)] == [panel.id]


async def test_a_budget_above_the_operators_says_so(ada: Person, general: Channel) -> None:
    panel = await answered(ada, general, "setup")
    await type_amount(ada, await open_form(ada, panel, "setup:budget:guild"), "50")
    assert "the operator allows $10.00 a month, and that binds" in panel.text


async def test_an_empty_amount_removes_and_no_channel_means_direct_messages(
    ada: Person, general: Channel, books: Books
) -> None:
    panel = await answered(ada, general, "setup")
    await type_amount(ada, await open_form(ada, panel, "setup:budget:guild"), "8")
    await type_amount(ada, await open_form(ada, panel, "setup:budget:guild"), "")
    await (await ada.choose(panel, "setup:alerts", [general])).answer()
    await (await ada.choose(panel, "setup:alerts", [])).answer()

    assert rules(books) == set()
    assert "**Server budget:** not set" in panel.text
    assert "**Alerts:** by direct message" in panel.text


async def test_a_form_begins_with_what_is_set_so_that_sending_it_changes_nothing(
    ada: Person, general: Channel, books: Books
) -> None:
    panel = await answered(ada, general, "setup")
    await type_amount(ada, await open_form(ada, panel, "setup:budget:guild"), "1250.50")
    modal = await open_form(ada, panel, "setup:budget:guild")
    begins = modal.components[0]["component"]["value"]
    assert begins == "$1250.50"
    await type_amount(ada, modal, begins)
    assert rules(books) == {("guild", "month", 1_250_500_000)}


async def test_what_is_no_amount_is_explained_beside_the_panel_which_stays(
    ada: Person, general: Channel, books: Books
) -> None:
    panel = await answered(ada, general, "setup")
    modal = await open_form(ada, panel, "setup:budget:guild")
    words = await (await ada.submit(modal, {"amount": "a lot"})).followup()

    assert words.ephemeral_to == ada.user.id
    assert "`amount` can't be used like that" in words.text
    assert "Set up pictures" in panel.text
    assert rules(books) == set()


async def test_the_panel_and_a_form_that_is_open_work_after_a_restart(
    house: House, ada: Person, general: Channel, books: Books
) -> None:
    panel = await answered(ada, general, "setup")
    modal = await open_form(ada, panel, "setup:budget:default")
    await house.restart_bot()

    await type_amount(ada, modal, "0.30")
    assert "**Each member:** $0.30 a day" in panel.text
    await (await ada.choose(panel, "setup:zone", ["Asia/Tokyo"])).answer()
    assert "**Time zone:** Asia/Tokyo" in panel.text
    await type_amount(ada, await open_form(ada, panel, "setup:budget:guild"), "9")
    assert rules(books) == {("default", "day", 300_000), ("guild", "month", 9_000_000)}


async def test_who_has_lost_manage_server_since_changes_nothing_any_more(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    world, guild = house.discord.world, house.guild()
    keeper = world.add_role(guild, "Keeper", permissions=Permission.MANAGE_GUILD)
    world.set_roles(guild, mira.user, [keeper])
    panel = await answered(mira, general, "setup")
    modal = await open_form(mira, panel, "setup:budget:guild")
    world.set_roles(guild, mira.user, [])

    words = await (await mira.submit(modal, {"amount": "99"})).followup()
    assert "**Manage Server**" in words.text
    words = await (await mira.choose(panel, "setup:zone", ["Asia/Tokyo"])).followup()
    assert "**Manage Server**" in words.text
    assert rules(books) == set()
    assert books.rows("SELECT * FROM guild_zone") == []


async def test_everyone_in_the_role_menu_is_each_member(
    house: House, ada: Person, general: Channel, books: Books
) -> None:
    guild = house.guild()
    panel = await answered(ada, general, "setup")
    chosen = await ada.choose(panel, "setup:role", [guild.roles[guild.id]])
    await type_amount(ada, await chosen.form(), "0.20")
    assert rules(books) == {("default", "day", 200_000)}


async def test_a_channel_in_which_the_bot_may_not_post_is_pointed_out(
    house: House, ada: Person, general: Channel
) -> None:
    guild, quiet = house.guild(), house.channel("workshop")
    house.discord.world.set_overwrite(quiet, guild.roles[guild.id], deny=Permission.SEND_MESSAGES)
    panel = await answered(ada, general, "setup")
    await (await ada.choose(panel, "setup:alerts", [quiet])).answer()
    assert "The bot may not post there" in panel.text


async def test_an_amount_of_zero_is_a_limit(ada: Person, mira: Person, general: Channel) -> None:
    panel = await answered(ada, general, "setup")
    await type_amount(ada, await open_form(ada, panel, "setup:budget:default"), "0")
    assert "**Each member:** $0.00 a day" in panel.text
    assert "your own limit of $0.00 a day" in (await refused(mira, general, LARGE)).text


async def test_many_roles_do_not_break_the_panel(
    house: House, ada: Person, general: Channel
) -> None:
    for number in range(12):
        role = house.discord.world.add_role(house.guild(), f"Role {number}")
        await told(ada, general, "quota set", per="day", amount="1", role=role)
    assert "and 4 more" in (await answered(ada, general, "setup")).text


async def test_it_sets_what_members_then_run_into(
    ada: Person, mira: Person, general: Channel
) -> None:
    panel = await answered(ada, general, "setup")
    await type_amount(ada, await open_form(ada, panel, "setup:budget:guild"), "0.10")
    await make(mira, general, LARGE)
    assert "this server's limit of $0.10 a month" in (await refused(mira, general, LARGE)).text


# Hostile clients


@pytest.mark.parametrize(
    "custom_id",
    [
        "form:setup:ceiling:1:month:1",
        "form:setup:guild:5:month:1",
        "form:setup:role:0:day:1",
        "form:setup:guild:0:open:1",
        "form:setup:bot:0:month:1",
        "form:setup:guild:0:month:1 ",
    ],
)
async def test_a_form_that_the_bot_never_showed_sets_nothing(
    ada: Person, general: Channel, books: Books, custom_id: str
) -> None:
    panel = await answered(ada, general, "setup")
    modal = await open_form(ada, panel, "setup:budget:guild")
    forged = replace(modal, custom_id=custom_id)
    words = await (await ada.submit(forged, {"amount": "999"})).answer()

    assert words.ephemeral_to == ada.user.id
    assert "not known any more" in words.text
    assert rules(books) == set()
