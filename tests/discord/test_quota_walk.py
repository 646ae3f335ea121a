"""The walk of an admin on the first day, and of members who run into each limit afterwards."""

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Message, Person
from sandbox.house import House
from sandbox.talk import answered, mail, make, refused, told

LARGE = "papercut/fold-large"  # usually $0.04, at most $0.08
TIDE = "driftwood/slow-tide"  # always $0.08
MINI = "papercut/fold-mini"  # usually $0.0013, at most $0.0026
DAY_MS = 86_400_000

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


async def set_up(house: House, ada: Person, general: Channel) -> Message:
    """What the admin does: $50 a month, $0.50 each, $1.00 for boosters, $0.01 in #pictures."""
    guild = house.guild()
    panel = await answered(ada, general, "setup")

    async def amount(ask_for: str, typed: str, chosen: object = None) -> None:
        if chosen is None:
            ids = [button.custom_id or "" for button in panel.buttons]
            asked = await ada.click(panel, next(i for i in ids if i.startswith(ask_for)))
        else:
            asked = await ada.choose(panel, ask_for, [chosen])
        await (await ada.submit(await asked.form(), {"amount": typed})).answer()

    await amount("setup:budget:guild", "50")
    await amount("setup:budget:default", "0.50")
    await amount("setup:role", "1", house.discord.world.role(guild, "Booster"))
    await amount("setup:price", "0.01", house.channel("pictures"))
    return panel


async def test_an_admin_sets_up_a_server_and_members_run_into_each_limit(
    house: House, ada: Person, oskar: Person, mira: Person, theo: Person, books: Books
) -> None:
    house.discord.rate_limits = False
    general, art = house.channel("general"), house.channel("pictures")
    await told(
        oskar,
        mail(house, oskar),
        "operator guild",
        per="month",
        amount="60",
        server=str(general.guild_id),
    )
    await told(oskar, mail(house, oskar), "operator budget", per="month", amount="100")
    panel = await set_up(house, ada, general)

    assert "**Server budget:** $50.00 a month" in panel.text
    assert "**Each member:** $0.50 a day" in panel.text
    assert "The budget holds 100 full member-days." in panel.text
    assert "**$1.00 a day** each holder of <@&" in panel.text
    assert f"**$0.01 for one picture** in <#{art.id}>" in panel.text

    # In #pictures nothing dearer than a cent.
    words = (await refused(mira, art, TIDE)).text
    assert "This model is too dear here" in words
    assert (
        "may cost $0.08, which is over **this channel's limit of $0.01 for one picture**" in words
    )
    await make(mira, art, MINI)

    # A member has 50 cents a day: six of eight cents fit, the seventh does not.
    for _ in range(6):
        await make(mira, general, TIDE)
    words = (await refused(mira, general, TIDE)).text
    assert "This would go over **your own limit of $0.50 a day**." in words
    assert "**$0.0187** is left, and this needs $0.08." in words
    assert "A new day begins <t:" in words
    assert "An admin of this server can raise it." in words

    # A booster has a dollar: twelve fit, and the role is named.
    for _ in range(12):
        await make(theo, general, TIDE)
    words = (await refused(theo, general, TIDE)).text
    assert "your own limit of $1.00 a day (with <@&" in words
    assert "**$0.04** is left" in words

    # The next day both go on, and the admin is bound like everybody.
    house.clock.advance(DAY_MS)
    await make(mira, general, TIDE)
    await make(theo, general, TIDE)
    for _ in range(6):
        await make(ada, general, TIDE)
    assert "your own limit of $0.50 a day" in (await refused(ada, general, TIDE)).text

    spent = sum(int(str(row["actual"])) for row in books.charges())
    assert spent == 26 * 80_000 + 1_300
    assert "- **$50.00 a month** everybody in this server together" in await told(
        ada, general, "quota show"
    )


async def test_the_pool_ends_for_everybody_and_the_budget_of_the_next_month_is_new(
    house: House, ada: Person, mira: Person, theo: Person
) -> None:
    general = house.channel("general")
    await told(ada, general, "quota set", per="month", amount="0.20")
    await make(mira, general, TIDE)
    await make(theo, general, TIDE)
    for person in (mira, theo, ada):
        words = (await refused(person, general, TIDE)).text
        assert "this server's limit of $0.20 a month" in words
        assert "**$0.04** is left" in words
        assert "A new month begins <t:" in words
    house.clock.advance(31 * DAY_MS)
    await make(mira, general, TIDE)


async def test_what_is_offered_after_a_refusal_fits_and_is_made(
    house: House, ada: Person, mira: Person
) -> None:
    general = house.channel("general")
    await told(ada, general, "quota set", per="day", amount="0.01", each_member=True)
    words = await refused(mira, general, TIDE)
    offers = [b for b in words.buttons if (b.label or "").startswith("Use ")]
    assert 1 <= len(offers) <= 3
    ask = await mira.click(words, offers[0].custom_id or "")
    await mira.wait_for(general, lambda m: m.interaction_id == ask.id and bool(m.attachments))


# Mistakes of other bots


async def test_one_members_limit_is_no_other_members(
    house: House, ada: Person, mira: Person, theo: Person
) -> None:
    """Mistake 6: one key for everybody."""
    general = house.channel("general")
    await told(ada, general, "quota set", per="day", amount="0.10", each_member=True)
    await make(mira, general, TIDE)
    await refused(mira, general, TIDE)
    await make(theo, general, TIDE)
