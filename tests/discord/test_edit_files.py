"""Files as people send them, over every socket: what is converted, and what is refused by name."""

import io
from typing import Final

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from sandbox.books import Books
from sandbox.discord import Channel, Person, UploadedFile
from sandbox.house import House, button, explanation, pictures

BRUSH = "mosaic/tessera-brush"
MIB = 2**20
SECRET = b"Harbour Street 7"
UPRIGHT, UPSIDE_DOWN, ON_ITS_SIDE = 1, 3, 6
"""As EXIF has it; the last is to be turned clockwise."""
ORIENTATION, MAKER, PLACES, XMP = 0x0112, 0x010F, 0x8825, 0x02BC
PLACE: Final = {1: "N", 2: (53.0, 33.0, 7.0), 3: "E", 4: (9.0, 59.0, 36.0)}
SCRIPT = b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'><script>fetch('/')</script></svg>"
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1" + bytes(400)

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


def saved(image: Image.Image, form: str, **more: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **more)
    return buffer.getvalue()


def noise(side: int) -> Image.Image:
    return Image.merge("RGB", [Image.effect_noise((side, side), 90) for _ in range(3)])


def told_of(orientation: int) -> Image.Exif:
    """What a camera writes about a photo."""
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[MAKER] = SECRET.decode()
    exif.get_ifd(PLACES).update(PLACE)
    return exif


def photo(form: str, orientation: int) -> bytes:
    """A red half beside a blue one, with a place in every field that the format has."""
    picture = Image.new("RGB", (64, 48), "red")
    picture.paste("blue", (32, 0, 64, 48))
    exif = told_of(orientation)
    more: dict[str, object] = {"exif": exif, "xmp": SECRET}
    match form:
        case "JPEG":
            more["comment"] = SECRET
        case "PNG":
            texts = PngInfo()
            texts.add_text("Comment", SECRET.decode())
            texts.add_itxt("XML:com.adobe.xmp", SECRET.decode())
            more = {"exif": exif, "pnginfo": texts}
        case "TIFF":
            tags = ImageFileDirectory_v2()
            for tag, value in [*exif.items(), (PLACES, PLACE), (XMP, SECRET)]:
                tags[tag] = value
            more = {"tiffinfo": tags}
        case "GIF":
            more = {"comment": SECRET}
    return saved(picture, form, **more)


def frames() -> bytes:
    red, blue = Image.new("RGB", (40, 30), "red"), Image.new("RGB", (40, 30), "blue")
    return saved(red, "GIF", save_all=True, append_images=[blue])


async def edit(house: House, person: Person, channel: Channel, name: str, data: bytes) -> bytes:
    """Edit a file, and return what ImageRouter got."""
    options = {"image": "a", "prompt": "make it blue", "model": BRUSH}
    ask = await person.slash(channel, "edit", options, files={"a": UploadedFile(name, data)})
    await pictures(person, channel, ask)
    [file] = house.imagerouter.requests[-1].images
    return file.data


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("moving.gif", frames()),
        ("scan.tiff", saved(Image.new("CMYK", (40, 30), (0, 255, 255, 0)), "TIFF")),
        ("old.bmp", saved(Image.new("RGB", (40, 30), "red"), "BMP")),
        ("new.avif", saved(Image.new("RGB", (40, 30), "red"), "AVIF")),
        ("print.jpg", saved(Image.new("CMYK", (40, 30), (0, 255, 255, 0)), "JPEG")),
        ("deep.png", saved(Image.new("I;16", (40, 30), 30_000), "PNG")),
        ("lies.txt", saved(Image.new("RGB", (40, 30), "red"), "PNG")),
    ],
)
async def test_every_kind_of_picture_arrives_as_one_that_models_take(
    house: House, mira: Person, general: Channel, name: str, data: bytes
) -> None:
    arrived = Image.open(io.BytesIO(await edit(house, mira, general, name, data)))
    assert arrived.format in {"JPEG", "PNG", "WEBP"}
    assert arrived.size == (40, 30)
    assert getattr(arrived, "n_frames", 1) == 1
    assert arrived.mode in {"RGB", "RGBA", "L", "P"}
    if name != "deep.png":
        red, green, blue = arrived.convert("RGB").tobytes()[:3]
        assert red > 200
        assert green < 60
        assert blue < 60


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "GIF"])
@pytest.mark.parametrize("orientation", [UPRIGHT, UPSIDE_DOWN, ON_ITS_SIDE])
async def test_a_photo_arrives_upright_and_without_a_word_on_where_it_was_taken(
    house: House, mira: Person, general: Channel, form: str, orientation: int
) -> None:
    data = photo(form, orientation)
    assert SECRET in data
    turned = UPRIGHT if form == "GIF" else orientation  # which can't say how it is held
    given = Image.open(io.BytesIO(data))
    assert form == "GIF" or given.getexif().get_ifd(PLACES)
    arrived = await edit(house, mira, general, f"photo.{form.lower()}", data)

    assert SECRET not in arrived
    picture = Image.open(io.BytesIO(arrived))
    picture.load()
    assert not picture.getexif()
    assert SECRET.decode() not in repr(picture.info)
    assert picture.size == ((48, 64) if turned == ON_ITS_SIDE else (64, 48))
    raw = picture.convert("RGB").tobytes()
    begin, end = raw[:3], raw[-3:]
    red, blue = (end, begin) if turned == UPSIDE_DOWN else (begin, end)
    assert (red[0] > 200, red[2] < 60, blue[0] < 60, blue[2] > 200) == (True,) * 4


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
async def test_undo_shows_everybody_the_photo_without_a_word_on_where_it_was_taken(
    house: House, mira: Person, general: Channel, form: str
) -> None:
    sent = await edit(house, mira, general, f"photo.{form.lower()}", photo(form, UPRIGHT))
    result = await mira.wait_for(general, lambda m: bool(m.attachments))
    await house.bot.services.generation.idle()  # until it is written down which message it is
    click = await mira.click(result, button(result, "Undo"))
    [shown] = (await pictures(mira, general, click)).attachments
    assert shown.data == sent
    assert SECRET not in shown.data


async def test_a_file_of_25_mib_arrives_smaller(
    house: House, mira: Person, general: Channel
) -> None:
    mira.user.upload_limit = 100 * MIB
    data = saved(noise(3_000), "BMP")
    assert len(data) > 25 * MIB
    arrived = await edit(house, mira, general, "large.bmp", data)
    assert len(arrived) < 25 * MIB
    assert Image.open(io.BytesIO(arrived)).width > 1_000


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("bomb.png", saved(Image.new("1", (16_384, 16_384)), "PNG"), "more pixels than anybody"),
        ("wide.png", saved(Image.new("1", (100_000, 8)), "PNG"), "more pixels than anybody"),
        ("empty.png", b"", "no bytes at all"),
        ("notes.png", b"dear diary, today " * 40, "no picture"),
        ("half.jpg", saved(noise(200), "JPEG")[:9_000], "damaged or cut off"),
        ("drawing.svg", SCRIPT, "can't be read here"),
        ("drawing.png", SCRIPT, "can't be read here"),
        ("phone.heic", HEIC, "can't be read here"),
        ("half.gif", frames()[:30], "damaged or cut off"),
    ],
)
async def test_what_is_no_use_is_refused_by_name_and_costs_nothing(
    house: House,
    mira: Person,
    general: Channel,
    books: Books,
    name: str,
    data: bytes,
    words: str,
) -> None:
    for option in ("image", "mask"):
        good = UploadedFile("good.png", saved(Image.new("RGB", (40, 30), "red"), "PNG"))
        bad = UploadedFile(name, data)
        given = {"a": bad} if option == "image" else {"a": good, "m": bad}
        options = {"image": "a", "prompt": "x", "model": BRUSH}
        if option == "mask":
            options["mask"] = "m"
        told = await explanation(general, await mira.slash(general, "edit", options, files=given))
        assert name.replace(".", "\\.") in told.text
        assert words in told.text
        assert "cost you nothing" in told.text
    assert (books.charges(), house.imagerouter.requests) == ([], [])


@pytest.mark.parametrize(
    ("count", "each", "name", "words"),
    [
        (1, 65 * MIB, "photo1", "Send one below 25 MB"),
        (7, 60 * MIB, "photo7", "With it the pictures of this edit have more than 400 MB"),
        (16, 64 * MIB, "photo7", "Leave it out, or send smaller ones."),
    ],
)
async def test_more_than_an_edit_may_have_is_refused_by_the_name_of_what_is_too_much_unread(
    house: House,
    mira: Person,
    general: Channel,
    books: Books,
    count: int,
    each: int,
    name: str,
    words: str,
) -> None:
    mira.user.upload_limit = 100 * MIB
    house.discord.faults.hold("GET /cdn/*/*/*/*")  # whoever reads a picture is never answered
    data = bytes(each)
    files = {f"f{n}": UploadedFile(f"photo{n}.png", data) for n in range(1, count + 1)}
    options = {"image": "f1"} | {f"image{n}": f"f{n}" for n in range(2, count + 1)}
    options |= {"prompt": "a very long wall", "model": "saltmarsh/heron-collage"}
    told = await explanation(general, await mira.slash(general, "edit", options, files=files))

    assert f"“{name}\\.png” can't be used" in told.text
    assert words in told.text
    assert "a very long wall" in told.text
    assert "This cost you nothing." in told.text
    assert (books.charges(), house.imagerouter.requests) == ([], [])
    assert house.bot.services.inputs.bytes_kept == 0
