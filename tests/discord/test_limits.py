"""Running into limits, as people see it: which one, what is left, and what to do now."""

from collections.abc import Awaitable, Callable

import pytest

from bot.quotas import Window
from bot.requests import NO_GUILD
from bot.storage import Option, Policies, Who
from bot.storage._alert_claims import CLAIM_MS
from sandbox.books import Books
from sandbox.discord import Ask, Channel, Message, Person
from sandbox.house import House, explanation, pictures

OpenHouse = Callable[..., Awaitable[House]]

LARGE = "papercut/fold-large"  # usually $0.04, at most $0.08
ADMIN = 1


@pytest.fixture
def policies(house: House) -> Policies:
    """The rules, as an admin's commands would change them."""
    return house.bot.services.policies


def button(message: Message, label: str) -> str:
    """The id of the button with this label."""
    return {b.label: b.custom_id or "" for b in message.buttons}[label]


async def ask_large(person: Person, channel: Channel, **options: object) -> Ask:
    return await person.slash(channel, "imagine", {"prompt": "a heron", "model": LARGE, **options})


@pytest.mark.usefixtures("nobody_waits")
async def test_a_refusal_names_the_limit_and_offers_what_still_fits(
    house: House, policies: Policies, mira: Person, general: Channel, books: Books
) -> None:
    await policies.set_limit(Who.each_member(house.guild().id), Window.DAY, 100_000, by=ADMIN)
    await pictures(mira, general, await ask_large(mira, general))
    told = await explanation(general, await ask_large(mira, general))

    assert "your own limit of $0.10 a day" in told.text
    assert "**$0.06** is left, and this needs about $0.04, at most $0.08." in told.text
    assert "A new day begins <t:" in told.text
    assert "This cost you nothing." in told.text
    assert "a heron" in told.text
    assert len(books.charges()) == 1

    offered = [b for b in told.buttons if (b.label or "").startswith("Use ")]
    assert 1 <= len(offered) <= 3
    for choice in offered:
        model = house.bot.services.catalog.get((choice.label or "").removeprefix("Use "))
        assert model is not None
        assert (model.ceiling or 0) <= 60_000
    again = await mira.click(told, offered[0].custom_id or "")
    assert (await pictures(mira, general, again)).attachments


@pytest.mark.usefixtures("nobody_waits")
async def test_a_batch_that_is_too_large_is_offered_smaller(
    house: House, policies: Policies, mira: Person, general: Channel, books: Books
) -> None:
    await policies.set_limit(Who.each_member(house.guild().id), Window.DAY, 200_000, by=ADMIN)
    told = await explanation(general, await ask_large(mira, general, count=4))
    assert "**$0.20** is left, and this needs about $0.16, at most $0.32." in told.text

    first, *others = [b.label or "" for b in told.buttons]
    assert first == "Only 2 pictures"
    assert others
    assert all(label.startswith("Use ") for label in others)

    fewer = await pictures(mira, general, await mira.click(told, button(told, first)))
    assert len(fewer.attachments) == 2
    assert [charge["model"] for charge in books.charges()] == [LARGE, LARGE]


async def test_an_exhausted_budget_leaves_what_is_free(
    house: House, policies: Policies, mira: Person, general: Channel
) -> None:
    await policies.set_limit(Who.guild(house.guild().id), Window.MONTH, 0, by=ADMIN)
    told = await explanation(general, await ask_large(mira, general))

    assert "this server's limit of $0.00 a month" in told.text
    labels = [b.label or "" for b in told.buttons]
    assert labels
    assert all(label.endswith(":free") for label in labels)


async def test_a_channel_with_a_highest_price_offers_cheaper_models(
    house: House, policies: Policies, mira: Person, general: Channel
) -> None:
    channel = Who.channel(house.guild().id, general.id)
    await policies.set_limit(channel, Window.IMAGE, 10_000, by=ADMIN)
    told = await explanation(general, await ask_large(mira, general))

    assert "may cost $0.08" in told.text
    assert "this channel's limit of $0.01 for one picture" in told.text
    assert len(told.buttons) == 3
    for choice in told.buttons:
        model = house.bot.services.catalog.get((choice.label or "").removeprefix("Use "))
        assert model is not None
        assert (model.ceiling or 0) <= 10_000
    elsewhere = house.channel("workshop")
    await pictures(mira, elsewhere, await ask_large(mira, elsewhere))


async def test_a_member_has_only_so_many_jobs_open(open_house: OpenHouse) -> None:
    house = await open_house(MEMBER_OPEN_JOBS="1")
    mira, general = house.person("mira"), house.channel("general")
    gate = house.imagerouter.faults.hold()
    first = await ask_large(mira, general)
    await gate.reached()
    told = await explanation(general, await ask_large(mira, general))
    assert "At most one of your jobs may wait or run at once." in told.text
    gate.open()
    await pictures(mira, general, first)
    again = await mira.click(told, button(told, "Try again"))
    await pictures(mira, general, again)


async def test_a_blocked_member_and_a_paused_guild_are_told_so(
    house: House, policies: Policies, mira: Person, theo: Person, general: Channel
) -> None:
    await policies.block(house.guild().id, mira.user.id, reason="too many herons", by=ADMIN)
    told = await explanation(general, await ask_large(mira, general))
    assert "An admin has blocked you here" in told.text
    assert "They said: too many herons" in told.text
    owls = house.channel("lobby", guild="Night Owls")
    await pictures(mira, owls, await ask_large(mira, owls))

    await policies.pause(house.guild().id, by=ADMIN)
    told = await explanation(general, await ask_large(theo, general))
    assert "Pictures are paused in this server" in told.text


async def test_a_pause_everywhere_survives_a_restart(
    house: House, policies: Policies, mira: Person, general: Channel
) -> None:
    await policies.pause(NO_GUILD, by=ADMIN)
    await house.restart_bot()
    told = await explanation(general, await ask_large(mira, general))
    assert "The operator of this bot has paused them everywhere." in told.text


async def test_direct_messages_are_off_where_the_operator_allows_none(
    open_house: OpenHouse,
) -> None:
    house = await open_house(DEFAULT_DM_DAILY_USD="0")
    mira = house.person("mira")
    mail = house.discord.world.direct_channel(mira.user)
    told = await explanation(mail, await ask_large(mira, mail))
    assert "Pictures are off here" in told.text


async def test_direct_messages_have_an_allowance_of_their_own_in_the_sandbox(
    house: House, mira: Person, books: Books
) -> None:
    mail = house.discord.world.direct_channel(mira.user)
    slow = {"model": "driftwood/slow-tide", "count": 4}  # $0.08 each, always
    await pictures(mira, mail, await ask_large(mira, mail, **slow))
    told = await explanation(mail, await ask_large(mira, mail, count=4))
    assert "the operator's limit of $0.50 a day outside this bot's servers" in told.text
    assert "**$0.18** is left" in told.text
    assert len(books.charges()) == 4


# Asking first


async def test_a_dear_job_asks_and_runs_once_however_often_it_is_confirmed(
    house: House, policies: Policies, mira: Person, general: Channel, books: Books
) -> None:
    await policies.configure(house.guild().id, Option.CONFIRM_ABOVE, 100_000, by=ADMIN)
    question = await explanation(general, await ask_large(mira, general, count=2))

    assert "Shall this be made?" in question.text
    assert "about $0.08, at most **$0.16**" in question.text
    assert "more than $0.10" in question.text
    assert books.charges() == []
    assert books.rows("SELECT id FROM bucket WHERE held > 0") == []

    await house.restart_bot()
    yes = await mira.click(question, button(question, "Confirm"))
    message = await pictures(mira, general, yes)
    assert len(message.attachments) == 2
    told = await explanation(general, await mira.click(question, button(question, "Confirm")))
    assert "You pressed this already" in told.text
    assert len(books.charges()) == 2


async def test_no_takes_the_question_away_and_costs_nothing(
    house: House, policies: Policies, mira: Person, general: Channel, books: Books
) -> None:
    await policies.configure(house.guild().id, Option.CONFIRM_ABOVE, 0, by=ADMIN)
    question = await explanation(general, await ask_large(mira, general))
    await mira.click(question, button(question, "Cancel"))
    await general.signal.until(
        lambda: True if question.deleted else None, timeout=5, complain=lambda: question.text
    )
    assert books.charges() == []


async def test_a_private_job_asks_in_private_and_forgets_at_a_restart(
    house: House, policies: Policies, mira: Person, general: Channel, books: Books
) -> None:
    await policies.configure(house.guild().id, Option.CONFIRM_ABOVE, 0, by=ADMIN)
    ask = await ask_large(mira, general, private=True)
    question = await ask.answer()
    yes = await mira.click(question, button(question, "Confirm"))
    message = await pictures(mira, general, yes)
    assert message.ephemeral_to == mira.user.id
    assert books.rows("SELECT * FROM offer") == []
    assert len(books.charges()) == 1


# Budgets' alerts


async def test_a_budget_is_told_of_in_the_alert_channel_once_for_each_threshold(
    house: House, policies: Policies, mira: Person, general: Channel
) -> None:
    guild, alerts = house.guild().id, house.channel("workshop")
    await policies.set_limit(Who.guild(guild), Window.MONTH, 160_000, by=ADMIN)
    await policies.configure(guild, Option.ALERT_CHANNEL, alerts.id, by=ADMIN)
    for _ in range(3):
        await pictures(mira, general, await ask_large(mira, general))
        await house.bot.services.generation.idle()

    theo = house.person("theo")
    titles = [m.text.splitlines()[0] for m in theo.messages(alerts)]
    assert titles == ["### 50% of a budget is spent"]
    assert "$0.08 of $0.16 a month for this server is spent." in theo.messages(alerts)[0].text
    await explanation(general, await ask_large(mira, general))


@pytest.mark.parametrize("channel", [None, 12345])
async def test_without_an_alert_channel_whoever_set_the_budget_is_told(
    channel: int | None, house: House, policies: Policies, mira: Person, general: Channel
) -> None:
    theo, guild = house.person("theo"), house.guild()
    await policies.set_limit(Who.channel(guild.id, general.id), Window.DAY, 80_000, by=theo.user.id)
    await policies.configure(guild.id, Option.ALERT_CHANNEL, channel, by=ADMIN)
    await pictures(mira, general, await ask_large(mira, general))

    mail = house.discord.world.direct_channel(theo.user)
    told = await theo.wait_for(mail, lambda m: "of a budget is spent" in m.text)
    assert f"$0.04 of $0.08 a day for <#{general.id}> is spent." in told.text


async def test_the_operator_is_told_of_a_budget_that_nobody_set(open_house: OpenHouse) -> None:
    house = await open_house(DEFAULT_GUILD_MONTHLY_USD="0.08")
    mira, general = house.person("mira"), house.channel("general")
    await pictures(mira, general, await ask_large(mira, general))

    oskar = house.person("oskar")
    mail = house.discord.world.direct_channel(oskar.user)
    told = await oskar.wait_for(mail, lambda m: "50% of a budget is spent" in m.text)
    assert "for Paper Boat Society is spent." in told.text


async def test_an_alert_that_discord_did_not_take_is_told_by_the_next_job(
    house: House, policies: Policies, mira: Person, general: Channel
) -> None:
    guild, alerts = house.guild().id, house.channel("workshop")
    await policies.set_limit(Who.guild(guild), Window.MONTH, 160_000, by=ADMIN)
    await policies.configure(guild, Option.ALERT_CHANNEL, alerts.id, by=ADMIN)
    for pattern in (f"POST /channels/{alerts.id}/messages", "POST /users/@me/channels"):
        house.discord.faults.drop(pattern, times=20)
    await pictures(mira, general, await ask_large(mira, general, model="driftwood/slow-tide"))
    await house.bot.services.generation.idle()
    house.discord.faults.clear()
    theo = house.person("theo")
    assert theo.messages(alerts) == []

    await pictures(mira, general, await ask_large(mira, general, model="orchard/pippin"))
    await theo.wait_for(alerts, lambda m: "50% of a budget is spent" in m.text)


async def test_an_alert_that_a_sweep_told_while_its_job_was_delivered_is_not_told_again(
    house: House, policies: Policies, mira: Person, general: Channel
) -> None:
    guild, alerts = house.guild().id, house.channel("workshop")
    await policies.set_limit(Who.guild(guild), Window.MONTH, 80_000, by=ADMIN)
    await policies.configure(guild, Option.ALERT_CHANNEL, alerts.id, by=ADMIN)
    made = house.imagerouter.faults.hold()
    await ask_large(mira, general)
    await made.reached()
    delivered = house.discord.faults.hold("PATCH /webhooks/*/*/messages/*")
    made.open()
    await delivered.reached()

    house.clock.advance(CLAIM_MS)
    await house.bot.services.recovery.sweep()
    theo = house.person("theo")
    await theo.wait_for(alerts, lambda m: "50% of a budget is spent" in m.text)
    house.clock.advance(CLAIM_MS)  # Discord does not recognise the nonce any more
    delivered.open()
    await mira.wait_for(general, lambda m: bool(m.attachments))
    await house.bot.services.generation.idle()
    assert len(theo.messages(alerts)) == 1


async def test_an_alert_that_discord_did_not_take_is_told_although_no_job_comes(
    house: House, policies: Policies, mira: Person, general: Channel
) -> None:
    guild, alerts = house.guild().id, house.channel("workshop")
    await policies.set_limit(Who.guild(guild), Window.MONTH, 40_000, by=ADMIN)
    await policies.configure(guild, Option.ALERT_CHANNEL, alerts.id, by=ADMIN)
    for pattern in (f"POST /channels/{alerts.id}/messages", "POST /users/@me/channels"):
        house.discord.faults.drop(pattern, times=20)
    await pictures(mira, general, await ask_large(mira, general, model="papercut/vector-fold"))
    await house.bot.services.generation.idle()
    house.discord.faults.clear()
    assert mira.messages(alerts) == []

    await house.bot.services.recovery.sweep()
    assert ["A budget is used up" in m.text for m in mira.messages(alerts)] == [True]
