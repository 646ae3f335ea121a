"""What an answer teaches about a model: nobody runs into the same refusal a second time."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from sandbox.books import Books
from sandbox.discord import Ask, Channel, Message, Person, UploadedFile
from sandbox.house import House, button, explanation, pictures
from tests.discord.edits import CHEAP, png

BRUSH = "mosaic/tessera-brush"
AURORA = "lumenfield/aurora-2"
ENLARGER = "harborlight/upscale-4x"

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


@dataclass(frozen=True)
class Refusal:
    """A model that can't do what the catalogue says, or needs what it doesn't say."""

    model: str
    answer: str
    """In ImageRouter's own words."""
    told: str
    """When it answers so."""
    told_next: str
    """When the same is asked for again."""
    command: str = "edit"
    options: Mapping[str, object] = field(default_factory=dict)


MASKLESS = Refusal(
    BRUSH,
    "Mask editing is not supported for this model",
    "This model takes no mask. Pick one that does.",
    "takes no mask, and can't change a part alone",
    options={"area": "left"},
)
WORDS_ALONE = Refusal(
    AURORA,
    "Image editing is not supported for this model",
    "This model takes no pictures. Pick one that can edit.",
    "makes pictures from words alone, and takes none",
)
NEEDS_PICTURE = Refusal(
    ENLARGER,
    "An input image is required for this model",
    "This model needs a picture to work on.",
    "needs a picture to work on",
    command="imagine",
)


async def ask(person: Person, channel: Channel, case: Refusal) -> Ask:
    options = {"prompt": "a gull", "model": case.model, **case.options}
    if case.command == "imagine":
        return await person.slash(channel, "imagine", options)
    boat = {"a": UploadedFile("boat.png", png())}
    return await person.slash(channel, "edit", {"image": "a", **options}, files=boat)


async def suggested(
    person: Person, channel: Channel, command: str, typed: str, **given: object
) -> dict[object, str]:
    """The models that are suggested for what is typed, with what is said of each."""
    options = {"prompt": "a gull", "model": typed, **given}
    found = await person.autocomplete(channel, command, options, "model", timeout=3)
    return {choice.value: choice.name for choice in found}


async def learned(house: House, person: Person, channel: Channel, case: Refusal) -> Message:
    """Let a model refuse, and return what its person is told."""
    house.imagerouter.faults.error(case.answer, kind="internal_error")
    return await explanation(channel, await ask(person, channel, case))


@pytest.mark.parametrize("cost", [None, 11_000])
@pytest.mark.parametrize("case", [MASKLESS, WORDS_ALONE, NEEDS_PICTURE], ids=lambda c: c.model)
async def test_what_a_model_has_refused_is_never_sent_to_it_again(
    house: House,
    mira: Person,
    theo: Person,
    general: Channel,
    books: Books,
    case: Refusal,
    cost: int | None,
) -> None:
    house.imagerouter.faults.error(case.answer, kind="internal_error", cost_micros=cost)
    told = await explanation(general, await ask(mira, general, case))
    assert case.told in told.text
    assert ("This cost $0.011." if cost else "This cost you nothing.") in told.text
    assert [b.label for b in told.buttons if str(b.label).startswith("Use ")]
    state = ("settled", cost) if cost else ("released", None)
    assert [(row["state"], row["actual"]) for row in books.charges()] == [state]

    await house.restart_bot()
    told = await explanation(general, await ask(theo, general, case))
    assert case.told_next in told.text
    assert "This cost you nothing." in told.text
    assert (len(books.charges()), len(house.imagerouter.requests)) == (1, 1)


@pytest.mark.parametrize("case", [MASKLESS, WORDS_ALONE, NEEDS_PICTURE], ids=lambda c: c.model)
async def test_a_model_that_would_do_is_one_click_away_for_the_same_request(
    house: House, mira: Person, general: Channel, case: Refusal
) -> None:
    first = await learned(house, mira, general, case)
    second = await explanation(general, await ask(mira, general, case))
    for told in (first, second):
        label = str(told.buttons[0].label)
        await pictures(mira, general, await mira.click(told, button(told, label)))
        request = house.imagerouter.requests[-1]
        assert f"Use {request.fields['model']}" == label
        assert request.fields["prompt"] == "a gull"
        edits = case.command == "edit"
        assert [file.data for file in request.images] == ([png()] if edits else [])
        assert (request.mask is not None) is ("area" in case.options)


async def test_suggestions_know_that_a_model_takes_no_mask(
    house: House, mira: Person, general: Channel
) -> None:
    given = {"image": 1456074443980800005}
    assert "mask" in (await suggested(mira, general, "edit", "tessera", **given))[BRUSH]
    await learned(house, mira, general, MASKLESS)

    plain = await suggested(mira, general, "edit", "tessera", **given)
    assert plain[BRUSH].endswith("· edit")
    assert BRUSH not in await suggested(mira, general, "edit", "tessera", area="left", **given)


async def test_suggestions_know_that_a_model_takes_no_pictures(
    house: House, mira: Person, general: Channel
) -> None:
    given = {"image": 1456074443980800005}
    assert AURORA in await suggested(mira, general, "edit", "aurora", **given)
    await learned(house, mira, general, WORDS_ALONE)

    assert AURORA not in await suggested(mira, general, "edit", "aurora", **given)
    assert "edit" not in (await suggested(mira, general, "imagine", "aurora"))[AURORA]


@pytest.mark.parametrize("model", [ENLARGER, CHEAP])
async def test_suggestions_know_that_a_model_needs_a_picture(
    house: House, mira: Person, general: Channel, model: str
) -> None:
    """Whatever the catalogue said, who asks for a picture takes one."""
    name = model.partition("/")[2]
    assert model in await suggested(mira, general, "imagine", name)
    needs = Refusal(model, NEEDS_PICTURE.answer, "", "", command="imagine")
    await learned(house, mira, general, needs)

    assert model not in await suggested(mira, general, "imagine", name)
    given = {"image": 1456074443980800005}
    assert "edit" in (await suggested(mira, general, "edit", name, **given))[model]
