"""`/edit`: what a person attaches is what ImageRouter gets, and what it makes of it is posted."""

import io

import pytest
from PIL import Image

from sandbox.books import Books
from sandbox.discord import Channel, Person, UploadedFile
from sandbox.house import House, explanation, pictures
from tests.discord.edits import COLLAGE, halved, marked

BRUSH = "mosaic/tessera-brush"
CUTOUT = "harborlight/cutout"

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


def png(colour: str = "red", size: tuple[int, int] = (64, 48), mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size, colour).save(buffer, "PNG")
    return buffer.getvalue()


async def test_an_attached_picture_goes_out_byte_for_byte_and_its_edit_is_posted_with_its_cost(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    boat = UploadedFile("boat.png", png())
    options = {"image": "a", "prompt": "make it blue", "model": BRUSH}
    ask = await mira.slash(general, "edit", options, files={"a": boat})
    message = await pictures(mira, general, ask)

    [request] = house.imagerouter.requests
    assert request.endpoint == "edits"
    assert request.fields["prompt"] == "make it blue"
    assert [(file.field, file.data) for file in request.files] == [("image[]", boat.data)]
    assert [a.data for a in message.attachments] == [house.imagerouter.answers[0].data]
    [charge] = house.imagerouter.charges
    assert [(row["state"], row["actual"]) for row in books.charges()] == [
        ("settled", charge.cost_micros)
    ]
    assert books.rows("SELECT command FROM job") == [{"command": "edit"}]


async def test_sixteen_pictures_go_out_in_their_order(
    house: House, mira: Person, general: Channel
) -> None:
    files = {
        f"file{n}": UploadedFile(f"picture {n}.png", png(f"rgb({n * 15},80,120)"))
        for n in range(1, 17)
    }
    options = {"prompt": "a collage", "model": COLLAGE, "image": "file1"}
    options |= {f"image{n}": f"file{n}" for n in range(2, 17)}
    ask = await mira.slash(general, "edit", options, files=files)
    await pictures(mira, general, ask)

    [request] = house.imagerouter.requests
    assert [file.data for file in request.images] == [file.data for file in files.values()]
    assert {file.field for file in request.files} == {"image[]"}


async def test_a_mask_is_brought_to_the_pictures_size_and_marks_its_area_in_both_conventions(
    house: House, mira: Person, general: Channel
) -> None:
    files = {
        "a": UploadedFile("boat.png", png(size=(64, 48))),
        "m": UploadedFile("mask.png", halved((128, 96), "white", "black")),
    }
    options = {"image": "a", "mask": "m", "prompt": "a sail", "model": BRUSH}
    ask = await mira.slash(general, "edit", options, files=files)
    await pictures(mira, general, ask)

    [request] = house.imagerouter.requests
    assert request.mask is not None
    assert request.mask.field == "mask[]"
    area = marked(request.mask.data)
    assert area.size == (64, 48)
    assert area.getpixel((2, 24)) == 255
    assert area.getpixel((61, 24)) == 0


@pytest.mark.parametrize(
    ("area", "inside", "outside"),
    [
        ("left", (1, 24), (62, 24)),
        ("right", (62, 24), (1, 24)),
        ("top", (32, 1), (32, 46)),
        ("bottom", (32, 46), (32, 1)),
        ("center", (32, 24), (1, 1)),
        ("border", (1, 1), (32, 24)),
    ],
)
async def test_an_area_needs_no_mask_file(
    house: House,
    mira: Person,
    general: Channel,
    area: str,
    inside: tuple[int, int],
    outside: tuple[int, int],
) -> None:
    options = {"image": "a", "area": area, "prompt": "clouds", "model": BRUSH}
    ask = await mira.slash(general, "edit", options, files={"a": UploadedFile("a.png", png())})
    await pictures(mira, general, ask)

    mask = house.imagerouter.requests[0].mask
    assert mask is not None
    shown = marked(mask.data)
    assert (shown.getpixel(inside), shown.getpixel(outside)) == (255, 0)


async def test_a_transparent_background_is_an_area_and_an_opaque_one_is_explained(
    house: House, mira: Person, general: Channel
) -> None:
    cut = Image.new("RGBA", (64, 48), (0, 0, 0, 0))
    cut.paste((200, 30, 30, 255), (16, 12, 48, 36))
    buffer = io.BytesIO()
    cut.save(buffer, "PNG")
    options = {"image": "a", "area": "background", "prompt": "a sea", "model": BRUSH}
    files = {"a": UploadedFile("cut.png", buffer.getvalue())}
    ask = await mira.slash(general, "edit", options, files=files)
    await pictures(mira, general, ask)
    mask = house.imagerouter.requests[0].mask
    assert mask is not None
    shown = marked(mask.data)
    assert (shown.getpixel((2, 2)), shown.getpixel((32, 24))) == (255, 0)

    ask = await mira.slash(general, "edit", options, files={"a": UploadedFile("full.png", png())})
    told = await explanation(general, ask)
    assert "“full\\.png” can't be used" in told.text
    assert "transparent background" in told.text
    assert "cost you nothing" in told.text
    assert len(house.imagerouter.requests) == 1


@pytest.mark.parametrize(
    ("size", "quality", "form"),
    [("1536 x 1024", "low", "jpeg"), ("1024x1536", "high", "png"), ("auto", "medium", "webp")],
)
async def test_size_quality_and_format_go_out_as_fields_beside_the_picture(
    house: House, mira: Person, general: Channel, size: str, quality: str, form: str
) -> None:
    options = {"image": "a", "prompt": "a sail", "model": BRUSH}
    options |= {"size": size, "quality": quality, "format": form}
    ask = await mira.slash(general, "edit", options, files={"a": UploadedFile("a.png", png())})
    message = await pictures(mira, general, ask)

    [request] = house.imagerouter.requests
    assert request.content_type == "multipart/form-data"
    assert request.fields == {
        "prompt": "a sail",
        "model": BRUSH,
        "size": size.replace(" ", ""),
        "quality": quality,
        "output_format": form,
        "response_format": "url",
    }
    [shown] = message.attachments
    assert Image.open(io.BytesIO(shown.data)).format == form.upper()


async def test_two_results_take_two_requests_with_every_picture_and_the_mask_in_each(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    files = {
        "a": UploadedFile("boat.png", png()),
        "b": UploadedFile("sail.png", png("blue")),
        "m": UploadedFile("mask.png", halved((64, 48), "white", "black")),
    }
    options = {"image": "a", "image2": "b", "mask": "m", "model": BRUSH, "count": 2}
    ask = await mira.slash(general, "edit", options | {"size": "1024x1024"}, files=files)
    message = await pictures(mira, general, ask)

    assert len(message.attachments) == 2
    one, other = house.imagerouter.requests
    for request in (one, other):
        assert [file.data for file in request.images] == [png(), png("blue")]
        assert request.mask is not None
        assert marked(request.mask.data).getpixel((2, 24)) == 255
        assert request.fields["size"] == "1024x1024"
    assert one.fields == other.fields
    assert one.files == other.files
    costs = [charge.cost_micros for charge in house.imagerouter.charges]
    assert [row["actual"] for row in books.charges()] == costs
    assert len(costs) == 2


async def test_without_a_prompt_none_is_sent(house: House, mira: Person, general: Channel) -> None:
    files = {"a": UploadedFile("boat.png", png())}
    ask = await mira.slash(general, "edit", {"image": "a", "model": CUTOUT}, files=files)
    await pictures(mira, general, ask)

    assert "prompt" not in house.imagerouter.requests[0].fields


async def test_a_private_edit_is_seen_by_its_person_alone_and_nothing_of_it_is_kept(
    house: House, mira: Person, theo: Person, general: Channel, books: Books
) -> None:
    options = {"image": "a", "prompt": "a secret sail", "model": BRUSH, "private": True}
    ask = await mira.slash(general, "edit", options, files={"a": UploadedFile("b.png", png())})
    message = await pictures(mira, general, ask)

    assert message.ephemeral_to == mira.user.id
    assert theo.messages(general) == []
    assert house.imagerouter.requests[0].fields["response_format"] == "b64_ephemeral"
    assert books.rows("SELECT * FROM job_input") == books.rows("SELECT * FROM prompt") == []


async def test_a_model_that_can_not_edit_is_refused_with_models_that_can(
    house: House, mira: Person, general: Channel, books: Books
) -> None:
    options = {"image": "a", "prompt": "a sail", "model": "papercut/fold-large"}
    ask = await mira.slash(general, "edit", options, files={"a": UploadedFile("b.png", png())})
    told = await explanation(general, ask)

    assert "makes pictures from words alone" in told.text
    assert (books.charges(), house.imagerouter.requests) == ([], [])
    click = await mira.click(told, told.buttons[0].custom_id or "")
    await pictures(mira, general, click)
    assert house.imagerouter.requests[0].images[0].data == png()


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.png", b"", "no bytes at all"),
        ("notes.png", b"dear diary, today " * 40, "no picture"),
        ("half.png", png(size=(400, 400))[:-40], "damaged or cut off"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "can't be"),
    ],
)
async def test_a_bad_file_is_named_with_its_reason_and_costs_nothing(
    house: House,
    mira: Person,
    general: Channel,
    books: Books,
    name: str,
    data: bytes,
    reason: str,
) -> None:
    files = {"a": UploadedFile("fine.png", png()), "b": UploadedFile(name, data)}
    options = {"image": "a", "image2": "b", "prompt": "both", "model": COLLAGE}
    ask = await mira.slash(general, "edit", options, files=files)
    told = await explanation(general, ask)

    assert name.replace(".", "\\.") in told.text
    assert reason in told.text
    assert "cost you nothing" in told.text
    assert "both" in told.text
    assert (books.charges(), house.imagerouter.requests) == ([], [])


async def test_autocomplete_offers_models_that_can_edit_and_marks_those_with_masks(
    house: House, mira: Person, general: Channel
) -> None:
    options = {"image": 1456074443980800005}
    found = await mira.autocomplete(general, "edit", options, "model")
    labels = {choice.value: choice.name for choice in found}

    assert BRUSH in labels
    assert "mask" in labels[BRUSH]
    assert "mask" not in labels[COLLAGE]
    assert "papercut/fold-large" not in labels


async def test_a_mask_and_an_area_together_are_one_too_many(
    house: House, mira: Person, general: Channel
) -> None:
    files = {"a": UploadedFile("a.png", png()), "m": UploadedFile("m.png", png("white"))}
    options = {"image": "a", "mask": "m", "area": "left", "prompt": "x", "model": BRUSH}
    ask = await mira.slash(general, "edit", options, files=files)
    told = await explanation(general, ask)
    assert "either a mask or an area" in told.text


async def test_a_mask_beside_an_area_that_is_to_be_painted_is_not_dropped_without_a_word(
    mira: Person, general: Channel
) -> None:
    files = {"a": UploadedFile("a.png", png()), "m": UploadedFile("m.png", png("white"))}
    options = {"image": "a", "mask": "m", "area": "paint", "prompt": "x", "model": BRUSH}
    told = await (await mira.slash(general, "edit", options, files=files)).answer()
    assert "either a mask or an area" in told.text


async def test_its_options_are_as_many_as_discord_allows_and_in_their_order(
    mira: Person, general: Channel
) -> None:
    [command] = [each for each in mira.commands_in(general) if each.name == "edit"]
    names = ["image", "prompt", "mask", "area", "model", "size", "quality", "format", "count"]
    names += ["private", *(f"image{number}" for number in range(2, 17))]
    assert [option["name"] for option in command.options] == names
    assert len(names) == 25
    assert [option["name"] for option in command.options if option.get("required")] == ["image"]
