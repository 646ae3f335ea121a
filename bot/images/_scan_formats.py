"""What `bot.images._scan` knows of each format: JPEG, PNG and WebP."""

import re
import struct
import zlib
from typing import Final

from bot.images._scan import Layout, Pieces, Span, Unclear, Window, check_upright
from bot.images._sniff import Kind


async def scan(kind: Kind, file: Window) -> Layout | None:
    """Return the layout of a file that begins as `kind` does.

    None when it is not whole, or not plain (several frames, 16 bits, CMYK, lying on its side), or
    of a format that is not looked into here.
    """
    reader = {Kind.JPEG: _scan_jpeg, Kind.PNG: _scan_png, Kind.WEBP: _scan_webp}.get(kind)
    if reader is None:
        return None
    try:
        layout = await reader(file)
    except Unclear:
        return None
    return layout if min(layout.width, layout.height) > 0 else None


# -- JPEG (ITU-T T.81, annex B) -------------------------------------------------------------------

_MAX_SEGMENTS: Final = 2_000
_MAX_SCANS: Final = 100
"""Progressive files have about ten; thousands would keep a decoder busy for hours."""

_MARKER: Final = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""What ends a scan: in it, 0xFF is followed by a zero, by a restart marker or by itself.

These are named by what they are not, since a class that is negated is looked up at half the speed.
"""

_FILL, _EOI, _SOS, _COM, _APP0, _APP1, _APP2, _APP14, _APP15 = (
    *(0xFF, 0xD9, 0xDA, 0xFE),
    *(0xE0, 0xE1, 0xE2, 0xEE, 0xEF),
)
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2})
"""Baseline, extended, progressive; the others are for hospitals."""
_TABLES: Final = frozenset({0xC4, 0xDB, 0xDD})
_JFIF_SIZE: Final = 16
_MAX_ADOBE: Final = 32


async def _scan_jpeg(file: Window) -> Layout:
    found = _Jpeg(file)
    at = 2
    for _ in range(_MAX_SEGMENTS):
        fill, marker = await file.at(at, 2)
        if fill != _FILL:
            raise Unclear
        if marker == _EOI:
            return found.layout(at)
        at = at + 1 if marker == _FILL else await found.take_segment(marker, at)
    raise Unclear


class _Jpeg:
    """What the segments have told so far."""

    def __init__(self, file: Window) -> None:
        self._file = file
        self._frame: tuple[int, int] | None = None
        self._scans = 0
        self._pieces = Pieces()
        self._pieces.keep(0, 2)

    async def take_segment(self, marker: int, at: int) -> int:
        """Look at the segment that begins with its marker at `at`; return where the next one is."""
        end = at + 2 + int.from_bytes(await self._file.at(at + 2, 2), "big")
        if end < at + 4:
            raise Unclear
        if _APP0 <= marker <= _APP15 or marker == _COM:
            await _keep_application_data(self._file, self._pieces, marker, Span(at, end))
            return end
        if marker in _FRAMES and self._frame is None:
            self._frame = _jpeg_frame(await self._file.at(at + 4, 6))
        elif marker == _SOS and self._frame is not None and self._scans < _MAX_SCANS:
            self._scans += 1
            end = await _end_of_scan(self._file, end)
        elif marker not in _TABLES:
            raise Unclear
        self._pieces.keep(at, end)
        return end

    def layout(self, end: int) -> Layout:
        """The whole, when its last marker stands at `end`."""
        if self._frame is None or self._scans == 0:
            raise Unclear
        # What follows the end is a second picture, or somebody's data.
        self._pieces.keep(end, end + 2)
        return Layout(Kind.JPEG, *self._frame, has_alpha=False, pieces=self._pieces.all())


def _jpeg_frame(header: bytes) -> tuple[int, int]:
    """Width and height of 8-bit grey or colour; four components are print's CMYK."""
    bits, height, width, components = struct.unpack(">BHHB", header)
    if bits != 8 or components not in {1, 3}:  # noqa: PLR2004 - the usual depth
        raise Unclear
    return width, height


async def _end_of_scan(file: Window, start: int) -> int:
    """Where the next marker stands, past coded data of any length."""
    wanted = 1
    while len(data := await file.ahead(start, at_least=wanted)) >= wanted:
        if found := _MARKER.search(data):
            return start + found.start()
        # The last byte may be the first of a marker.
        wanted = 2 if data[-1] == _FILL else 1
        start += len(data) + 1 - wanted
    raise Unclear


async def _keep_application_data(file: Window, pieces: Pieces, marker: int, segment: Span) -> None:
    """Keep what colours depend on: JFIF without its thumbnail, profiles, Adobe's transform."""
    start, end = segment
    head = await file.at(start + 4, min(14, end - start - 4))
    if marker == _APP1 and head.startswith(b"Exif\x00\x00"):
        await check_upright(file, Span(start + 4, end))
    elif marker == _APP0 and head.startswith(b"JFIF\x00") and len(head) == _JFIF_SIZE - 2:
        if end - start == _JFIF_SIZE + 2:
            pieces.keep(start, end)
        else:
            pieces.insert(b"\xff\xe0" + struct.pack(">H", _JFIF_SIZE) + head[:12] + bytes(2))
    elif marker == _APP2 and head.startswith(b"ICC_PROFILE\x00"):
        pieces.keep(start, end)
    elif marker == _APP14 and head.startswith(b"Adobe"):
        if end - start > _MAX_ADOBE:
            raise Unclear
        pieces.keep(start, end)


# -- PNG (W3C, third edition, sections 5 and 11) --------------------------------------------------

_MAX_CHUNKS: Final = 30_000
"""A file of 25 MiB in pieces of a kilobyte."""

_DEPTHS: Final = {0: {1, 2, 4, 8}, 2: {8}, 3: {1, 2, 4, 8}, 4: {8}, 6: {8}}
"""Bits a sample by colour type, without 16, which not every model reads."""
_PALETTE: Final = 3
_WITH_ALPHA: Final = frozenset({4, 6})
_KEPT_CHUNKS: Final = frozenset(
    {b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"pHYs"}
    | {b"bKGD"}
)
_IGNORED_CASE: Final = 0x20
"""The bit of the name's first letter that marks a chunk as one that a reader may skip."""


async def _scan_png(file: Window) -> Layout:
    pieces = Pieces()
    pieces.keep(0, 8)
    width, height, colour = _png_header(await file.at(8, 25))
    names: set[bytes] = set()
    at, last = 8, b""
    for _ in range(_MAX_CHUNKS):
        length, name = struct.unpack(">I4s", await file.at(at, 8))
        end = at + 12 + length
        if (name == b"IHDR") != (at == 8):  # noqa: PLR2004 - it comes first, once
            raise Unclear
        if name == b"eXIf":
            await check_upright(file, Span(at + 8, end - 4))
        elif name in {b"IHDR", b"PLTE", b"IDAT", b"IEND"} or name in _KEPT_CHUNKS:
            _check_order(name, last, names)
            await _check_sum(file, Span(at, end))
            pieces.keep(at, end)
        elif not name[0] & _IGNORED_CASE:
            raise Unclear
        names.add(name)
        at, last = end, name
        if name == b"IEND":
            break
    else:
        raise Unclear
    has_palette = b"PLTE" in names
    if b"IDAT" not in names or (colour == _PALETTE and not has_palette):
        raise Unclear
    has_alpha = colour in _WITH_ALPHA or b"tRNS" in names
    return Layout(Kind.PNG, width, height, has_alpha=has_alpha, pieces=pieces.all())


def _png_header(chunk: bytes) -> tuple[int, int, int]:
    """Width, height and colour type."""
    length, name, width, height, depth, colour, packing, filters, interlace = struct.unpack(
        ">I4sIIBBBBB", chunk[:21]
    )
    plain = depth in _DEPTHS.get(colour, set()) and interlace in {0, 1}
    if length != 13 or name != b"IHDR" or packing or filters or not plain:  # noqa: PLR2004 - bytes
        raise Unclear
    return width, height, colour


def _check_order(name: bytes, last: bytes, names: set[bytes]) -> None:
    """Data chunks stand together; nothing that they depend on comes after them, or twice."""
    if name == b"IDAT":
        if b"IDAT" in names and last != b"IDAT":
            raise Unclear
    elif name in names or (b"IDAT" in names and name != b"IEND"):
        raise Unclear


async def _check_sum(file: Window, chunk: Span) -> None:
    """The checksum is over the chunk's name and data."""
    at, end = chunk.start + 4, chunk.end - 4
    value = 0
    while at < end:
        data = (await file.ahead(at))[: end - at]
        if not data:
            raise Unclear
        value = zlib.crc32(data, value)
        at += len(data)
    if value != int.from_bytes(await file.at(end, 4), "big"):
        raise Unclear


# -- WebP (RFC 9649, section 2) -------------------------------------------------------------------

_MAX_WEBP_CHUNKS: Final = 1_000
_ANIMATION, _XMP, _EXIF, _ALPHA = 0x02, 0x04, 0x08, 0x10
_EXTENDED_SIZE: Final = 10


class _WebP:
    """What the chunks have told so far."""

    def __init__(self) -> None:
        self.canvas: tuple[int, int] | None = None
        self.frame: tuple[int, int] | None = None
        self.has_alpha = False
        self.extended = b""
        """The data of the extended header."""
        self.kept: list[Span] = []
        self.names: set[bytes] = set()


async def _scan_webp(file: Window) -> Layout:
    total = int.from_bytes(await file.at(4, 4), "little") + 8
    found = _WebP()
    at = 12
    for _ in range(_MAX_WEBP_CHUNKS):
        if at == total:
            break
        name, length = struct.unpack("<4sI", await file.at(at, 8))
        end = at + 8 + length + length % 2
        if end > total:
            raise Unclear
        await _take_webp_chunk(file, found, name, Span(at, at + 8 + length), padded_end=end)
        at = end
    else:
        raise Unclear
    if found.frame is None or found.canvas not in {None, found.frame}:
        raise Unclear
    await file.at(total - 1, 1)  # it must be there, whatever it is
    return Layout(
        Kind.WEBP,
        *found.frame,
        has_alpha=found.has_alpha,
        pieces=_webp_pieces(found, total=total),
    )


async def _take_webp_chunk(
    file: Window, found: _WebP, name: bytes, chunk: Span, *, padded_end: int
) -> None:
    data = chunk.start + 8
    if name == b"VP8X":
        if chunk.start != 12 or chunk.end - data != _EXTENDED_SIZE:  # noqa: PLR2004 - it is first
            raise Unclear
        found.extended = header = await file.at(data, _EXTENDED_SIZE)
        if header[0] & _ANIMATION:
            raise Unclear
        found.has_alpha |= bool(header[0] & _ALPHA)
        width = int.from_bytes(header[4:7], "little") + 1
        height = int.from_bytes(header[7:10], "little") + 1
        found.canvas = (width, height)
    elif name in {b"VP8 ", b"VP8L"}:
        if found.frame is not None:
            raise Unclear
        found.frame, has_alpha = _webp_frame(name, await file.at(data, 10), chunk.end - data)
        found.has_alpha |= has_alpha
    elif name in {b"ICCP", b"ALPH"}:
        if found.canvas is None or found.frame is not None or name in found.names:
            raise Unclear
        found.has_alpha |= name == b"ALPH"
    elif name == b"EXIF":
        await check_upright(file, Span(data, chunk.end))
        return
    else:
        return
    found.names.add(name)
    found.kept.append(Span(chunk.start, padded_end))


def _webp_frame(name: bytes, head: bytes, length: int) -> tuple[tuple[int, int], bool]:
    """Width, height, and whether there is transparency, from the bitstream's own header."""
    if name == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        if head[0] != 0x2F or bits >> 29:  # noqa: PLR2004 - the signature; version 0
            raise Unclear
        return ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1), bool(bits >> 28 & 1)
    tag = int.from_bytes(head[:3], "little")
    # Bit 0 of the tag is clear in a key frame, its upper bits are the first partition's length.
    if tag & 1 or head[3:6] != b"\x9d\x01\x2a" or (tag >> 5) + 10 > length:
        raise Unclear
    width, height = struct.unpack_from("<HH", head, 6)
    return (width & 0x3FFF, height & 0x3FFF), False


def _webp_pieces(found: _WebP, *, total: int) -> tuple[Span | bytes, ...]:
    """The kept chunks behind headers that tell of no others."""
    pieces = Pieces()
    kept = sum(chunk.end - chunk.start for chunk in found.kept)
    if 12 + kept == total:
        pieces.keep(0, total)
        return pieces.all()
    pieces.insert(b"RIFF" + struct.pack("<I", 4 + kept) + b"WEBP")
    for chunk in found.kept:
        if found.canvas is not None and chunk.start == 12:  # noqa: PLR2004 - the extended header
            header = bytearray(found.extended)
            header[0] &= ~(_EXIF | _XMP) & 0xFF
            pieces.insert(b"VP8X" + struct.pack("<I", len(header)) + header)
        else:
            pieces.keep(chunk.start, chunk.end)
    return pieces.all()
