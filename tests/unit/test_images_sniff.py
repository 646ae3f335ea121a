"""What bytes are is judged by the bytes."""

import io
import struct

import pytest
from PIL import Image

from bot.images import Kind, filename, sniff
from bot.images._sniff import dimensions

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


def picture(form: str, size: tuple[int, int] = (7, 5), **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, form, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("PNG", Kind.PNG),
        ("JPEG", Kind.JPEG),
        ("WEBP", Kind.WEBP),
        ("GIF", Kind.GIF),
        ("TIFF", Kind.TIFF),
        ("BMP", Kind.BMP),
        ("AVIF", Kind.AVIF),
    ],
)
def test_a_real_picture_is_known_by_its_first_bytes(form: str, kind: Kind) -> None:
    assert sniff(picture(form)) is kind


def iso_media(*brands: bytes) -> bytes:
    body = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    return struct.pack(">I", len(body) + 4) + body + bytes(40)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (iso_media(b"heic", b"mif1"), Kind.HEIC),
        (iso_media(b"mif1", b"heic"), Kind.HEIC),
        (iso_media(b"mif1", b"miaf", b"avif"), Kind.AVIF),
        (iso_media(b"isom", b"mp42"), None),
        (b"II+\x00" + bytes(30), Kind.TIFF),
        (b"MM\x00*" + bytes(30), Kind.TIFF),
    ],
)
def test_container_brands_and_byte_orders_are_told_apart(data: bytes, kind: Kind | None) -> None:
    assert sniff(data) is kind


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b"\n\t ",
        b"\xef\xbb\xbf",
        b'<?xml version="1.0" encoding="UTF-8"?>\n',
        b"<!-- made by hand > -->",
        b'<?xml version="1.0"?><!-- a --><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "x">\n',
        b'<!DOCTYPE svg [<!ENTITY a "b">]>',
    ],
)
def test_an_svg_is_found_behind_whatever_may_stand_before_its_root(before: bytes) -> None:
    assert sniff(before + SVG) is Kind.SVG
    assert sniff(before + b"<html><svg/></html>") is None


def test_an_svg_in_utf_16_or_with_a_prefixed_root_is_an_svg() -> None:
    assert sniff(SVG.decode().encode("utf-16")) is Kind.SVG
    assert sniff(b'<s:svg xmlns:s="http://www.w3.org/2000/svg"/>') is Kind.SVG


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89",
        b"hello.png is not a picture",
        b"BM is how this sentence begins, and nothing more",
        b"<html><body>502 Bad Gateway</body></html>",
        b'{"error": "no"}',
        b"<svgish/>",
        b"<!-- never closed",
        b"<?xml",
        b"<!DOCTYPE svg [",
        b"\x1f\x8b\x08" + SVG,
        b"%PDF-1.7",
        bytes(64),
    ],
)
def test_what_is_no_picture_is_none(data: bytes) -> None:
    assert sniff(data) is None


def test_only_what_every_client_shows_passes_through() -> None:
    assert {kind for kind in Kind if kind.discord_shows} == {
        Kind.PNG,
        Kind.JPEG,
        Kind.WEBP,
        Kind.GIF,
    }


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Kind.PNG, picture("PNG")),
        (Kind.GIF, picture("GIF")),
        (Kind.JPEG, picture("JPEG")),
        (Kind.JPEG, picture("JPEG", progressive=True, comment=b"x" * 60_000)),
        (Kind.WEBP, picture("WEBP")),
        (Kind.WEBP, picture("WEBP", lossless=True)),
        (Kind.WEBP, picture("WEBP", exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00")),
    ],
)
def test_the_header_tells_width_and_height(kind: Kind, data: bytes) -> None:
    assert dimensions(kind, data) == (7, 5)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_header_cut_anywhere_gives_a_size_or_none_and_never_an_error(form: str) -> None:
    data = picture(form)
    kind = Kind[form]
    assert {dimensions(kind, data[:cut]) for cut in range(len(data))} <= {None, (7, 5)}
    assert dimensions(kind, data[:9]) is None


def test_a_jpeg_of_endless_segments_is_given_up() -> None:
    assert dimensions(Kind.JPEG, b"\xff\xd8" + b"\xff\xe1\x00\x02" * 100_000) is None


def test_file_names_hold_nothing_from_outside() -> None:
    assert filename(0, "webp") == "picture-1.webp"
    assert filename(3, "jpg") == "picture-4.jpg"
    assert filename(0, "../../etc/passwd") == "picture-1.bin"
    assert filename(-5, "exe") == "picture-1.bin"
