"""What only the operator can mend goes to the operator, with the remedy, at most once an hour."""

import pytest

from sandbox.discord import Channel, Message, Person
from sandbox.house import House, explanation

pytestmark = pytest.mark.usefixtures("nobody_waits")

HOUR_MS = 3_600_000


async def fail(house: House, mira: Person, general: Channel, trouble: str) -> Message:
    """Let one picture of Mira's fail because of `trouble`."""
    if trouble == "key":
        house.imagerouter.faults.status(401, '{"error": {"message": "Invalid token"}}')
    else:
        house.imagerouter.faults.error(
            "Insufficient credits (this model needs minimum $0.08 credits)", kind="internal_error"
        )
    ask = await mira.slash(general, "imagine", {"prompt": "a wren", "model": "orchard/pippin"})
    return await explanation(general, ask)


def mailbox(house: House) -> tuple[Person, Channel]:
    """The operator, and their direct messages with the bot."""
    oskar = house.person("oskar")
    return oskar, house.discord.world.direct_channel(oskar.user)


@pytest.mark.parametrize(
    ("trouble", "remedy"),
    [
        ("key", "Make a new key at <https://imagerouter.io/api-keys>"),
        ("credits", "Add credits at <https://imagerouter.io>"),
    ],
)
async def test_the_person_hears_that_pictures_are_paused_and_the_operator_hears_the_remedy(
    trouble: str, remedy: str, house: House, mira: Person, general: Channel
) -> None:
    told = await fail(house, mira, general, trouble)
    oskar, mail = mailbox(house)
    alert = await oskar.wait_for(mail, lambda m: remedy in m.text)

    assert "Pictures are paused" in told.text
    assert "The owner knows." in told.text
    assert "This cost you nothing." in told.text
    assert "credits" not in told.text
    assert house.imagerouter.api_key not in alert.text


async def test_the_operator_is_told_once_an_hour(
    house: House, mira: Person, general: Channel
) -> None:
    oskar, mail = mailbox(house)
    for _ in range(3):
        await fail(house, mira, general, "credits")
    await oskar.wait_for(mail, lambda m: "Add credits" in m.text)
    house.clock.advance(HOUR_MS - 60_000)
    await fail(house, mira, general, "credits")
    # Another trouble has an hour of its own; its message shows that no other was on its way.
    await fail(house, mira, general, "key")
    await oskar.wait_for(mail, lambda m: "Make a new key" in m.text)
    assert sum("Add credits" in m.text for m in oskar.messages(mail)) == 1

    house.clock.advance(60_000)
    await fail(house, mira, general, "credits")
    await house.discord.wait_for_request("POST /channels/*/messages", count=3)
    assert sum("Add credits" in m.text for m in oskar.messages(mail)) == 2


async def test_an_operator_who_takes_no_messages_does_not_harm_the_answer(
    house: House, mira: Person, general: Channel
) -> None:
    oskar, mail = mailbox(house)
    house.discord.world.close_dms(oskar.user)
    told = await fail(house, mira, general, "key")

    assert "Pictures are paused" in told.text
    await house.discord.wait_for_request("POST /channels/*/messages")
    assert oskar.messages(mail) == []


async def test_an_alert_that_discord_lost_is_told_at_the_next_failure(
    house: House, mira: Person, general: Channel
) -> None:
    oskar, mail = mailbox(house)
    house.discord.faults.drop("POST /channels/*/messages")
    await fail(house, mira, general, "key")
    await house.bot.services.alerts.close()
    assert oskar.messages(mail) == []

    await fail(house, mira, general, "key")
    await oskar.wait_for(mail, lambda m: "Make a new key" in m.text)


@pytest.mark.parametrize(
    ("trouble", "remedy"), [("key", "Make a new key"), ("credits", "Add credits")]
)
async def test_an_operator_whom_no_message_reaches_finds_the_remedy_in_the_log(
    trouble: str,
    remedy: str,
    house: House,
    mira: Person,
    general: Channel,
    caplog: pytest.LogCaptureFixture,
) -> None:
    oskar, _ = mailbox(house)
    house.discord.world.close_dms(oskar.user)
    await fail(house, mira, general, trouble)

    told = [record.getMessage() for record in caplog.records if record.name == "bot.alerts"]
    assert any(remedy in line for line in told)
    assert not any(house.imagerouter.api_key in line for line in told)
