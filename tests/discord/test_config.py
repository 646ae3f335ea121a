"""/config: what else a server sets for itself."""

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Permission, Person
from sandbox.house import House, pictures
from sandbox.talk import make, refused, told

LARGE = "papercut/fold-large"  # usually $0.04, at most $0.08
DAY_MS = 86_400_000
HOUR_MS = 3_600_000

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


def noted(person: Person, channel: Channel) -> list[str]:
    """What everybody can read in the log channel."""
    return [m.text for m in person.messages(channel) if m.ephemeral_to is None]


async def test_the_day_begins_at_midnight_of_the_time_zone(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    text = await told(ada, general, "config timezone", timezone="Asia/Tokyo")
    assert "begin at midnight in **Asia/Tokyo**" in text
    await told(ada, general, "quota set", per="day", amount="0.10", each_member=True)
    await make(mira, general, LARGE)
    assert "your own limit" in (await refused(mira, general, LARGE)).text

    house.clock.advance(2 * HOUR_MS)  # 14:00 UTC, 23:00 in Tokyo
    assert "your own limit" in (await refused(mira, general, LARGE)).text
    house.clock.advance(HOUR_MS + 60_000)
    await make(mira, general, LARGE)
    assert "begin at midnight Asia/Tokyo" in await told(mira, general, "usage")


async def test_changing_the_zone_refills_nothing(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    await told(ada, general, "quota set", per="day", amount="0.10", each_member=True)
    await make(mira, general, LARGE)
    for zone in ("Pacific/Auckland", "America/Los_Angeles", "UTC", "Asia/Tokyo"):
        text = await told(ada, general, "config timezone", timezone=zone)
        assert "The running ones end as they would have" in text
        house.clock.advance(60_000)
        assert "your own limit" in (await refused(mira, general, LARGE)).text


async def test_zones_complete_themselves_and_others_are_refused(
    ada: Person, general: Channel
) -> None:
    async def offered(typed: str) -> list[object]:
        found = await ada.autocomplete(general, "config timezone", {"timezone": typed}, "timezone")
        return [choice.value for choice in found]

    assert (await offered("berl"))[0] == "Europe/Berlin"
    assert "America/New_York" in await offered("new york")
    assert len(await offered("")) == 24
    assert await offered("nowhere at all") == []
    text = await told(ada, general, "config timezone", timezone="../../etc/passwd")
    assert "a name such as Europe/Berlin" in text


async def test_changes_are_posted_in_the_log_channel_and_ping_nobody(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    log = house.channel("workshop")
    text = await told(ada, general, "config log-channel", channel=log)
    assert f"is posted in <#{log.id}>" in text
    await told(ada, general, "quota set", per="day", amount="0.30", each_member=True)
    await told(ada, general, "quota block", member=mira.user, reason="@everyone **loud**")
    posted = await ada.wait_for(log, lambda m: "blocked" in m.text)

    assert posted.text == (
        f"<@{ada.user.id}> blocked <@{mira.user.id}>: \\@everyone \\*\\*loud\\*\\*"
    )
    assert not posted.pinged_everyone
    assert posted.pinged == frozenset()
    lines = noted(mira, log)
    assert any("set the limit a day (each member): $0.30; it was nothing." in n for n in lines)
    await told(ada, general, "config log-channel")
    await told(ada, general, "quota block", member=mira.user, state="off")
    await told(ada, general, "quota show")
    assert not any("unblocked" in line for line in noted(mira, log))


async def test_a_log_channel_that_is_shut_or_gone_keeps_nobody_from_changing_rules(
    house: House, ada: Person, general: Channel, books: Books
) -> None:
    guild, log = house.guild(), house.channel("workshop")
    house.discord.world.set_overwrite(log, guild.roles[guild.id], deny=Permission.SEND_MESSAGES)
    text = await told(ada, general, "config log-channel", channel=log)
    assert "The bot may not post there" in text
    assert "### Set" in await told(ada, general, "quota set", per="day", amount="1")
    house.discord.world.remove_channel(log)
    assert "### Set" in await told(ada, general, "quota set", per="week", amount="1")
    assert len(books.rows("SELECT * FROM spending_rule")) == 2


async def test_alerts_go_to_the_channel_that_was_named(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    alerts = house.channel("workshop")
    text = await told(ada, general, "config alert-channel", channel=alerts)
    assert "At 50, 80 and 100% of a shared budget, and when a member spends far more" in text
    assert f"it is said in <#{alerts.id}>." in text
    await told(ada, general, "quota set", per="month", amount="0.16")
    await make(mira, general, LARGE)
    await make(mira, general, LARGE)
    posted = await ada.wait_for(alerts, lambda m: "of a budget is spent" in m.text)
    assert "50% of a budget is spent" in posted.text


async def test_dear_jobs_are_asked_about_above_the_amount(
    ada: Person, mira: Person, general: Channel
) -> None:
    text = await told(ada, general, "config confirm-above", amount="0.05")
    assert "may cost more than **$0.05** is asked first" in text
    words = await refused(mira, general, LARGE)
    confirm = next(b.custom_id or "" for b in words.buttons if b.label == "Confirm")
    await pictures(mira, general, await mira.click(words, confirm))

    assert "Nobody is asked" in await told(ada, general, "config confirm-above")
    await make(mira, general, LARGE)


async def test_a_pause_stops_new_pictures_here_only_outlives_a_restart_and_is_ended(
    house: House, ada: Person, mira: Person, general: Channel
) -> None:
    lobby = house.channel("lobby", guild="Night Owls")
    assert "### Paused" in await told(ada, general, "config pause")
    assert "### Paused already" in await told(ada, general, "config pause")
    await house.restart_bot()

    assert "paused in this server" in (await refused(mira, general, LARGE)).text
    assert "**Pictures are paused** just now." in await told(mira, general, "usage")
    await make(mira, lobby, LARGE)
    assert "### Going on" in await told(ada, general, "config pause", state="off")
    assert "### Not paused" in await told(ada, general, "config pause", state="off")
    await make(mira, general, LARGE)


async def test_everyone_can_not_be_the_managers_role(
    house: House, ada: Person, mira: Person, general: Channel, books: Books
) -> None:
    guild = house.guild()
    text = await told(ada, general, "config managers", role=guild.roles[guild.id])
    assert "can't be the managers' role" in text
    assert books.rows("SELECT * FROM guild WHERE manager_role IS NOT NULL") == []
