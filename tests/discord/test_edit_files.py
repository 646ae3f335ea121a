"""Files as people send them, over every socket: what is converted, and what is refused by name."""

import io

import pytest
from PIL import Image

from sandbox.books import Books
from sandbox.discord import Channel, Person, UploadedFile
from sandbox.house import House, explanation, pictures

BRUSH = "mosaic/tessera-brush"
MIB = 2**20
SCRIPT = b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'><script>fetch('/')</script></svg>"
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1" + bytes(400)

pytestmark = pytest.mark.usefixtures("midday", "nobody_waits")


def saved(image: Image.Image, form: str, **more: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **more)
    return buffer.getvalue()


def noise(side: int) -> Image.Image:
    return Image.merge("RGB", [Image.effect_noise((side, side), 90) for _ in range(3)])


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
