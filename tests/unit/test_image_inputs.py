"""Files that people give become pictures that a model can take, or are refused with the reason."""

import asyncio
import io
import os
import random
import struct
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image, features

from bot.images import MAX_FILE_BYTES, ImageTools, InputPicture, Look, Reason, UnusablePicture
from tests.unit.workers import picture_workers

MIB = 1024 * 1024
SECRET = b"51.5007 N 0.1246 W"


@pytest.fixture
async def tools() -> AsyncIterator[ImageTools]:
    async with ImageTools() as tools:
        yield tools


@pytest.fixture
async def without_workers() -> AsyncIterator[ImageTools]:
    """Tools that have no worker to give: whoever asks for one waits until the test fails."""
    async with ImageTools(workers=0) as tools, asyncio.timeout(20):
        yield tools


def noise(size: tuple[int, int] = (400, 300), mode: str = "RGB") -> Image.Image:
    data = random.Random(7).randbytes(size[0] * size[1] * len(mode))
    return Image.frombytes(mode, size, data)


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def exif(orientation: int = 1) -> bytes:
    block = Image.Exif()
    block[0x0112] = orientation
    block[0x010F] = SECRET.decode()
    block.get_ifd(0x8825)[1] = "N"
    return block.tobytes()


class Spool:
    """A folder with one given file, and a place for what is made of it."""

    def __init__(self, folder: Path) -> None:
        self.given = folder / "given"
        self.made = folder / "made"

    async def take_in(
        self, tools: ImageTools, data: bytes, *, max_bytes: int = MAX_FILE_BYTES
    ) -> InputPicture:
        self.given.write_bytes(data)
        return await tools.take_in(self.given, self.made, max_bytes=max_bytes)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path)


def opened(picture: InputPicture) -> Image.Image:
    """The picture, after a look at whether everything said about it is true."""
    data = picture.path.read_bytes()
    assert len(data) == picture.size
    image = Image.open(io.BytesIO(data))
    image.load()
    assert image.size == (picture.width, picture.height)
    assert Image.MIME[image.format or ""] == picture.media_type
    assert not image.getexif()
    assert getattr(image, "n_frames", 1) == 1
    if image.mode == "RGBA":
        assert picture.has_alpha
    return image


# -- what needs no decoding -----------------------------------------------------------------------


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
async def test_a_clean_picture_is_the_file_itself_and_no_process_is_started(
    without_workers: ImageTools, spool: Spool, form: str
) -> None:
    data = encoded(noise(), form)
    picture = await spool.take_in(without_workers, data)
    assert picture.path == spool.given
    assert spool.given.read_bytes() == data
    assert not spool.made.exists()
    assert opened(picture).size == (400, 300)
    assert picture.extension == {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}[form]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
async def test_what_needs_no_change_is_known_before_it_is_written(
    without_workers: ImageTools, spool: Spool, form: str
) -> None:
    clean, dated = encoded(noise(), form), encoded(noise(), form, exif=exif())
    for data, max_bytes in ((clean, MAX_FILE_BYTES), (dated, MAX_FILE_BYTES), (clean, 100)):
        look = Look()
        look.see((data,))
        picture = without_workers.as_it_is(spool.given, look=look, max_bytes=max_bytes)
        if (data, max_bytes) == (clean, MAX_FILE_BYTES):
            assert picture == await spool.take_in(without_workers, data)
        else:
            assert picture is None


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
async def test_the_place_of_a_photo_is_taken_out_without_touching_a_pixel(
    without_workers: ImageTools, spool: Spool, form: str
) -> None:
    data = encoded(noise(), form, exif=exif())
    picture = await spool.take_in(without_workers, data)
    assert picture.path == spool.made
    assert SECRET in data
    assert SECRET not in spool.made.read_bytes()
    assert opened(picture).tobytes() == Image.open(io.BytesIO(data)).tobytes()
    assert spool.given.read_bytes() == data


async def test_a_palette_with_transparency_is_fine_as_it_is(
    without_workers: ImageTools, spool: Spool
) -> None:
    data = encoded(noise().quantize(16), "PNG", transparency=3)
    picture = await spool.take_in(without_workers, data)
    assert picture.path == spool.given
    assert picture.has_alpha
    assert opened(picture).mode == "P"


async def test_a_file_that_fits_without_its_metadata_is_not_decoded(
    without_workers: ImageTools, spool: Spool
) -> None:
    clean = encoded(noise(), "JPEG")
    picture = await spool.take_in(without_workers, clean + bytes(9_999), max_bytes=len(clean))
    assert spool.made.read_bytes() == clean
    assert picture.size == len(clean)


# -- what is decoded and written anew -------------------------------------------------------------


@pytest.mark.parametrize("form", ["GIF", "TIFF", "BMP"])
async def test_a_format_that_models_do_not_read_becomes_a_png(
    tools: ImageTools, spool: Spool, form: str
) -> None:
    image = noise((64, 48)).quantize(200).convert("RGB")
    picture = await spool.take_in(tools, encoded(image, form))
    assert picture.path == spool.made
    assert picture.extension == "png"
    assert opened(picture).convert("RGB").tobytes() == image.tobytes()


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
async def test_an_avif_photo_becomes_a_jpeg(tools: ImageTools, spool: Spool) -> None:
    flat = Image.new("RGB", (40, 30), (10, 200, 30))
    picture = await spool.take_in(tools, encoded(flat, "AVIF"))
    assert opened(picture).format == "JPEG"
    assert opened(picture).getpixel((20, 15)) == pytest.approx((10, 200, 30), abs=6)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
async def test_of_an_animation_the_first_frame_is_taken(
    tools: ImageTools, spool: Spool, form: str
) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    moving = encoded(frames[0], form, save_all=True, append_images=frames[1:], lossless=True)
    picture = await spool.take_in(tools, moving)
    assert opened(picture).convert("RGB").getpixel((5, 5)) == (255, 0, 0)


async def test_a_transparent_gif_stays_transparent(tools: ImageTools, spool: Spool) -> None:
    clear = Image.new("RGBA", (32, 32), (255, 0, 0, 0))
    clear.paste((0, 0, 255, 255), (0, 0, 16, 32))
    picture = await spool.take_in(tools, encoded(clear, "GIF"))
    image = opened(picture)
    assert image.getpixel((5, 5)) == (0, 0, 255, 255)
    assert image.getpixel((25, 5))[3] == 0  # type: ignore[index]  # RGBA


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
async def test_a_picture_on_its_side_is_set_upright(
    tools: ImageTools, spool: Spool, form: str
) -> None:
    photo = noise((120, 60))
    photo.paste((255, 0, 0), (0, 0, 60, 60))  # red is left; turned upright it is on top
    picture = await spool.take_in(tools, encoded(photo, form, exif=exif(6), quality=95))
    image = opened(picture).convert("RGB")
    assert image.size == (60, 120)
    assert image.getpixel((30, 20)) == pytest.approx((255, 0, 0), abs=12)
    assert SECRET not in spool.made.read_bytes()


async def test_a_printers_jpeg_gets_the_colours_of_a_screen(
    tools: ImageTools, spool: Spool
) -> None:
    photo = Image.new("RGB", (40, 40), (200, 30, 30)).convert("CMYK")
    picture = await spool.take_in(tools, encoded(photo, "JPEG", quality=95))
    image = opened(picture)
    assert (image.format, image.mode) == ("JPEG", "RGB")
    assert image.getpixel((20, 20)) == pytest.approx((200, 30, 30), abs=8)


async def test_sixteen_bits_become_eight_of_the_same_brightness(
    tools: ImageTools, spool: Spool
) -> None:
    grey = Image.new("I;16", (40, 40), 128 * 257)
    grey.paste(64 * 257, (0, 0, 20, 40))
    picture = await spool.take_in(tools, encoded(grey, "PNG"))
    image = opened(picture).convert("L")
    assert (image.getpixel((5, 5)), image.getpixel((30, 5))) == (64, 128)


# -- too many bytes -------------------------------------------------------------------------------


def test_exactly_25_mib_are_too_many() -> None:
    assert MAX_FILE_BYTES + 1 == 25 * MIB


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
async def test_a_file_at_the_limit_passes_and_one_byte_more_is_made_smaller(
    tools: ImageTools, spool: Spool, form: str
) -> None:
    data = encoded(noise((600, 500)), form, quality=95)
    passed = await spool.take_in(tools, data, max_bytes=len(data))
    assert passed.path == spool.given
    smaller = await spool.take_in(tools, data, max_bytes=len(data) - 1)
    assert smaller.path == spool.made
    assert smaller.size < len(data)
    assert opened(smaller).size == (600, 500)


async def test_transparency_outlives_being_made_smaller(tools: ImageTools, spool: Spool) -> None:
    data = encoded(noise((300, 300), "RGBA"), "PNG")
    picture = await spool.take_in(tools, data, max_bytes=len(data) // 2)
    assert opened(picture).format == "WEBP"
    assert picture.has_alpha


async def test_quality_falls_before_size_does(tools: ImageTools, spool: Spool) -> None:
    data = encoded(noise((800, 600)), "PNG")
    lower = await spool.take_in(tools, data, max_bytes=len(data) // 3)
    assert (lower.width, lower.extension) == (800, "jpg")
    tiny = await spool.take_in(tools, data, max_bytes=20_000)
    assert tiny.width < 800
    assert 5_000 < tiny.size <= 20_000
    with pytest.raises(UnusablePicture, match=Reason.TOO_LARGE):
        await spool.take_in(tools, data, max_bytes=50)


async def test_a_file_of_more_than_25_mib_is_scaled_down_and_never_in_memory_as_a_whole(
    tools: ImageTools, spool: Spool
) -> None:
    data = encoded(noise((3_000, 2_950)), "PNG", compress_level=0)
    assert len(data) > 25 * MIB
    spool.given.write_bytes(data)
    del data
    tracemalloc.start()
    try:
        as_it_is = await tools.take_in(spool.given, spool.made, max_bytes=30 * MIB)
        smaller = await tools.take_in(spool.given, spool.made)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert as_it_is.path == spool.given
    assert MIB < smaller.size <= MAX_FILE_BYTES
    assert (smaller.width, smaller.height) == (3_000, 2_950)
    assert peak < 4 * MIB


# -- bad files ------------------------------------------------------------------------------------


def png_of(width: int, height: int) -> bytes:
    data = bytearray(encoded(Image.new("RGB", (2, 2)), "PNG"))
    struct.pack_into(">II", data, 16, width, height)
    return bytes(data)


def jpeg_of(width: int, height: int) -> bytes:
    data = bytearray(encoded(Image.new("RGB", (2, 2)), "JPEG"))
    struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, height, width)
    return bytes(data)


def gif_of(width: int, height: int) -> bytes:
    data = bytearray(encoded(Image.new("RGB", (2, 2)), "GIF"))
    struct.pack_into("<HH", data, 6, width, height)
    return bytes(data)


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">%s</svg>'


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.EMPTY),
        (b"just text that is called picture.png", Reason.NOT_A_PICTURE),
        (bytes(5_000), Reason.NOT_A_PICTURE),
        (b"%PDF-1.7", Reason.NOT_A_PICTURE),
        (b"\x1f\x8b\x08" + SVG, Reason.NOT_A_PICTURE),
        (SVG % b"<script>fetch('https://x.invalid')</script>", Reason.UNSUPPORTED),
        (SVG % b'<image href="file:///etc/passwd"/>', Reason.UNSUPPORTED),
        (SVG % b"<rect/>", Reason.UNSUPPORTED),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(99), Reason.UNSUPPORTED),
        (png_of(100_000, 1), Reason.TOO_MANY_PIXELS),
        (png_of(100_000, 100_000), Reason.TOO_MANY_PIXELS),
        (png_of(9_000, 9_000), Reason.TOO_MANY_PIXELS),
        (jpeg_of(65_000, 65_000), Reason.TOO_MANY_PIXELS),
        (gif_of(60_000, 60_000), Reason.TOO_MANY_PIXELS),
        (png_of(0, 10), Reason.DAMAGED),
        (b"\x89PNG\r\n\x1a\n", Reason.DAMAGED),
        (b"GIF89a", Reason.DAMAGED),
    ],
)
async def test_a_bad_file_is_refused_before_anything_is_decoded(
    without_workers: ImageTools, spool: Spool, data: bytes, reason: Reason
) -> None:
    with pytest.raises(UnusablePicture) as refusal:
        await spool.take_in(without_workers, data)
    assert refusal.value.reason is reason
    assert not spool.made.exists()


async def test_a_true_decompression_bomb_is_refused_by_what_it_says_of_itself(
    without_workers: ImageTools, spool: Spool
) -> None:
    bomb = encoded(Image.new("1", (16_384, 16_384)), "PNG")
    assert len(bomb) < MIB
    with pytest.raises(UnusablePicture, match=Reason.TOO_MANY_PIXELS):
        await spool.take_in(without_workers, bomb)


async def test_a_file_beyond_all_bounds_is_not_even_read(
    without_workers: ImageTools, spool: Spool
) -> None:
    spool.given.write_bytes(encoded(noise(), "BMP"))
    os.truncate(spool.given, 300 * MIB)
    with pytest.raises(UnusablePicture, match=Reason.TOO_LARGE):
        await without_workers.take_in(spool.given, spool.made)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
async def test_a_truncated_file_is_refused(tools: ImageTools, spool: Spool, form: str) -> None:
    data = encoded(noise(), form)
    with pytest.raises(UnusablePicture) as refusal:
        await spool.take_in(tools, data[: len(data) // 2])
    assert refusal.value.reason is Reason.DAMAGED
    assert not spool.made.exists()


def bmp_of(width: int, height: int) -> bytes:
    data = bytearray(encoded(Image.new("RGB", (2, 2)), "BMP"))
    struct.pack_into("<ii", data, 18, width, height)
    return bytes(data)


@pytest.mark.parametrize("size", [(100_000, 100_000), (1, 2_000_000_000), (100_000, 2)])
async def test_the_worker_refuses_sizes_that_only_it_can_read(
    tools: ImageTools, spool: Spool, size: tuple[int, int]
) -> None:
    with pytest.raises(UnusablePicture, match=Reason.TOO_MANY_PIXELS):
        await spool.take_in(tools, bmp_of(*size))
    assert not spool.made.exists()


# -- whose processes and files --------------------------------------------------------------------


def workers() -> list[str]:
    """The picture workers that this process has started and that still run; from /proc."""
    children = [
        child
        for task in Path("/proc/self/task").glob("*/children")
        for child in task.read_text().split()
    ]
    lines = [Path(f"/proc/{child}/cmdline") for child in children]
    found = [line.read_bytes().decode() for line in lines if line.exists()]
    return [line for line in found if "bot.images._worker" in line]


def laborious() -> bytes:
    """Small and honest, but it takes a while: 36 million pixels of 16 bits."""
    return encoded(Image.new("I;16", (6_000, 6_000)), "PNG")


async def test_a_cancelled_file_leaves_neither_process_nor_file(
    tools: ImageTools, spool: Spool
) -> None:
    taking = asyncio.create_task(spool.take_in(tools, laborious()))
    await asyncio.wait([taking], timeout=0.3)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert not spool.made.exists()
    assert picture_workers() == []


async def test_a_picture_that_takes_too_long_is_given_up(spool: Spool) -> None:
    async with ImageTools(timeout_s=0.0) as tools:
        large = encoded(noise((4_000, 4_000)), "BMP")
        with pytest.raises(UnusablePicture, match=Reason.TOO_COSTLY):
            await spool.take_in(tools, large, max_bytes=1_000)
    assert not spool.made.exists()
    assert picture_workers() == []


async def test_closed_tools_take_nothing_in(spool: Spool) -> None:
    async with ImageTools() as tools:
        pass
    with pytest.raises(RuntimeError):
        await spool.take_in(tools, encoded(noise(), "PNG"))


async def test_a_disk_that_takes_nothing_is_told_as_what_it_is(
    tools: ImageTools, spool: Spool
) -> None:
    spool.given.write_bytes(encoded(noise(), "BMP"))
    with pytest.raises(OSError, match="missing"):
        await tools.take_in(spool.given, spool.given.parent / "missing" / "made")
    assert picture_workers() == []
