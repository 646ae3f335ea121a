"""/models in hostile hands: forged ids of buttons and menus, and names that are none."""

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Message, Person
from sandbox.house import House, button
from sandbox.talk import answered
from tests.discord.edits import rename

LARGE = "papercut/fold-large"

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


async def page_of(person: Person, channel: Channel, model: str) -> Message:
    return await answered(person, channel, "models", name=model)


@pytest.mark.parametrize(
    "other",
    [
        "model:try:nobody/nothing",
        "model:try:@everyone",
        "model:try:" + "x" * 60,
    ],
)
async def test_a_model_that_is_nobodys_cannot_be_tried(
    other: str, mira: Person, general: Channel
) -> None:
    message = await page_of(mira, general, LARGE)
    rename(message, button(message, "Try it"), other)
    answer = await (await mira.click(message, other)).answer()

    assert "does not list this model any more" in answer.text


@pytest.mark.parametrize("key", ["nobody/nothing", "'; DROP TABLE preference; --", "~" * 60])
async def test_a_model_that_is_nobodys_becomes_no_default(
    key: str, mira: Person, general: Channel, books: Books
) -> None:
    message = await page_of(mira, general, LARGE)
    other = f"model:default:p00::1:{key}"
    rename(message, button(message, "Use as my default"), other)
    told_beside = await (await mira.click(message, other)).followup()

    assert told_beside.ephemeral_to == mira.user.id
    assert "at most $0.08" in message.text  # the page stays
    assert books.rows("SELECT * FROM preference") == []


@pytest.mark.parametrize("state", ["n00::9999", "f01:999999999999999:7", "pf1:0:1"])
async def test_pages_that_are_not_there_show_the_last_one(
    state: str, mira: Person, general: Channel
) -> None:
    message = await answered(mira, general, "models")
    other = f"models:next:{state}"
    rename(message, button(message, "Next"), other)
    await (await mira.click(message, other)).answer()

    assert "### " in message.text


@pytest.mark.parametrize(
    "other",
    ["models:next:x00::1", "models:next:p00::0x1", "models:up:p00::1", "model:default:p00::1:"],
)
async def test_a_custom_id_of_no_known_shape_reaches_nothing(
    other: str, house: House, mira: Person, general: Channel
) -> None:
    house.discord.acknowledge_within = 0.3
    message = await answered(mira, general, "models")
    before = message.text
    rename(message, button(message, "Next"), other)
    await (await mira.click(message, other)).failed()

    assert message.text == before


async def test_hostile_names_of_models_get_an_answer(mira: Person, general: Channel) -> None:
    for name in ("@everyone", "x](https://evil.example)", "../../v1/auth", "%00", "😈" * 50):
        message = await answered(mira, general, "models", name=name)
        assert "](https" not in message.text
        assert not message.pinged_everyone
