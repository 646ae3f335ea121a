"""Suggestions while somebody types: at most 25, with prices, whatever else is broken."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from sandbox.discord import Channel, Choice, Person
from sandbox.house import House
from sandbox.talk import told

IMAGINE = "imagine"
OTHERS = ("edit", "compare")


async def models(person: Person, channel: Channel, typed: str) -> list[Choice]:
    """What is suggested for `model` within Discord's three seconds."""
    options = {"prompt": "a fig", "model": typed}
    return await person.autocomplete(channel, IMAGINE, options, "model", timeout=3)


async def sizes(person: Person, channel: Channel, typed: str, model: str | None) -> list[Choice]:
    """What is suggested for `size`, with a model chosen or not."""
    options = {"prompt": "a fig", "size": typed} | ({"model": model} if model else {})
    return await person.autocomplete(channel, IMAGINE, options, "size", timeout=3)


async def test_models_are_suggested_with_their_prices(mira: Person, general: Channel) -> None:
    found = await models(mira, general, "")

    assert 0 < len(found) <= 25
    named = {str(choice.value): choice.name for choice in found}
    assert named["lumenfield/aurora-2"] == "aurora-2 · about $0.035 · edit"
    assert named["lumenfield/aurora-2-mini:free"].endswith("free")
    assert named["inkwell/quill-xl"] == "quill-xl · price unknown"


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("schnell", "black-forest-labs/FLUX-1-schnell"),
        ("FOLD larg", "papercut/fold-large"),
        ("gale turbo", "northwind/gale-turbo"),
        ("pipin", "orchard/pippin"),
    ],
)
async def test_what_is_typed_finds_the_model_that_was_meant(
    typed: str, first: str, mira: Person, general: Channel
) -> None:
    found = await models(mira, general, typed)

    assert found[0].value == first


@pytest.mark.parametrize(
    "typed", ["@everyone", "'; DROP TABLE job; --", "(((", "😈" * 50, "\\", "%"]
)
async def test_hostile_text_gets_an_answer_and_breaks_nothing(
    typed: str, mira: Person, general: Channel
) -> None:
    assert len(await models(mira, general, typed)) <= 25
    assert len(await sizes(mira, general, typed[:20], typed)) <= 25
    assert len(await models(mira, general, "")) > 1


async def test_sizes_are_those_of_the_chosen_model(mira: Person, general: Channel) -> None:
    found = await sizes(mira, general, "", "papercut/fold-large")

    assert [choice.value for choice in found] == ["auto", "1024x1024", "1536x1024", "1024x1536"]
    assert found[2].name == "landscape 1536x1024"


async def test_without_a_model_the_sizes_are_those_of_the_one_that_would_be_used(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    house = await open_house(DEFAULT_MODEL="papercut/fold-large")
    mira, ada, general = house.person("mira"), house.person("ada"), house.channel()
    found = await sizes(mira, general, "", None)
    assert [choice.value for choice in found] == ["auto", "1024x1024", "1536x1024", "1024x1536"]

    # The server's default comes before the bot's.
    await told(ada, general, "config default-model", model="mosaic/tessera-grid")
    assert len(await sizes(mira, general, "", None)) == 25


async def test_choices_are_named_as_people_know_them(mira: Person, general: Channel) -> None:
    known = {"quality": ["auto", "low", "medium", "high"], "format": ["webp", "jpeg", "png"]}
    asking = [each for each in mira.commands_in(general) if each.name in {IMAGINE, *OTHERS}]

    assert len(asking) == 3
    for command in asking:
        shown = {
            option["name"]: [choice["name"] for choice in option["choices"]]
            for option in command.data["options"]
            if option["name"] in known
        }
        assert shown == known


async def test_a_model_with_thirty_sizes_shows_as_many_as_discord_takes(
    mira: Person, general: Channel
) -> None:
    found = await sizes(mira, general, "", "mosaic/tessera-grid")
    narrowed = await sizes(mira, general, "1280x1", "mosaic/tessera-grid")

    assert len(found) == 25
    assert [choice.value for choice in narrowed] == ["1280x1024", "1280x1280"]


async def test_a_size_of_ones_own_stands_first(mira: Person, general: Channel) -> None:
    found = await sizes(mira, general, "640 x 960", None)

    assert found[0].value == "640x960"


async def test_suggestions_go_on_while_imagerouter_is_down(
    house: House, mira: Person, general: Channel
) -> None:
    await house.lose_imagerouter()

    assert (await models(mira, general, "fold-mini"))[0].value == "papercut/fold-mini"
    assert len(await sizes(mira, general, "", "mosaic/tessera-grid")) == 25


async def test_a_bot_that_never_reached_imagerouter_suggests_the_test_model(tmp_path: Path) -> None:
    async with House(tmp_path, start=False) as house:
        house.imagerouter.faults.status(500, "down", times=20, on="models")
        await house.start_bot()
        found = await models(house.person("mira"), house.channel("general"), "")

    assert [choice.value for choice in found] == ["test/test"]


async def test_the_list_of_the_last_start_serves_while_imagerouter_is_down(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        await house.stop_bot()
        house.imagerouter.faults.status(500, "down", times=20, on="models")
        await house.start_bot()
        found = await models(house.person("mira"), house.channel("general"), "fold-mini")

    assert found[0].value == "papercut/fold-mini"


async def test_no_feature_listens_to_every_interaction(house: House) -> None:
    """Each key press would cost a task for each listener; forms come as an event of their own."""
    heard = {name for cog in house.bot.cogs.values() for name, _ in cog.get_listeners()}

    assert "on_form_submitted" in heard
    assert "on_interaction" not in heard
