"""A mask that marks nothing or everything is questioned, and what each answer to that does."""

import io
from collections.abc import Iterator
from typing import Final

import pytest
from PIL import Image

from sandbox.books import Books
from sandbox.discord import Channel, Message, NotPossibleError, Person, UploadedFile
from sandbox.house import House, button, explanation, pictures
from tests.discord.edits import COLLAGE, DAY_MS, halved, marked, rename

BRUSH = "mosaic/tessera-brush"
SIZE: Final = (320, 240)
BOAT = halved(SIZE, "teal", "orange")
SHADES = [("black", "nothing"), ("white", "everything")]
TINTS: Final = ((255, 0, 128), (255, 255, 255))
STRENGTH: Final = 0.6

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


def given(shade: str) -> dict[str, UploadedFile]:
    return {"a": UploadedFile("boat.png", BOAT), "m": UploadedFile("m.png", plain(shade))}


def plain(shade: str) -> bytes:
    return halved((64, 48), shade, shade)


async def questioned(person: Person, channel: Channel, shade: str, **more: object) -> Message:
    options = {"image": "a", "mask": "m", "prompt": "a sail", "model": BRUSH, **more}
    ask = await person.slash(channel, "edit", options, files=given(shade))
    if more.get("private"):
        return await ask.answer()
    return await explanation(channel, ask)


async def answered(person: Person, channel: Channel, question: Message, label: str) -> Message:
    return await pictures(person, channel, await person.click(question, button(question, label)))


def pixels(data: bytes) -> list[tuple[int, ...]]:
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    assert picture.size == SIZE
    raw = picture.tobytes()
    return [tuple(raw[at : at + 3]) for at in range(0, len(raw), 3)]


def alike(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """The same colour but for what compressing costs."""
    return all(abs(a - b) <= 30 for a, b in zip(one, other, strict=True))


def tinted(pixel: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    for tint in TINTS:
        mixed = zip(tint, pixel, strict=True)
        yield tuple(round(STRENGTH * a + (1 - STRENGTH) * b) for a, b in mixed)


# What is asked


@pytest.mark.parametrize(("shade", "covers"), SHADES)
async def test_a_mask_of_nothing_or_everything_is_questioned_and_nothing_is_held_or_sent(
    house: House, mira: Person, general: Channel, books: Books, shade: str, covers: str
) -> None:
    question = await questioned(mira, general, shade)

    assert f"The mask marks {covers}" in question.text
    assert "This cost you nothing." in question.text
    assert question.ephemeral_to == mira.user.id
    assert [b.label for b in question.buttons] == ["Generate", "Invert", "Cancel"]
    assert (books.charges(), house.imagerouter.requests) == ([], [])


async def test_the_preview_of_a_mask_of_nothing_is_the_picture(
    mira: Person, general: Channel
) -> None:
    [preview] = (await questioned(mira, general, "black")).attachments
    same = sum(map(alike, pixels(preview.data), pixels(BOAT)))
    assert same > 0.99 * len(pixels(BOAT))


async def test_the_preview_of_a_mask_of_everything_is_tinted_all_over(
    mira: Person, general: Channel
) -> None:
    [preview] = (await questioned(mira, general, "white")).attachments
    shown = [0, 0]
    for pixel, before in zip(pixels(preview.data), pixels(BOAT), strict=True):
        assert not alike(pixel, before)
        for place, expected in enumerate(tinted(before)):
            shown[place] += alike(pixel, expected)
    # Stripes of two colours, whose edges are blurred.
    assert min(shown) > 0.35 * len(pixels(BOAT))


# The answers


@pytest.mark.parametrize("label", ["Generate", "Invert"])
@pytest.mark.parametrize(("shade", "covers"), SHADES)
async def test_generate_sends_the_mask_as_it_is_and_invert_the_other_way_round(
    house: House,
    mira: Person,
    general: Channel,
    books: Books,
    shade: str,
    covers: str,
    label: str,
) -> None:
    """Days and a restart later, too."""
    question = await questioned(mira, general, shade, quality="high", format="png")
    await house.restart_bot()
    house.clock.advance(2 * DAY_MS)
    await answered(mira, general, question, label)

    [request] = house.imagerouter.requests
    assert request.mask is not None
    everything = (covers == "everything") is (label == "Generate")
    assert marked(request.mask.data).size == SIZE
    assert marked(request.mask.data).getextrema() == ((255, 255) if everything else (0, 0))
    assert [file.data for file in request.images] == [BOAT]
    said = {name: request.fields[name] for name in ("prompt", "model", "quality", "output_format")}
    assert said == {"prompt": "a sail", "model": BRUSH, "quality": "high", "output_format": "png"}
    assert [row["state"] for row in books.charges()] == ["settled"]


@pytest.mark.parametrize("restart", [False, True])
async def test_cancel_takes_the_question_away_and_nothing_was_held_or_sent(
    house: House, mira: Person, general: Channel, books: Books, restart: bool
) -> None:
    question = await questioned(mira, general, "white")
    if restart:
        await house.restart_bot()
    generate = button(question, "Generate")
    click = await mira.click(question, button(question, "Cancel"))
    await click.acknowledged()
    await house.stop_bot()

    assert question.deleted
    assert click.followups == []
    with pytest.raises(NotPossibleError):
        await mira.click(question, generate)
    assert (books.charges(), house.imagerouter.requests) == ([], [])


@pytest.mark.parametrize("restart", [False, True])
async def test_a_question_that_is_answered_once_more_says_so_and_sends_nothing(
    house: House, mira: Person, general: Channel, books: Books, restart: bool
) -> None:
    question = await questioned(mira, general, "white")
    await answered(mira, general, question, "Invert")
    if restart:
        await house.restart_bot()
    click = await mira.click(question, button(question, "Invert"))
    told = await explanation(general, click)

    assert "You pressed this already" in told.text
    assert told.ephemeral_to == mira.user.id
    assert len(books.charges()) == len(house.imagerouter.requests) == 1


async def test_a_question_that_is_answered_after_more_than_a_week_says_so_and_sends_nothing(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    question = await questioned(mira, general, "white")
    house.clock.advance(8 * DAY_MS)
    click = await mira.click(question, button(question, "Generate"))
    assert "That is not kept any more" in (await explanation(general, click)).text
    assert (books.charges(), house.imagerouter.requests) == ([], [])


@pytest.mark.parametrize("label", ["Generate", "Invert"])
async def test_nobody_answers_the_question_of_somebody_else(
    house: House, mira: Person, theo: Person, general: Channel, books: Books, label: str
) -> None:
    hers = await questioned(mira, general, "white")
    with pytest.raises(NotPossibleError):
        await theo.click(hers, button(hers, label))

    his = await questioned(theo, general, "white")
    rename(his, button(his, label), button(hers, label))
    told = await explanation(general, await theo.click(his, button(hers, label)))
    assert "for somebody else" in told.text
    assert told.ephemeral_to == theo.user.id
    assert (books.charges(), house.imagerouter.requests) == ([], [])


async def test_a_private_question_is_answered_in_private_and_forgotten_by_a_restart(
    house: House, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    question = await questioned(mira, general, "white", private=True)
    result = await answered(mira, general, question, "Invert")
    assert result.ephemeral_to == mira.user.id
    assert house.imagerouter.requests[0].fields["response_format"] == "b64_ephemeral"

    question = await questioned(mira, general, "white", private=True)
    await house.restart_bot()
    told = await (await mira.click(question, button(question, "Generate"))).answer()
    assert "That is not kept any more" in told.text
    assert told.ephemeral_to == mira.user.id
    assert (len(books.charges()), len(house.imagerouter.requests)) == (1, 1)
    assert theo.messages(general) == []


# A model without masks


async def test_a_model_without_masks_refuses_for_free_and_each_model_offered_gets_the_mask(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    shape = halved((128, 96), "white", "black")
    files = {"a": UploadedFile("boat.png", BOAT), "m": UploadedFile("mask.png", shape)}
    options = {"image": "a", "mask": "m", "prompt": "a sail", "model": COLLAGE, "format": "png"}
    told = await explanation(general, await mira.slash(general, "edit", options, files=files))

    assert "takes no mask" in told.text
    assert "This cost you nothing." in told.text
    assert (books.charges(), house.imagerouter.requests) == ([], [])
    offered = [str(b.label).removeprefix("Use ") for b in told.buttons]
    able = {each.id for each in house.imagerouter.models.values() if each.mask}
    assert set(offered) == able - {"test/test"}

    await house.restart_bot()
    for model in offered:
        await answered(mira, general, told, f"Use {model}")
    for model, request in zip(offered, house.imagerouter.requests, strict=True):
        assert (request.fields["model"], request.fields["prompt"]) == (model, "a sail")
        assert request.fields["output_format"] == "png"
        assert [(file.field, file.data) for file in request.images] == [("image[]", BOAT)]
        assert request.mask is not None
        area = marked(request.mask.data)
        left, right = area.getpixel((10, 120)), area.getpixel((310, 120))
        assert (area.size, left, right) == (SIZE, 255, 0)
