"""/usage: what a person has spent and what is left, for their eyes only."""

import re
from datetime import UTC, datetime

import pytest

from bot.quotas import Window, window_at
from sandbox.discord import Channel, Message, Person
from sandbox.house import House, button, explanation, pictures
from sandbox.imagerouter.faults import Fault
from sandbox.talk import told

DAY_MS = 86_400_000
LARGE = "papercut/fold-large"
MINI = "papercut/fold-mini"

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


async def usage(person: Person, channel: Channel) -> Message:
    """What /usage shows."""
    return await (await person.slash(channel, "usage")).answer()


async def make(person: Person, channel: Channel, model: str, prompt: str = "a gull") -> Message:
    """A picture, of which everything is told."""
    ask = await person.slash(channel, "imagine", {"prompt": prompt, "model": model})
    message = await pictures(person, channel, ask)
    await ask.followup()
    return message


def spent(message: Message) -> dict[str, str]:
    """Today, this month and in all, as shown."""
    return dict(re.findall(r"^\*\*(.+?)\*\* (\$[0-9.]+)", message.text, flags=re.MULTILINE))


async def test_somebody_who_has_made_nothing_is_told_how_to_begin(
    mira: Person, general: Channel
) -> None:
    message = await usage(mira, general)

    assert spent(message) == {"Today": "$0.00", "This month": "$0.00", "In all": "$0.00"}
    assert "None yet. Type `/imagine`." in message.text


async def test_it_is_private_and_shows_ones_own_spending_only(
    mira: Person, theo: Person, general: Channel
) -> None:
    await make(theo, general, LARGE, "theo's cake")
    await make(mira, general, MINI)
    message = await usage(mira, general)

    assert message.ephemeral_to == mira.user.id
    assert spent(message)["In all"] == "$0.0013"
    assert "cake" not in message.text


async def test_days_and_months_end_and_the_whole_stays(
    house: House, mira: Person, general: Channel
) -> None:
    await make(mira, general, LARGE)
    first = await usage(mira, general)
    assert spent(first) == {"Today": "$0.04", "This month": "$0.04", "In all": "$0.04"}

    house.clock.advance(40 * DAY_MS)
    await make(mira, general, MINI)
    second = await usage(mira, general)
    assert spent(second) == {"Today": "$0.0013", "This month": "$0.0013", "In all": "$0.0413"}


async def test_yesterday_counts_in_the_month_and_not_in_the_day(
    house: House, mira: Person, general: Channel
) -> None:
    first_of_month(house)
    await make(mira, general, LARGE)
    house.clock.advance(DAY_MS)
    message = await usage(mira, general)

    assert spent(message) == {"Today": "$0.00", "This month": "$0.04", "In all": "$0.04"}


def first_of_month(house: House) -> None:
    """Move the clock to a noon with more days of its month to come."""
    while _day(house.clock.now_ms()) != 1:
        house.clock.advance(DAY_MS)


def _day(now_ms: int) -> int:
    return datetime.fromtimestamp(now_ms / 1000, tz=UTC).day


async def test_spending_in_another_server_is_told_apart(
    house: House, mira: Person, general: Channel
) -> None:
    await make(mira, house.channel("lobby", guild="Night Owls"), LARGE)
    await make(mira, general, MINI)
    message = await usage(mira, general)

    assert "**Today** $0.0413 · $0.0013 of it in this server" in message.text


async def test_the_last_ten_jobs_are_listed_newest_first_with_working_links(
    house: House, mira: Person, general: Channel
) -> None:
    house.discord.rate_limits = False
    made = [await make(mira, general, MINI, f"gull {number}") for number in range(11)]
    message = await usage(mira, general)

    lines = [line for line in message.text.splitlines() if line.startswith("- <t:")]
    links = [found for line in lines if (found := re.search(r"\((https://[^)]+)\)", line))]
    assert len(links) == len(lines) == 10
    assert "gull 10" in lines[0]
    assert "gull 0 ·" not in message.text
    expected = [
        f"https://discord.com/channels/{general.guild_id}/{general.id}/{m.id}"
        for m in reversed(made[1:])
    ]
    assert [link[1] for link in links] == expected
    assert all("$0.0013" in line for line in lines)


async def test_a_job_without_a_picture_or_whose_picture_was_deleted_has_no_dead_link(
    house: House, mira: Person, general: Channel
) -> None:
    posted = await make(mira, general, MINI, "deleted gull")
    name = button(posted, "Delete")
    await mira.click(posted, name)
    await house.discord.wait_for_request("DELETE /webhooks/*/*/messages/@original")
    house.imagerouter.faults.add(Fault(no_picture="empty"))
    ask = await mira.slash(general, "imagine", {"prompt": "lost gull", "model": MINI})
    await explanation(general, ask)
    message = await usage(mira, general)

    assert "lost gull" in message.text
    assert "deleted gull" in message.text
    assert "https://" not in message.text
    assert message.text.count("$0.0013") == 2


async def test_a_hostile_prompt_cannot_touch_the_link(mira: Person, general: Channel) -> None:
    posted = await make(mira, general, MINI, "x](https://evil.example) [y **z** @everyone")
    message = await usage(mira, general)

    [line] = [line for line in message.text.splitlines() if line.startswith("- <t:")]
    assert line.count("](") == 1
    assert line.endswith(f"/{general.id}/{posted.id})")
    assert " · [look](https://discord.com/channels/" in line
    assert "x\\]\\(https\\://evil\\.example\\)" in line
    assert not message.pinged_everyone


async def test_a_running_job_says_so(house: House, mira: Person, general: Channel) -> None:
    gate = house.imagerouter.faults.hold()
    ask = await mira.slash(general, "imagine", {"prompt": "a slow gull", "model": MINI})
    await gate.reached()
    message = await usage(mira, general)
    gate.open()
    await pictures(mira, general, ask)

    assert "a slow gull · papercut/fold\\-mini · running" in message.text


async def test_it_works_in_direct_messages(house: House, mira: Person) -> None:
    channel = house.discord.world.direct_channel(mira.user)
    posted = await make(mira, channel, LARGE)
    message = await usage(mira, channel)

    assert spent(message)["Today"] == "$0.04"
    assert f"https://discord.com/channels/@me/{channel.id}/{posted.id}" in message.text


async def test_it_answers_while_imagerouter_is_down(
    house: House, mira: Person, general: Channel
) -> None:
    await make(mira, general, MINI)
    await house.lose_imagerouter()

    assert spent(await usage(mira, general))["In all"] == "$0.0013"


# What is left


async def test_bars_show_what_is_left_in_each_window_and_when_it_begins_anew(
    house: House, mira: Person, theo: Person, general: Channel
) -> None:
    ada, guild = house.person("ada"), house.guild()
    booster = house.discord.world.role(guild, "Booster")
    await told(ada, general, "quota set", per="day", amount="0.10", each_member=True)
    await told(ada, general, "quota set", per="week", amount="0.40", role=booster)
    await told(ada, general, "quota set", per="month", amount="5")
    await make(mira, general, LARGE)
    text = (await usage(mira, general)).text
    end = -(-window_at(Window.DAY, house.clock.now_ms()).end_ms // 1000)

    assert f"`██████░░░░` $0.06 left of $0.10 a day · own · new <t:{end}:R>" in text
    assert "`█████████░` $4.96 left of $5.00 a month · this server · new <t:" in text
    assert "3 of 3 jobs may still be started at once" in text
    assert "**Your own limit of $0.10 a day** binds first." in text
    assert "a week" not in text
    assert "everybody, by the operator" not in text
    boosted = (await usage(theo, general)).text
    assert f"$0.40 left of $0.40 a week · own, with <@&{booster.id}>" in boosted


async def test_nothing_left_and_wholly_free_look_like_it(
    house: House, mira: Person, general: Channel
) -> None:
    ada = house.person("ada")
    await told(ada, general, "quota set", per="day", amount="0", each_member=True)
    text = (await usage(mira, general)).text
    assert "`░░░░░░░░░░` $0.00 left of $0.00 a day · own" in text
    assert "`██████████` $10.00 left of $10.00 a month" in text


async def test_who_is_blocked_can_read_it_there(
    house: House, mira: Person, general: Channel
) -> None:
    await told(house.person("ada"), general, "quota block", member=mira.user)
    assert "**You are blocked in this server,**" in (await usage(mira, general)).text


async def test_in_direct_messages_the_allowance_there_is_shown(house: House, mira: Person) -> None:
    channel = house.discord.world.direct_channel(mira.user)
    await make(mira, channel, LARGE)
    text = (await usage(mira, channel)).text
    assert "$0.46 left of $0.50 a day · outside this bot's servers · new <t:" in text
    assert "this server" not in text
