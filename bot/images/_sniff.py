"""What bytes are, judged by the bytes alone: kind, pixel size, and names for files.

Pure and quick. Reads headers only, so that a picture which passes through unchanged costs nothing;
whether the rest can be decoded is for the worker to find out.
"""

import re
import struct
from enum import Enum
from typing import Final

from msgspec import Struct

MAX_PIXELS: Final = 8_192 * 8_192
MAX_SIDE: Final = 16_384
"""Larger pictures are made to exhaust those who open them; the catalogue's largest has 18 MP."""

TEXT_WINDOW: Final = 16_384
"""Bytes in which an SVG must show its root element: `sniff` looks at no more."""

_MAX_SEGMENTS: Final = 2_000
"""JPEG segments looked at: real files have under a hundred before their size."""

_MIN_FRAME_HEADER: Final = 9


class _Format(Struct, frozen=True):
    media_type: str
    extension: str
    discord_shows: bool


class Kind(Enum):
    """A picture format."""

    PNG = _Format("image/png", "png", discord_shows=True)
    JPEG = _Format("image/jpeg", "jpg", discord_shows=True)
    WEBP = _Format("image/webp", "webp", discord_shows=True)
    GIF = _Format("image/gif", "gif", discord_shows=True)
    AVIF = _Format("image/avif", "avif", discord_shows=False)
    HEIC = _Format("image/heic", "heic", discord_shows=False)
    TIFF = _Format("image/tiff", "tiff", discord_shows=False)
    BMP = _Format("image/bmp", "bmp", discord_shows=False)
    SVG = _Format("image/svg+xml", "svg", discord_shows=False)

    @property
    def media_type(self) -> str:
        """The registered media type, such as `image/png`."""
        return self.value.media_type

    @property
    def extension(self) -> str:
        """The usual ending of a file name, without its dot."""
        return self.value.extension

    @property
    def discord_shows(self) -> bool:
        """Whether every Discord client shows it as an attachment."""
        return self.value.discord_shows


_AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
_HEIC_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)


def sniff(data: bytes) -> Kind | None:
    """Return the format that the first bytes show, or None when it is no picture.

    Names and declared media types lie (IMAGEROUTER calls a JPEG `.png`), so neither is asked.
    Compressed SVG (`.svgz`) is not recognised: nothing that is asked for answers with it.
    """
    head = bytes(data[:32])
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if head.startswith(b"\xff\xd8\xff"):
        return Kind.JPEG
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Kind.WEBP
    if head.startswith((b"GIF87a", b"GIF89a")):
        return Kind.GIF
    if head.startswith((b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")):
        return Kind.TIFF
    if head[4:8] == b"ftyp":
        return _sniff_iso_media(bytes(data[:256]))
    # "BM" alone opens many a text; the four reserved bytes and the header's size do not.
    if head[:2] == b"BM" and head[6:10] == bytes(4) and head[14:18] in _BMP_HEADER_SIZES:
        return Kind.BMP
    return Kind.SVG if _opens_svg(bytes(data[:TEXT_WINDOW])) else None


_BMP_HEADER_SIZES: Final = frozenset(
    struct.pack("<I", size) for size in (12, 16, 40, 52, 56, 64, 108, 124)
)


def _sniff_iso_media(head: bytes) -> Kind | None:
    """AVIF and HEIC are boxes; the first one lists brands (ISO/IEC 14496-12, section 4.3)."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))]
    if any(brand in _AVIF_BRANDS for brand in brands):
        return Kind.AVIF
    return Kind.HEIC if any(brand in _HEIC_BRANDS for brand in brands) else None


_SVG_ROOT: Final = re.compile(r"<(?:[A-Za-z_][\w.-]{0,40}:)?svg[\s/>]")


def _opens_svg(head: bytes) -> bool:
    """Whether the first element is `<svg>`, past a byte order mark, prolog, comments, DOCTYPE."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = head.decode("utf-16", errors="replace")
    else:
        text = head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if text.startswith("<?", at):
            end, skip = text.find("?>", at), 2
        elif text.startswith("<!--", at):
            end, skip = text.find("-->", at + 4), 3
        elif text[at : at + 9].upper() == "<!DOCTYPE":
            end, skip = _doctype_end(text, at), 1
        else:
            return _SVG_ROOT.match(text, at) is not None
        if end < 0:
            return False
        at = end + skip


def _doctype_end(text: str, at: int) -> int:
    """Index of the `>` that closes the DOCTYPE at `at`, past its internal subset; -1 if none."""
    close, subset = text.find(">", at), text.find("[", at)
    if subset < 0 or close < subset:
        return close
    subset_end = text.find("]", subset)
    return -1 if subset_end < 0 else text.find(">", subset_end)


def too_many_pixels(size: tuple[int, int]) -> bool:
    """Whether a picture of this width and height is made to exhaust those who open it."""
    return max(size) > MAX_SIDE or size[0] * size[1] > MAX_PIXELS


def dimensions(kind: Kind, data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels that the header states, or None when there is no such header.

    For the formats that Discord shows. EXIF orientation is not applied.
    """
    match kind:
        case Kind.PNG:
            found = _unpack(">II", data, 16) if data[12:16] == b"IHDR" else None
        case Kind.GIF:
            found = _unpack("<HH", data, 6)
        case Kind.WEBP:
            found = _webp_dimensions(data)
        case Kind.JPEG:
            found = _jpeg_dimensions(data)
        case _:
            return None
    return found if found and min(found) > 0 else None


def _unpack(layout: str, data: bytes, at: int) -> tuple[int, int] | None:
    if len(data) < at + struct.calcsize(layout):
        return None
    first, second = struct.unpack_from(layout, data, at)
    return int(first), int(second)


def _webp_dimensions(data: bytes) -> tuple[int, int] | None:
    """Size from the first chunk (RFC 9649, section 2: `VP8 `, `VP8L` or `VP8X`)."""
    chunk = data[12:16]
    if len(data) < 30:  # noqa: PLR2004 - the end of the longest of the three headers
        return None
    if chunk == b"VP8X":
        return (
            int.from_bytes(data[24:27], "little") + 1,
            int.from_bytes(data[27:30], "little") + 1,
        )
    if chunk == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _jpeg_dimensions(data: bytes) -> tuple[int, int] | None:
    """Walk the segments to the frame header (ITU-T T.81, section B.2.2)."""
    at = 2
    for _ in range(_MAX_SEGMENTS):
        if len(data) < at + _MIN_FRAME_HEADER or data[at] != 0xFF:  # noqa: PLR2004 - a marker
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # noqa: PLR2004 - a fill byte
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:  # noqa: PLR2004 - SOFn
            height, width = struct.unpack_from(">HH", data, at + 5)
            return int(width), int(height)
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


_SAFE_EXTENSIONS: Final = frozenset(kind.extension for kind in Kind)


def filename(index: int, extension: str) -> str:
    """Name the attachment number `index` (from 0): `picture-1.webp`.

    Nothing from outside goes into a name: an extension that is none of ours becomes `bin`.
    """
    safe = extension if extension in _SAFE_EXTENSIONS else "bin"
    return f"picture-{max(0, index) + 1}.{safe}"
