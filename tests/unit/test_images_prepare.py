"""Pictures are made fit for Discord, and hostile ones harm nothing."""

import asyncio
import base64
import io
import random
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from PIL import Image

from bot.images import ImageTools, Prepared, Reason, TooLarge, Unusable
from bot.images._tools import fair_share
from bot.requests import OutputFormat
from tests.unit.workers import picture_workers

MIB = 1024 * 1024
SVG_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    ' width="100" height="100">'
)


@pytest.fixture
async def tools() -> AsyncIterator[ImageTools]:
    async with ImageTools() as tools:
        yield tools


def noise(size: tuple[int, int] = (400, 300), mode: str = "RGB") -> Image.Image:
    data = random.Random(7).randbytes(size[0] * size[1] * len(mode))
    return Image.frombytes(mode, size, data)


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def opened(answer: object) -> Image.Image:
    assert isinstance(answer, Prepared)
    image = Image.open(io.BytesIO(answer.data))
    image.load()
    assert image.size == (answer.width, answer.height)
    assert Image.MIME[image.format or ""] == answer.media_type
    return image


async def in_plenty(
    tools: ImageTools, pictures: Sequence[bytes], *, wanted: OutputFormat | None = None
) -> list[Prepared | TooLarge | Unusable]:
    """Prepare pictures where there is room enough for all of them."""
    return await tools.prepare(pictures, per_file=10 * MIB, in_all=25 * MIB, wanted=wanted)


def svg(body: str) -> bytes:
    return f"{SVG_HEAD}{body}</svg>".encode()


# -- what passes through, and what is converted ---------------------------------------------------


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_what_discord_shows_and_what_fits_is_handed_back_untouched(
    tools: ImageTools, form: str
) -> None:
    data = encoded(noise(), form)
    [answer] = await in_plenty(tools, [data], wanted=OutputFormat.WEBP)
    assert isinstance(answer, Prepared)
    assert answer.data is data
    assert not answer.reencoded
    assert (answer.width, answer.height) == (400, 300)


async def test_the_extension_follows_the_bytes_and_not_what_was_asked_for(
    tools: ImageTools,
) -> None:
    [answer] = await in_plenty(tools, [encoded(noise(), "JPEG")], wanted=OutputFormat.PNG)
    assert isinstance(answer, Prepared)
    assert (answer.extension, answer.media_type) == ("jpg", "image/jpeg")


@pytest.mark.parametrize("form", ["TIFF", "BMP", "AVIF"])
async def test_what_discord_does_not_show_becomes_what_it_shows(
    tools: ImageTools, form: str
) -> None:
    flat = Image.new("RGB", (40, 30), (10, 200, 30))
    [answer] = await in_plenty(tools, [encoded(flat, form)])
    image = opened(answer)
    assert image.format == "PNG"
    assert image.size == (40, 30)
    assert image.getpixel((20, 15)) == pytest.approx((10, 200, 30), abs=6)


@pytest.mark.parametrize("wanted", list(OutputFormat))
async def test_a_converted_picture_has_the_format_asked_for(
    tools: ImageTools, wanted: OutputFormat
) -> None:
    [answer] = await in_plenty(tools, [encoded(noise(), "TIFF")], wanted=wanted)
    assert (opened(answer).format or "").lower() == wanted


async def test_an_svg_is_drawn_large_enough_to_look_at(tools: ImageTools) -> None:
    drawing = svg('<rect x="0" y="0" width="50" height="100" fill="#00f"/>')
    [answer] = await in_plenty(tools, [drawing])
    image = opened(answer)
    assert image.size == (1024, 1024)
    assert image.getpixel((200, 500)) == (0, 0, 255, 255)
    assert image.getpixel((800, 500))[3] == 0  # type: ignore[index]  # RGBA


@pytest.mark.parametrize(
    ("root", "size"),
    [
        ('width="999999999" height="999999999"', (4096, 4096)),
        ('width="1" height="1e30"', (1, 1024)),
        ('viewBox="0 0 10 20"', (512, 1024)),
        ('viewBox="0 0 10 20" width="2000"', (2000, 4000)),
        ('viewBox="0 0 0 0" width="100%"', (1024, 1024)),
        ('viewBox="nonsense" width="50mm" height="25mm"', (1024, 512)),
        ('viewBox="0 0 1 1000000"', (1, 4096)),
        ("", (1024, 1024)),
    ],
)
async def test_an_svg_of_any_declared_size_is_drawn_in_a_sensible_one(
    tools: ImageTools, root: str, size: tuple[int, int]
) -> None:
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" {root}><rect width="5" height="5"/></svg>'
    [answer] = await in_plenty(tools, [drawing.encode()])
    assert opened(answer).size == size


async def test_a_converted_animation_shows_its_first_frame(tools: ImageTools) -> None:
    frames = [Image.new("RGB", (64, 64), color) for color in ("red", "blue")]
    animated = encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    [answer] = await in_plenty(tools, [animated])
    assert opened(answer).convert("RGB").getpixel((5, 5)) == (255, 0, 0)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16", "I", "F", "YCbCr"])
async def test_every_colour_mode_can_be_shown(tools: ImageTools, mode: str) -> None:
    grey = Image.linear_gradient("L")
    image = grey.convert("I").convert(mode) if mode == "I;16" else grey.convert(mode)
    [answer] = await in_plenty(tools, [encoded(image, "TIFF")])
    shown = opened(answer).convert("L")
    assert shown.getpixel((128, 255)) > 200  # type: ignore[operator]  # one band: a number
    assert shown.getpixel((128, 0)) < 50  # type: ignore[operator]  # one band: a number


async def test_transparency_is_kept_where_it_can_be_and_laid_on_white_elsewhere(
    tools: ImageTools,
) -> None:
    clear = encoded(Image.new("RGBA", (32, 32), (255, 0, 0, 0)), "TIFF")
    [webp] = await in_plenty(tools, [clear], wanted=OutputFormat.WEBP)
    [jpeg] = await in_plenty(tools, [clear], wanted=OutputFormat.JPEG)
    assert opened(webp).convert("RGBA").getchannel("A").getextrema() == (0, 0)
    assert opened(jpeg).getpixel((9, 9)) == (255, 255, 255)


async def test_a_reencoded_photo_is_upright_and_tells_nothing_about_its_maker(
    tools: ImageTools,
) -> None:
    photo = noise((1200, 600))
    photo.paste((255, 0, 0), (0, 0, 600, 600))  # red is left; turned upright it is on top
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn by 90 degrees clockwise
    exif[0x010F] = "Secret Camera"
    exif.get_ifd(0x8825)[1] = "N"
    data = encoded(photo, "JPEG", quality=95, exif=exif, comment=b"Secret Place")
    [answer] = await tools.prepare([data], per_file=len(data) - 1, in_all=25 * MIB)
    image = opened(answer)
    assert image.size == (600, 1200)
    assert image.convert("RGB").getpixel((300, 100)) == pytest.approx((255, 0, 0), abs=12)
    assert not image.getexif()
    assert isinstance(answer, Prepared)
    assert b"Secret" not in answer.data


# -- limits of size -------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [None, *OutputFormat])
async def test_a_picture_over_the_limit_is_reencoded_to_fit(
    tools: ImageTools, wanted: OutputFormat | None
) -> None:
    data = encoded(noise((1100, 900)), "PNG")
    limit = len(data) // 3
    [answer] = await tools.prepare([data], per_file=limit, in_all=25 * MIB, wanted=wanted)
    assert opened(answer).size == (1100, 900)
    assert isinstance(answer, Prepared)
    assert answer.reencoded
    assert len(answer.data) <= limit


async def test_quality_falls_before_size_does_and_size_stops_at_a_floor(
    tools: ImageTools,
) -> None:
    data = encoded(noise((1600, 800)), "PNG")
    [scaled] = await tools.prepare([data], per_file=400_000, in_all=MIB)
    [refused] = await tools.prepare([data], per_file=20_000, in_all=MIB)
    assert isinstance(scaled, Prepared)
    assert 1024 <= scaled.width < 1600
    assert scaled.width == pytest.approx(2 * scaled.height, abs=2)
    assert refused == TooLarge(size=len(data))


async def test_a_private_picture_is_made_as_small_as_it_takes(tools: ImageTools) -> None:
    data = encoded(noise((1200, 900)), "PNG")
    [answer] = await tools.prepare([data], per_file=20_000, in_all=20_000, shrink=True)
    assert opened(answer).width < 1024
    assert isinstance(answer, Prepared)
    assert 5_000 < len(answer.data) <= 20_000


async def test_a_batch_fits_as_a_whole_and_its_small_pictures_stay_as_they_are(
    tools: ImageTools,
) -> None:
    small = encoded(noise((100, 100)), "PNG")
    large = encoded(noise((700, 700)), "PNG")
    in_all = len(large)
    answers = await tools.prepare([large, small, large], per_file=10 * MIB, in_all=in_all)
    prepared = [answer for answer in answers if isinstance(answer, Prepared)]
    assert len(prepared) == 3
    assert sum(len(answer.data) for answer in prepared) <= in_all
    assert prepared[1].data is small
    assert prepared[0].reencoded
    assert prepared[2].reencoded


async def test_one_bad_picture_leaves_the_others_of_its_batch_alone(tools: ImageTools) -> None:
    good = encoded(noise(), "TIFF")
    answers = await in_plenty(tools, [b"no picture", good, b"", good[:300]])
    assert [type(answer) for answer in answers] == [Unusable, Prepared, Unusable, Unusable]


async def test_an_empty_batch_is_an_empty_answer(tools: ImageTools) -> None:
    assert await in_plenty(tools, []) == []


@pytest.mark.parametrize(
    ("sizes", "in_all", "share"),
    [
        ([10, 10], 25, 25),
        ([30, 10], 25, 15),
        ([30, 30, 30], 30, 10),
        ([1, 2, 100, 100], 43, 20),
        ([5], 3, 3),
        ([], 3, 3),
    ],
)
def test_small_files_leave_their_room_to_the_large_ones(
    sizes: list[int], in_all: int, share: int
) -> None:
    assert fair_share(sizes, in_all) == share


# -- hostile pictures -----------------------------------------------------------------------------


def bmp_of(width: int, height: int) -> bytes:
    data = bytearray(encoded(Image.new("RGB", (2, 2)), "BMP"))
    struct.pack_into("<ii", data, 18, width, height)
    return bytes(data)


def png_of(width: int, height: int) -> bytes:
    data = bytearray(encoded(Image.new("RGB", (2, 2)), "PNG"))
    struct.pack_into(">II", data, 16, width, height)
    return bytes(data)


def use_bomb() -> bytes:
    levels = "".join(
        f'<g id="l{level}">' + f'<use href="#l{level - 1}"/>' * 10 + "</g>"
        for level in range(1, 12)
    )
    return svg(f'<defs><rect id="l0" width="1" height="1"/>{levels}</defs><use href="#l11"/>')


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.EMPTY),
        (b"just text that is called picture.png", Reason.NOT_A_PICTURE),
        (b"\x89PNG\r\n\x1a\n", Reason.DAMAGED),
        (png_of(100_000, 100_000), Reason.TOO_MANY_PIXELS),
        (png_of(100_000, 1), Reason.TOO_MANY_PIXELS),
        (png_of(9_000, 9_000), Reason.TOO_MANY_PIXELS),
        (png_of(0, 10), Reason.DAMAGED),
        (bmp_of(100_000, 100_000), Reason.TOO_MANY_PIXELS),
        (bmp_of(1, 2_000_000_000), Reason.TOO_MANY_PIXELS),
        (bmp_of(300, 300), Reason.DAMAGED),
        (encoded(Image.new("RGB", (90, 90)), "TIFF")[:-500], Reason.DAMAGED),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(99), Reason.UNSUPPORTED),
        (b"<svg", Reason.NOT_A_PICTURE),
        (b"<svg ", Reason.DAMAGED),
        (SVG_HEAD.encode(), Reason.DAMAGED),
        (b"<svg>" * 100_000, Reason.UNSAFE),
        (use_bomb(), Reason.DAMAGED),
        (b'<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg>&a;</svg>', Reason.UNSAFE),
        (b'<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>', Reason.UNSAFE),
        (b'<!DOCTYPE svg [<!ENTITY % a SYSTEM "http://x.invalid/"> %a;]><svg/>', Reason.UNSAFE),
    ],
)
async def test_hostile_bytes_are_refused_with_their_reason(
    tools: ImageTools, data: bytes, reason: Reason
) -> None:
    assert await in_plenty(tools, [data]) == [Unusable(reason)]


NESTED = "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4="
OUTSIDE = [
    '<image width="100" height="100" xlink:href="{path}"/>',
    '<image width="100" height="100" href="{path}"/>',
    '<image width="100" height="100" href="  {path}"/>',
    '<image width="100" height="100" href="file://{path}"/>',
    '<image width="100" height="100" href="{relative}"/>',
    '<g xml:base="{folder}/"><image width="100" height="100" href="{name}"/></g>',
    '<filter id="f"><feImage href="{path}"/></filter><g filter="url(#f)">{rect}</g>',
    '<style>@import "{path}"; image {{ href: "{path}" }}</style><image width="99" height="99"/>',
    '<image width="100" height="100" style="href: url({path})"/>',
    '<foreignObject><img src="{path}"/></foreignObject><script href="{path}"/>',
    f'<image width="100" height="100" href="data:image/svg+xml;base64,{NESTED}"/>',
]


@pytest.mark.parametrize("body", OUTSIDE)
async def test_an_svg_reads_no_file(tools: ImageTools, tmp_path: Path, body: str) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(encoded(Image.new("RGB", (100, 100), "red"), "PNG"))
    body = body.format(
        path=secret,
        relative=secret.relative_to("/"),
        folder=tmp_path,
        name=secret.name,
        rect='<rect width="99" height="99"/>',
    )
    # Text needs the system's fonts, so that the process may open files while it draws.
    drawing = svg(f'{body}<text x="900" y="900">.</text><circle cx="95" cy="95" r="4"/>')
    [answer] = await in_plenty(tools, [drawing])
    image = opened(answer)
    assert image.getpixel((500, 500)) == (0, 0, 0, 0)
    assert image.getpixel((972, 972)) == (0, 0, 0, 255)


async def test_an_svg_keeps_its_own_references_and_embedded_pictures(tools: ImageTools) -> None:
    inner = base64.b64encode(encoded(Image.new("RGB", (9, 9), "lime"), "PNG")).decode()
    drawing = svg(
        '<defs><rect id="r" width="50" height="50"/><linearGradient id="g">'
        '<stop stop-color="blue"/></linearGradient></defs>'
        '<style>.b { fill: url(#g) }</style><use href="#r" class="b"/>'
        f'<image x="50" y="50" width="50" height="50" href="data:image/png;base64,{inner}"/>'
    )
    [answer] = await in_plenty(tools, [drawing])
    image = opened(answer)
    assert image.getpixel((200, 200)) == (0, 0, 255, 255)
    assert image.getpixel((800, 800)) == (0, 255, 0, 255)


def slow_drawing() -> bytes:
    """Takes minutes: noise over noise, on the largest canvas."""
    noises = '<feTurbulence numOctaves="9" baseFrequency="0.5"/>' * 300
    return (
        f'{SVG_HEAD.replace("100", "4000")}<filter id="f">{noises}</filter>'
        '<rect width="4000" height="4000" filter="url(#f)"/></svg>'
    ).encode()


def greedy_drawing() -> bytes:
    """Needs gigabytes: one canvas for each of many nested layers."""
    return (
        SVG_HEAD.replace("100", "4000")
        + '<g opacity="0.9">' * 150
        + '<rect width="4000" height="4000"/>'
        + "</g>" * 150
        + "</svg>"
    ).encode()


async def test_a_picture_that_exhausts_its_worker_is_given_up_and_the_next_one_is_not() -> None:
    good = encoded(noise(), "TIFF")
    async with ImageTools(timeout_s=1) as tools:
        slow, greedy, fine = await in_plenty(tools, [slow_drawing(), greedy_drawing(), good])
    assert slow == Unusable(Reason.TOO_COSTLY)
    assert greedy == Unusable(Reason.TOO_COSTLY)
    assert isinstance(fine, Prepared)


@pytest.mark.skipif(sys.platform == "win32", reason="asks the system for child processes")
async def test_no_worker_outlives_its_batch(tools: ImageTools) -> None:
    await in_plenty(tools, [encoded(noise(), "TIFF")])
    assert picture_workers() == []


@pytest.mark.skipif(sys.platform == "win32", reason="asks the system for child processes")
async def test_a_cancelled_batch_ends_its_worker_and_the_next_one_works(
    tools: ImageTools,
) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(in_plenty(tools, [slow_drawing()]), 0.5)
    assert picture_workers() == []
    [answer] = await in_plenty(tools, [encoded(noise(), "TIFF")])
    assert isinstance(answer, Prepared)


@pytest.mark.skipif(sys.platform == "win32", reason="asks the system for child processes")
async def test_closing_ends_what_is_still_at_work() -> None:
    async with ImageTools() as tools:
        batch = asyncio.create_task(in_plenty(tools, [slow_drawing()]))
        await asyncio.wait([batch], timeout=0.5)
    [answer] = await batch
    assert isinstance(answer, Unusable)
    assert picture_workers() == []
    with pytest.raises(RuntimeError):
        await in_plenty(tools, [b""])


async def test_batches_beyond_the_worker_limit_wait_for_their_turn() -> None:
    data = encoded(noise(), "TIFF")
    async with ImageTools(workers=1) as tools:
        answers = await asyncio.gather(*(in_plenty(tools, [data]) for _ in range(3)))
    assert all(isinstance(answer, Prepared) for [answer] in answers)


def test_the_bot_itself_never_loads_pillow() -> None:
    code = "import sys, bot.images; print([name for name in sys.modules if 'PIL' in name])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == "[]"
