"""What an answer teaches about a model: nobody runs into the same refusal a second time."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from sandbox.books import Books
from sandbox.discord import Ask, Channel, Message, Person, UploadedFile
from sandbox.house import House, button, explanation, pictures
from tests.discord.edits import CHEAP, edit_form, fields, files, png

BRUSH = "mosaic/tessera-brush"
RETOUCH = "inkwell/retouch-one"
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
    "This model needs a picture to work on. Give it one with `/edit`, or pick another model.",
    "needs a picture to work on: give it one with `/edit`",
    command="imagine",
)


ONE_PICTURE = Refusal(
    RETOUCH,
    "This model supports only one image input",
    "That is more pictures than this model takes. Send fewer.",
    "takes one picture only",
    options={"image2": "b"},
)
CASES = [MASKLESS, WORDS_ALONE, NEEDS_PICTURE, ONE_PICTURE]
BOATS = [png(1), png(2)]


async def ask(person: Person, channel: Channel, case: Refusal) -> Ask:
    options = {"prompt": "a gull", "model": case.model, **case.options}
    if case.command == "imagine":
        return await person.slash(channel, "imagine", options)
    boats = {
        name: UploadedFile(f"{name}.png", data) for name, data in zip("ab", BOATS, strict=True)
    }
    return await person.slash(channel, "edit", {"image": "a", **options}, files=boats)


async def suggested(
    person: Person, channel: Channel, command: str, typed: str, **given: object
) -> dict[object, str]:
    """The models that are suggested for what is typed, with what is said of each."""
    options = {"prompt": "a gull", "model": typed, **given}
    found = await person.autocomplete(channel, command, options, "model", timeout=3)
    return {choice.value: choice.name for choice in found}


async def learned(
    house: House, person: Person, channel: Channel, case: Refusal, *, cost: int | None = None
) -> Message:
    """Let a model refuse, and return what its person is told."""
    house.imagerouter.faults.error(case.answer, kind="internal_error", cost_micros=cost)
    return await explanation(channel, await ask(person, channel, case))


@pytest.mark.parametrize("cost", [None, 11_000])
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.model)
async def test_what_a_model_has_refused_is_never_sent_to_it_again(
    house: House,
    mira: Person,
    theo: Person,
    general: Channel,
    books: Books,
    case: Refusal,
    cost: int | None,
) -> None:
    told = await learned(house, mira, general, case, cost=cost)
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


@pytest.mark.parametrize("case", CASES[:-1], ids=lambda c: c.model)
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
        assert [file.data for file in request.images] == (BOATS[:1] if edits else [])
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
    form = await edit_form(mira, general, await mira.say(general, files=files(1)))
    offered = [option["value"] for option in fields(form)["model"]["options"]]
    assert BRUSH in offered
    assert AURORA not in offered
    assert "edit" not in (await suggested(mira, general, "imagine", "aurora"))[AURORA]


async def test_suggestions_know_that_a_model_takes_one_picture_only(
    house: House, mira: Person, general: Channel
) -> None:
    one, two = {"image": 1456074443980800005}, {"image2": 1456074443980800006}
    assert RETOUCH in await suggested(mira, general, "edit", "retouch", **one, **two)
    await learned(house, mira, general, ONE_PICTURE)

    assert RETOUCH in await suggested(mira, general, "edit", "retouch", **one)
    assert RETOUCH not in await suggested(mira, general, "edit", "retouch", **one, **two)


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


@pytest.mark.parametrize(
    ("beside_the_point", "then"),
    [
        (replace(WORDS_ALONE, command="imagine"), WORDS_ALONE),
        (replace(MASKLESS, options={}), MASKLESS),
        (
            replace(NEEDS_PICTURE, model=AURORA, command="edit"),
            replace(NEEDS_PICTURE, model=AURORA),
        ),
        (replace(ONE_PICTURE, model=BRUSH, options={}), replace(ONE_PICTURE, model=BRUSH)),
    ],
    ids=["pictures", "mask", "words", "several"],
)
async def test_an_answer_about_what_was_not_asked_for_teaches_nothing(
    house: House, mira: Person, general: Channel, beside_the_point: Refusal, then: Refusal
) -> None:
    """Such words are a provider's, on something else, or a fault of its upload."""
    told = await learned(house, mira, general, beside_the_point)
    assert "This cost you nothing." in told.text

    await pictures(mira, general, await ask(mira, general, then))
    assert house.imagerouter.requests[-1].fields["model"] == then.model
