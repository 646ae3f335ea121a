"""The structure of a file tells whether it is whole, and which of its bytes are the picture."""

import io
import struct
import warnings
import zlib
from collections.abc import Coroutine
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from bot.images import Kind
from bot.images._scan import READ, Layout, Span, Window
from bot.images._scan_formats import scan

SECRET = b"51.5007 N 0.1246 W"


def drawing(mode: str = "RGB", size: tuple[int, int] = (40, 30)) -> Image.Image:
    """A picture in which every pixel matters a little."""
    grey = Image.linear_gradient("L").resize(size)
    colours = Image.merge(
        "RGB", (grey, grey.rotate(180), grey.transpose(Image.Transpose.ROTATE_90).resize(size))
    )
    if mode in {"RGBA", "LA"}:
        colours.putalpha(grey)
    return colours.convert(mode)


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def exif(orientation: int = 1) -> bytes:
    block = Image.Exif()
    block[0x0112] = orientation
    block[0x010F] = SECRET.decode()
    return block.tobytes()


def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def png_text() -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    info.add_text("Location", SECRET.decode())
    info.add_itxt("Place", SECRET.decode(), zip=True)
    return info


def scanned(data: bytes, *, at_once: int = READ) -> Layout | None:
    """What a scan says that gets so many bytes at a time, and then none."""
    kind = {b"\xff\xd8": Kind.JPEG, b"\x89P": Kind.PNG, b"RI": Kind.WEBP}.get(data[:2])
    if kind is None:
        return None
    scanning: Coroutine[None, bytes | None, Layout | None] = scan(kind, Window())
    try:
        scanning.send(None)
        for start in range(0, len(data), at_once):
            scanning.send(data[start : start + at_once])
        scanning.send(b"")
    except StopIteration as done:
        return cast("Layout | None", done.value)
    raise AssertionError("a scan ends with its file")


def stripped(data: bytes) -> bytes:
    layout = scanned(data)
    assert layout is not None
    result = b"".join(layout.read(io.BytesIO(data)))
    assert len(result) == layout.size
    return result


def pixels(data: bytes) -> tuple[str, tuple[int, int], bytes]:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image.mode, image.size, image.convert("RGBA").tobytes()


PLAIN = {
    "baseline": saved(drawing(), "JPEG"),
    "progressive": saved(drawing(), "JPEG", progressive=True),
    "restarts": saved(drawing(size=(200, 90)), "JPEG", restart_marker_blocks=2),
    "grey jpeg": saved(drawing("L"), "JPEG"),
    "profiled jpeg": saved(drawing(), "JPEG", icc_profile=profile()),
    "png": saved(drawing(), "PNG"),
    "grey png": saved(drawing("L"), "PNG"),
    "clear png": saved(drawing("RGBA"), "PNG"),
    "palette": saved(drawing("P"), "PNG", transparency=3),
    "one bit": saved(drawing("1"), "PNG"),
    "profiled png": saved(drawing(), "PNG", icc_profile=profile(), dpi=(300, 300)),
    "webp": saved(drawing(), "WEBP"),
    "lossless webp": saved(drawing(), "WEBP", lossless=True),
    "clear webp": saved(drawing("RGBA"), "WEBP"),
    "clear lossless webp": saved(drawing("RGBA"), "WEBP", lossless=True),
    "profiled webp": saved(drawing(), "WEBP", icc_profile=profile()),
}
TELLING = {
    "jpeg": saved(drawing(), "JPEG", exif=exif(), comment=SECRET, xmp=SECRET),
    "profiled jpeg": saved(drawing(), "JPEG", exif=exif(), icc_profile=profile()),
    "png": saved(drawing("RGBA"), "PNG", exif=exif(), pnginfo=png_text()),
    "webp": saved(drawing(), "WEBP", exif=exif(), xmp=SECRET),
    "clear webp": saved(drawing("RGBA"), "WEBP", exif=exif(), icc_profile=profile()),
    "lossless webp": saved(drawing("RGBA"), "WEBP", lossless=True, xmp=SECRET),
    "trailing jpeg": PLAIN["baseline"] + SECRET,
    "trailing png": PLAIN["palette"] + SECRET,
    "trailing webp": PLAIN["webp"] + SECRET,
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_file_is_kept_byte_for_byte(name: str) -> None:
    layout = scanned(PLAIN[name])
    assert layout is not None
    assert layout.is_untouched(len(PLAIN[name]))
    assert (layout.width, layout.height) == pixels(PLAIN[name])[1]
    assert layout.has_alpha == ("clear" in name or name == "palette")


@pytest.mark.parametrize("name", TELLING)
def test_metadata_goes_and_every_pixel_stays(name: str) -> None:
    clean = stripped(TELLING[name])
    assert SECRET not in clean
    assert len(clean) < len(TELLING[name])
    assert pixels(clean) == pixels(TELLING[name])
    with Image.open(io.BytesIO(clean)) as image:
        assert not image.getexif()
        assert not {"comment", "xmp", "Location", "Place"} & set(image.info)
        assert ("icc_profile" in image.info) == (name in {"profiled jpeg", "clear webp"})
    again = scanned(clean)
    assert again is not None
    assert again.is_untouched(len(clean))


@pytest.mark.parametrize("name", PLAIN)
def test_a_file_cut_off_anywhere_is_never_called_whole(name: str) -> None:
    data = PLAIN[name]
    assert [cut for cut in range(len(data)) if scanned(data[:cut]) is not None] == []


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_picture_on_its_side_is_for_the_worker_to_turn(orientation: int) -> None:
    for form in ("JPEG", "PNG", "WEBP"):
        assert scanned(saved(drawing(), form, exif=exif(orientation))) is None


@pytest.mark.parametrize("orientation", [0, 1, 9, 65_535])
def test_an_upright_or_senseless_orientation_turns_nothing(orientation: int) -> None:
    for form in ("JPEG", "PNG", "WEBP"):
        assert scanned(saved(drawing(), form, exif=exif(orientation))) is not None


@pytest.mark.parametrize(
    "data",
    [
        saved(drawing("CMYK"), "JPEG"),
        saved(drawing("L").convert("I;16"), "PNG"),
        saved(drawing(), "WEBP", save_all=True, append_images=[drawing("L").convert("RGB")]),
    ],
)
def test_what_not_every_model_reads_is_for_the_worker(data: bytes) -> None:
    assert scanned(data) is None


def test_an_animated_png_becomes_its_first_picture() -> None:
    animated = saved(drawing(), "PNG", save_all=True, append_images=[drawing().rotate(90)])
    with Image.open(io.BytesIO(stripped(animated))) as image:
        assert getattr(image, "n_frames", 1) == 1
    assert pixels(stripped(animated)) == pixels(saved(drawing(), "PNG"))


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def test_a_thumbnail_in_the_jfif_header_goes() -> None:
    data = PLAIN["baseline"]
    thumbnail = segment(0xE0, b"JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x02\x01" + SECRET[:6])
    clean = stripped(data[:2] + thumbnail + data[20:])
    assert SECRET[:6] not in clean
    assert pixels(clean) == pixels(data)


def test_a_jpeg_of_endless_segments_or_scans_is_for_the_worker() -> None:
    data = PLAIN["progressive"]
    assert scanned(data[:2] + segment(0xFE, b"") * 3_000 + data[2:]) is None
    last_scan = data[data.rindex(b"\xff\xda") : -2]
    assert scanned(data[:-2] + last_scan * 200 + data[-2:]) is None


def chunk(name: bytes, data: bytes) -> bytes:
    body = name + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"tEXt", b"a\x00b") * 40_000,
        chunk(b"CgBI", bytes(4)),
        chunk(b"IHDR", bytes(13)),
        chunk(b"gAMA", bytes(4)) * 2,
        chunk(b"gAMA", bytes(4))[:-1] + b"?",
    ],
)
def test_a_png_with_chunks_that_should_not_be_there_is_for_the_worker(extra: bytes) -> None:
    data = PLAIN["png"]
    assert scanned(data[:33] + extra + data[33:]) is None


def test_a_png_whose_data_was_changed_is_for_the_worker() -> None:
    data = bytearray(PLAIN["png"])
    data[data.index(b"IDAT") + 30] ^= 1
    assert scanned(bytes(data)) is None


@pytest.mark.parametrize("shift", range(-3, 4))
def test_the_end_of_a_long_file_is_found_where_two_pieces_meet(shift: int) -> None:
    head = PLAIN["baseline"][:-2]
    header = head.rindex(b"\xff\xda") + 2
    coded = len(head) - header - int.from_bytes(head[header : header + 2], "big")
    data = head + b"\x12" * (2 * READ - coded + shift) + b"\xff\xd9"
    layout = scanned(data)
    assert layout is not None
    assert layout.is_untouched(len(data))
    assert scanned(data[:-1]) is None


@pytest.mark.parametrize("at_once", [1, 2, 7, 64])
@pytest.mark.parametrize("name", [*PLAIN, *TELLING])
def test_it_does_not_matter_in_which_pieces_a_file_comes(name: str, at_once: int) -> None:
    data = {**PLAIN, **TELLING}[name]
    assert scanned(data, at_once=at_once) == scanned(data)


# -- whatever comes -------------------------------------------------------------------------------

ALL = [*PLAIN.values(), *TELLING.values()]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A real file with a few bytes changed, put in, or taken out."""
    data = bytearray(draw(st.sampled_from(ALL)))
    for _ in range(draw(st.integers(1, 4))):
        # Most of the structure is at the front.
        at = draw(st.integers(0, 200) | st.integers(0, len(data)))
        new = draw(st.binary(max_size=8))
        data[at : at + draw(st.integers(0, 12))] = new
    return bytes(data)


@settings(max_examples=400)
@given(data=mutated(), at_once=st.sampled_from([3, 61, READ]))
def test_a_changed_file_harms_nothing_and_what_passes_shows_the_same(
    data: bytes, at_once: int
) -> None:
    layout = scanned(data)
    assert scanned(data, at_once=at_once) == layout
    if layout is None:
        return
    spans = [piece for piece in layout.pieces if isinstance(piece, Span)]
    assert all(0 <= span.start < span.end <= len(data) for span in spans)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's remarks on broken metadata
        try:
            before = pixels(data)
        except Exception:  # noqa: BLE001 - damaged beyond what the structure tells
            return
        assert pixels(stripped(data)) == before


@settings(max_examples=200)
@given(
    start=st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x10\x00\x00\x00WEBP"]),
    rest=st.binary(max_size=300),
)
def test_rubbish_behind_a_good_beginning_is_never_a_picture(start: bytes, rest: bytes) -> None:
    assert scanned(start + rest) is None


@settings(max_examples=100)
@given(
    form=st.sampled_from(["JPEG", "PNG", "WEBP"]),
    mode=st.sampled_from(["RGB", "L", "RGBA"]),
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    comment=st.binary(min_size=1, max_size=50),
)
def test_any_picture_without_its_metadata_shows_the_same(
    form: str, mode: str, size: tuple[int, int], comment: bytes
) -> None:
    image = drawing("L" if mode == "RGBA" and form == "JPEG" else mode, size)
    options = {"comment": comment} if form == "JPEG" else {}
    data = saved(image, form, exif=exif(), **options)
    assert pixels(stripped(data)) == pixels(data)
    assert SECRET not in stripped(data)
