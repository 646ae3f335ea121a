"""A mask marks the right part of a picture, in both conventions at once."""

import io
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageFilter

from bot.images import ImageTools, InputPicture, Mask, Reason, UnusablePicture
from bot.requests import Area

SIZE = (80, 60)


class Studio:
    """A picture, tools, and a folder for masks."""

    def __init__(self, tools: ImageTools, folder: Path) -> None:
        self.tools = tools
        self._folder = folder

    async def picture(self, image: Image.Image | None = None, **options: object) -> InputPicture:
        path = self._folder / "picture"
        (image or Image.new("RGB", SIZE, "teal")).save(path, "PNG", **options)
        return await self.tools.take_in(path, self._folder / "clean")

    async def mask(
        self, picture: InputPicture, shape: Image.Image | bytes | Area, **options: bool | str
    ) -> Mask:
        """A mask of an area, or of a drawing in the format `form`."""
        invert = bool(options.pop("invert", False))
        place: Path | Area
        if isinstance(shape, Area):
            place = shape
        else:
            place = self._folder / "drawing"
            place.write_bytes(shape if isinstance(shape, bytes) else saved(shape, **options))
        return await self.tools.make_mask(picture, place, self._folder / "mask", invert=invert)


@pytest.fixture
async def studio(tmp_path: Path) -> AsyncIterator[Studio]:
    async with ImageTools() as tools:
        yield Studio(tools, tmp_path)


def saved(image: Image.Image, form: str | bool = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, str(form), **options)
    return out.getvalue()


def editness(mask: Mask) -> Image.Image:
    """What may change, as white on black, after a look at both conventions."""
    with Image.open(mask.path) as image:
        image.load()
    assert (image.format, image.mode) == ("PNG", "RGBA")
    assert image.size == (mask.width, mask.height)
    assert mask.path.stat().st_size == mask.size
    red, green, blue, alpha = image.split()
    assert red.tobytes() == green.tobytes() == blue.tobytes()
    assert ImageChops.invert(alpha).tobytes() == red.tobytes()
    assert mask.coverage == pytest.approx(sum(red.tobytes()) / 255 / (red.width * red.height))
    return red


def boxed(
    box: tuple[int, int, int, int], size: tuple[int, int] = SIZE, inside: int = 255
) -> Image.Image:
    """White in the box, black around it; or the other way round."""
    image = Image.new("L", size, 255 - inside)
    image.paste(inside, box)
    return image


def cut_out(box: tuple[int, int, int, int], size: tuple[int, int] = SIZE) -> Image.Image:
    """An opaque black picture that is transparent in the box."""
    image = Image.new("RGBA", size, (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), box)
    return image


# -- areas ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("area", "expected"),
    [
        (Area.LEFT, boxed((0, 0, 40, 60))),
        (Area.RIGHT, boxed((40, 0, 80, 60))),
        (Area.TOP, boxed((0, 0, 80, 30))),
        (Area.BOTTOM, boxed((0, 30, 80, 60))),
        (Area.CENTER, boxed((20, 15, 60, 45))),
        (Area.BORDER, boxed((10, 7, 70, 53), inside=0)),
    ],
)
async def test_an_area_is_where_its_name_says(
    studio: Studio, area: Area, expected: Image.Image
) -> None:
    picture = await studio.picture()
    mask = await studio.mask(picture, area)
    assert editness(mask).tobytes() == expected.tobytes()
    assert mask.covers is None
    inverted = await studio.mask(picture, area, invert=True)
    assert editness(inverted).tobytes() == ImageChops.invert(expected).tobytes()


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 2), (5, 1)])
async def test_every_area_of_the_smallest_pictures_has_a_pixel(
    studio: Studio, size: tuple[int, int]
) -> None:
    picture = await studio.picture(Image.new("RGB", size))
    for area in set(Area) - {Area.BACKGROUND}:
        assert (await studio.mask(picture, area)).coverage > 0, area


async def test_the_background_is_what_is_transparent_already(studio: Studio) -> None:
    picture = await studio.picture(cut_out((0, 0, 30, 60)))
    mask = await studio.mask(picture, Area.BACKGROUND)
    assert editness(mask).tobytes() == boxed((0, 0, 30, 60)).tobytes()
    subject = await studio.mask(picture, Area.BACKGROUND, invert=True)
    assert editness(subject).tobytes() == boxed((30, 0, 80, 60)).tobytes()


async def test_the_background_of_a_palette_picture_is_found_too(studio: Studio) -> None:
    palette = Image.new("P", SIZE, 1)
    palette.putpalette([255, 0, 0, 0, 255, 0])
    palette.paste(0, (0, 0, 80, 20))
    picture = await studio.picture(palette, transparency=0)
    mask = await studio.mask(picture, Area.BACKGROUND)
    assert editness(mask).tobytes() == boxed((0, 0, 80, 20)).tobytes()


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
async def test_an_opaque_picture_has_no_background(
    studio: Studio, mode: str, tmp_path: Path
) -> None:
    picture = await studio.picture(Image.new(mode, SIZE, "teal"))
    with pytest.raises(UnusablePicture, match=Reason.NO_BACKGROUND):
        await studio.mask(picture, Area.BACKGROUND)
    assert not (tmp_path / "mask").exists()


# -- drawings -------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["PNG", "BMP", "GIF", "TIFF", "WEBP"])
async def test_white_is_edited_when_nothing_is_transparent(studio: Studio, form: str) -> None:
    box = (8, 8, 48, 40)
    mask = await studio.mask(await studio.picture(), boxed(box).convert("RGB"), form=form)
    expected = boxed(box)
    if form == "WEBP":  # which is lossy: all but the edge is exact
        assert editness(mask).getpixel((20, 20)) == 255
        assert editness(mask).getpixel((70, 50)) == 0
    else:
        assert editness(mask).tobytes() == expected.tobytes()


async def test_transparent_is_edited_whatever_the_colours_say(studio: Studio) -> None:
    drawing = Image.new("RGBA", SIZE, "white")
    drawing.paste((0, 0, 0, 0), (0, 0, 20, 60))
    mask = await studio.mask(await studio.picture(), drawing)
    assert editness(mask).tobytes() == boxed((0, 0, 20, 60)).tobytes()


async def test_alpha_that_is_opaque_everywhere_says_nothing(studio: Studio) -> None:
    drawing = boxed((40, 0, 80, 60)).convert("RGBA")
    mask = await studio.mask(await studio.picture(), drawing)
    assert editness(mask).tobytes() == boxed((40, 0, 80, 60)).tobytes()


@pytest.mark.parametrize("factor", [0.25, 0.5, 2, 5])
async def test_a_mask_of_another_size_is_stretched_and_its_edges_stay_hard(
    studio: Studio, factor: float
) -> None:
    size = (int(80 * factor), int(60 * factor))
    box = (0, 0, size[0] // 2, size[1])
    for drawing in (boxed(box, size), cut_out(box, size)):
        mask = await studio.mask(await studio.picture(), drawing)
        assert editness(mask).tobytes() == boxed((0, 0, 40, 60)).tobytes()


async def test_a_mask_of_another_shape_covers_the_whole_picture(studio: Studio) -> None:
    mask = await studio.mask(await studio.picture(), boxed((0, 0, 10, 5), (10, 10)))
    assert editness(mask).tobytes() == boxed((0, 0, 80, 30)).tobytes()


async def test_soft_edges_stay_soft(studio: Studio) -> None:
    soft = boxed((20, 15, 60, 45)).filter(ImageFilter.GaussianBlur(6))
    shades = set(editness(await studio.mask(await studio.picture(), soft)).tobytes())
    assert {0, 255} < shades
    assert len(shades) > 40
    larger = await studio.mask(await studio.picture(), soft.resize((200, 150)))
    assert len(set(editness(larger).tobytes())) > 40


async def test_the_specks_that_jpeg_leaves_are_no_part_of_a_mask(studio: Studio) -> None:
    drawing = boxed((0, 0, 40, 60))
    mask = await studio.mask(await studio.picture(), drawing, form="JPEG")
    assert editness(mask).tobytes() == drawing.tobytes()


async def test_a_mask_that_lies_on_its_side_is_turned_like_a_picture(studio: Studio) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    mask = await studio.mask(await studio.picture(), saved(boxed((0, 0, 80, 30)), "PNG", exif=exif))
    assert editness(mask).tobytes() == boxed((0, 30, 80, 60)).tobytes()


@pytest.mark.parametrize(
    ("drawing", "covers", "coverage"),
    [
        (Image.new("L", SIZE, 0), "nothing", 0.0),
        (Image.new("L", SIZE, 255), "everything", 1.0),
        (Image.new("RGBA", SIZE, (9, 9, 9, 0)), "everything", 1.0),
        (boxed((0, 0, 1, 1)), None, 1 / 4800),
        (boxed((0, 0, 1, 1), inside=0), None, 4799 / 4800),
    ],
)
async def test_a_mask_of_nothing_or_everything_is_told_apart_from_one_pixel_less(
    studio: Studio, drawing: Image.Image, covers: str | None, coverage: float
) -> None:
    picture = await studio.picture()
    mask = await studio.mask(picture, drawing)
    assert mask.covers == covers
    assert mask.coverage == pytest.approx(coverage)
    editness(mask)
    inverted = await studio.mask(picture, drawing, invert=True)
    assert inverted.covers == {"nothing": "everything", "everything": "nothing"}.get(covers or "")
    assert inverted.coverage == pytest.approx(1 - coverage)


@pytest.mark.parametrize(
    ("drawing", "reason"),
    [
        (b"", Reason.EMPTY),
        (b"mask.png", Reason.NOT_A_PICTURE),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Reason.UNSUPPORTED),
        (saved(boxed((0, 0, 9, 9)))[:-30], Reason.DAMAGED),
        (saved(Image.new("1", (16_384, 16_384))), Reason.TOO_MANY_PIXELS),
    ],
)
async def test_a_bad_mask_is_refused_with_its_reason(
    studio: Studio, tmp_path: Path, drawing: bytes, reason: Reason
) -> None:
    picture = await studio.picture()
    with pytest.raises(UnusablePicture) as refusal:
        await studio.mask(picture, drawing)
    assert refusal.value.reason is reason
    assert not (tmp_path / "mask").exists()


# -- previews -------------------------------------------------------------------------------------


def difference(first: Image.Image, second: Image.Image, box: tuple[int, int, int, int]) -> int:
    """The strongest difference of any channel within the box."""
    changed = ImageChops.difference(first.crop(box), second.crop(box))
    return max(int(bounds[1]) for bounds in changed.getextrema() if isinstance(bounds, tuple))


@pytest.mark.parametrize(
    "colour", ["black", "white", "grey", "#ff0080", "#00ff7f", "blue", "yellow"]
)
async def test_the_area_shows_on_a_picture_of_any_colour_and_the_rest_is_left_alone(
    studio: Studio, colour: str
) -> None:
    plain = Image.new("RGB", (400, 300), colour)
    picture = await studio.picture(plain)
    mask = await studio.mask(picture, Area.LEFT)
    with Image.open(io.BytesIO(await studio.tools.preview(picture, mask))) as shown:
        assert shown.size == (400, 300)
        image = shown.convert("RGB")
    assert difference(image, plain, (20, 20, 180, 280)) > 60
    assert difference(image, plain, (220, 20, 380, 280)) < 12


@pytest.mark.parametrize(("level", "striped"), [(0, False), (255, True)])
async def test_a_mask_of_nothing_or_everything_looks_like_it(
    studio: Studio, level: int, striped: bool
) -> None:
    picture = await studio.picture()
    mask = await studio.mask(picture, Image.new("L", SIZE, level))
    with Image.open(io.BytesIO(await studio.tools.preview(picture, mask))) as shown:
        changed = difference(shown.convert("RGB"), Image.new("RGB", SIZE, "teal"), (0, 0, *SIZE))
    assert (changed > 60) is striped


async def test_a_preview_of_a_large_wild_picture_is_small(studio: Studio) -> None:
    wild = Image.frombytes("RGB", (1_500, 1_000), random.Random(3).randbytes(1_500 * 1_000 * 3))
    picture = await studio.picture(wild)
    preview = await studio.tools.preview(picture, await studio.mask(picture, Area.CENTER))
    assert len(preview) < 1024 * 1024
    with Image.open(io.BytesIO(preview)) as image:
        assert image.format == "WEBP"
        assert image.width == 1_024


async def test_what_is_gone_from_the_spool_is_told_as_what_it_is(studio: Studio) -> None:
    picture = await studio.picture()
    mask = await studio.mask(picture, Area.LEFT)
    picture.path.unlink()
    with pytest.raises(FileNotFoundError):
        await studio.tools.preview(picture, mask)
