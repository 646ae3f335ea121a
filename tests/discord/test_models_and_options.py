"""Which model runs, and what is refused before it costs anything, with a way out."""

from collections.abc import Awaitable, Callable

import pytest

from sandbox.books import Books
from sandbox.discord import Channel, Message, Person, UploadedFile
from sandbox.house import House, button, explanation, pictures
from tests.discord.edits import png

OpenHouse = Callable[..., Awaitable[House]]


async def imagine(house: House, **options: object) -> Message:
    """Let Mira ask in #general, and wait for the pictures."""
    mira, general = house.person("mira"), house.channel("general")
    ask = await mira.slash(general, "imagine", {"prompt": "a quince", **options})
    return await pictures(mira, general, ask)


async def test_nothing_set_makes_the_fixed_test_picture_and_says_so(open_house: OpenHouse) -> None:
    house = await open_house()
    message = await imagine(house)

    assert house.imagerouter.requests[0].fields["model"] == "test/test"
    assert "fixed test picture" in message.text
    assert "**free**" in message.text


async def test_the_default_model_is_used_when_nobody_names_one(open_house: OpenHouse) -> None:
    house = await open_house(DEFAULT_MODEL="papercut/fold-mini")
    message = await imagine(house)

    assert house.imagerouter.requests[0].fields["model"] == "papercut/fold-mini"
    assert "cheapest" not in message.text


async def test_a_model_that_is_named_wins_over_the_default(open_house: OpenHouse) -> None:
    house = await open_house(DEFAULT_MODEL="papercut/fold-mini")
    await imagine(house, model="papercut/fold-large")

    assert house.imagerouter.requests[0].fields["model"] == "papercut/fold-large"


@pytest.mark.parametrize("default", ["papercut/vanished", "inkwell/quill-xl"])
async def test_a_default_model_that_cannot_run_gives_way_to_the_cheapest_and_this_is_said(
    default: str, open_house: OpenHouse
) -> None:
    house = await open_house(DEFAULT_MODEL=default)
    message = await imagine(house)

    used = house.imagerouter.requests[0].fields["model"]
    assert used == "lumenfield/aurora-2-mini:free"
    assert "lumenfield/aurora\\-2\\-mini\\:free" in message.text
    assert "No default model can do this here; this is the cheapest one that can." in message.text


async def test_an_unknown_model_is_refused_with_the_names_that_may_have_been_meant(
    house: House, mira: Person, theo: Person, general: Channel, books: Books, nobody_waits: None
) -> None:
    options = {"prompt": "a quince", "model": "papercut/fold-larg"}
    ask = await mira.slash(general, "imagine", options)
    told = await explanation(general, ask)

    assert "There is no model “papercut/fold\\-larg”. Did you mean one of these?" in told.text
    assert told.buttons[0].label == "Use papercut/fold-large"
    assert "This cost you nothing." in told.text
    assert "a quince" in told.text
    assert told.ephemeral_to == mira.user.id
    assert theo.messages(general) == []
    assert books.charges() == []
    assert house.imagerouter.requests == []


async def test_the_button_for_the_model_that_was_meant_runs_the_whole_request(
    house: House, mira: Person, general: Channel, nobody_waits: None
) -> None:
    options = {
        "prompt": "a quince",
        "model": "papercut/fold-larg",
        "size": "1024x1536",
        "quality": "low",
        "count": 2,
    }
    ask = await mira.slash(general, "imagine", options)
    told = await explanation(general, ask)
    click = await mira.click(told, button(told, "Use papercut/fold-large"))
    message = await pictures(mira, general, click)

    assert len(message.attachments) == 2
    assert message.ephemeral_to is None
    fields = house.imagerouter.requests[0].fields
    assert (fields["prompt"], fields["size"], fields["quality"]) == ("a quince", "1024x1536", "low")


@pytest.mark.parametrize(
    ("default", "offered"),
    [
        ("papercut/fold-mini", "papercut/fold-mini"),
        ("papercut/vanished", "lumenfield/aurora-2-mini:free"),
        ("test/test", "lumenfield/aurora-2-mini:free"),
    ],
)
async def test_for_a_name_that_is_like_no_other_the_usual_model_is_offered(
    default: str, offered: str, open_house: OpenHouse, books: Books
) -> None:
    house = await open_house(DEFAULT_MODEL=default)
    mira, general = house.person("mira"), house.channel("general")
    ask = await mira.slash(general, "imagine", {"prompt": "a quince", "model": "nope/nope"})
    told = await explanation(general, ask)

    assert "There is no model “nope/nope”. Pick one from the list." in told.text
    assert [each.label for each in told.buttons] == [f"Use {offered}"]
    assert books.charges() == []
    await pictures(mira, general, await mira.click(told, button(told, f"Use {offered}")))
    assert [row["model"] for row in books.charges()] == [offered]


async def test_what_is_offered_for_a_name_like_no_other_can_do_the_job(
    open_house: OpenHouse,
) -> None:
    # The default makes pictures from words alone, and this is an edit.
    house = await open_house(DEFAULT_MODEL="papercut/fold-mini")
    mira, general = house.person("mira"), house.channel("general")
    options = {"prompt": "a quince", "image": "a", "model": "nope/nope"}
    ask = await mira.slash(general, "edit", options, files={"a": UploadedFile("a.png", png())})
    told = await explanation(general, ask)

    (offer,) = told.buttons
    await pictures(mira, general, await mira.click(told, button(told, offer.label or "")))
    [sent] = house.imagerouter.requests
    assert offer.label == f"Use {sent.fields['model']}"
    assert sent.fields["model"] != "papercut/fold-mini"


async def test_a_name_in_other_letters_is_understood(
    house: House, mira: Person, general: Channel, nobody_waits: None
) -> None:
    options = {"prompt": "a quince", "model": "BLACK-forest-labs/flux-1-SCHNELL"}
    ask = await mira.slash(general, "imagine", options)
    await pictures(mira, general, ask)

    assert house.imagerouter.requests[0].fields["model"] == "black-forest-labs/FLUX-1-schnell"


@pytest.mark.parametrize("size", ["huge", "1024", "16:9", "1024x", "-5x10", "0x5", "100000x5"])
async def test_a_size_that_cannot_be_is_refused_with_a_button_for_auto(
    size: str, house: House, mira: Person, general: Channel, books: Books, nobody_waits: None
) -> None:
    options = {"prompt": "a quince", "model": "papercut/fold-mini", "size": size}
    ask = await mira.slash(general, "imagine", options)
    told = await explanation(general, ask)

    assert "`size` can't be used like that" in told.text
    assert "It takes `auto`, or " in told.text
    assert books.charges() == []
    click = await mira.click(told, button(told, "With size auto"))
    await pictures(mira, general, click)
    assert house.imagerouter.requests[0].fields["size"] == "auto"


async def test_a_size_that_the_model_does_not_make_is_refused_by_imagerouter_for_free(
    house: House, mira: Person, general: Channel, books: Books, nobody_waits: None
) -> None:
    options = {
        "prompt": "a quince",
        "model": "lumenfield/aurora-2-mini:free",
        "size": "2048x2048",
    }
    ask = await mira.slash(general, "imagine", options)
    told = await explanation(general, ask)

    assert "This model can't make pictures of that size. Try `auto`." in told.text
    assert [row["state"] for row in books.charges()] == ["released"]
    click = await mira.click(told, button(told, "With size auto"))
    await pictures(mira, general, click)


async def test_a_quality_that_the_model_does_not_have_is_left_out_and_this_is_said(
    house: House, mira: Person, general: Channel, nobody_waits: None
) -> None:
    options = {"prompt": "a quince", "model": "papercut/fold-mini", "quality": "high"}
    ask = await mira.slash(general, "imagine", options)
    message = await pictures(mira, general, ask)

    assert "This model has no quality setting, so yours was left out." in message.text
    assert house.imagerouter.requests[0].fields.get("quality", "auto") == "auto"


async def test_a_model_without_a_price_is_refused_with_models_that_have_one(
    house: House, mira: Person, general: Channel, books: Books, nobody_waits: None
) -> None:
    options = {"prompt": "a quince", "model": "inkwell/quill-xl"}
    ask = await mira.slash(general, "imagine", options)
    told = await explanation(general, ask)

    assert "Nobody knows what this model costs" in told.text
    assert books.charges() == []
    click = await mira.click(told, told.buttons[0].custom_id or "")
    await pictures(mira, general, click)
    assert f"Use {house.imagerouter.requests[0].fields['model']}" == told.buttons[0].label


async def test_the_operators_ceiling_lets_a_model_without_a_price_run(
    open_house: OpenHouse, books: Books
) -> None:
    house = await open_house(UNPRICED_MODEL_CEILING_USD="0.25")
    message = await imagine(house, model="inkwell/quill-xl")

    assert "**$0.02**" in message.text
    assert [(row["held"], row["actual"]) for row in books.charges()] == [(250_000, 20_000)]


async def test_what_is_held_is_the_dearest_providers_price(
    house: House, mira: Person, general: Channel, books: Books, nobody_waits: None
) -> None:
    options = {"prompt": "a quince", "model": "northwind/gale-pro"}
    ask = await mira.slash(general, "imagine", options)
    await pictures(mira, general, ask)

    assert [(row["held"], row["actual"]) for row in books.charges()] == [(300_000, 20_000)]


async def test_a_model_that_needs_a_picture_says_so_and_costs_nothing(
    house: House, mira: Person, general: Channel, books: Books, nobody_waits: None
) -> None:
    options = {"prompt": "a quince", "model": "harborlight/upscale-4x"}
    ask = await mira.slash(general, "imagine", options)
    told = await explanation(general, ask)

    assert "This model needs a picture to work on." in told.text
    assert [row["state"] for row in books.charges()] == ["released"]
    click = await mira.click(told, told.buttons[0].custom_id or "")
    await pictures(mira, general, click)
