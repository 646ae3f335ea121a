"""JSON as ImageRouter sends it: exact money, and picture strings too large to parse as text.

`AnswerReader` takes an answer's body piece by piece. Strings longer than `LONG_STRING_BYTES` are
lifted out of the JSON while they arrive and decoded from base64 on the way, in pieces that take
well under a millisecond each, so that a 16 MB picture neither blocks the event loop nor exists in
memory more than once. What remains of the body is small and is parsed as usual.
"""

import binascii
import json
import secrets
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias

from msgspec import Struct, field

JsonValue: TypeAlias = (
    "dict[str, JsonValue] | list[JsonValue] | str | int | Decimal | bool | LongString | None"
)

LONG_STRING_BYTES: Final = 32 * 1024
_PIECE_BYTES: Final = 64 * 1024
_HEAD_BYTES: Final = 4 * 1024
_DATA_URI_HEAD: Final = 200  # bytes within which the comma of a data: URI must come
_LONGEST_NUMBER: Final = 60  # digits; nothing real is longer, and parsing them costs time
_LONGEST_ESCAPE: Final = 6  # bytes of a \uXXXX
_QUOTE: Final = 0x22
_BACKSLASH: Final = 0x5C
_BLANKS: Final = b" \t\r\n"


class NotJson(ValueError):
    """The text is no JSON document. `empty`: there was nothing but blanks."""

    def __init__(self, *, empty: bool = False) -> None:
        super().__init__("empty" if empty else "not JSON")
        self.empty = empty


class TooLong(ValueError):
    """The JSON, long strings not counted, is larger than anything sensible."""


def parse_number(text: str) -> Decimal:
    """Parse a JSON number exactly; NaN for one that no amount or count could be."""
    if len(text) > _LONGEST_NUMBER:
        return Decimal("NaN")
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


def _parse_int(text: str) -> int | Decimal:
    return int(text) if len(text) <= _LONGEST_NUMBER else Decimal("NaN")


DECODER: Final = json.JSONDecoder(
    parse_float=parse_number, parse_int=_parse_int, parse_constant=lambda _: Decimal("NaN")
)
"""Numbers are `int` or exact `Decimal`; NaN stands for the ones that make no sense."""


def parse_json(body: bytes) -> JsonValue:
    """Parse a small document. Raises NotJson."""
    text = body.decode("utf-8", "replace").lstrip("\ufeff").strip()
    if not text:
        raise NotJson(empty=True)
    try:
        value: JsonValue = DECODER.decode(text)
    except (ValueError, RecursionError):
        raise NotJson from None
    return value


class LongString(Struct):
    """A string value too long for text: its first bytes, and what it decodes to from base64."""

    limit: int
    """Decoded bytes kept at most; more makes `data` None."""
    head: bytes = b""
    _decoded: list[bytes] = field(default_factory=list)
    _size: int = 0
    _carry: bytes = b""
    _prefix_done: bool = False
    _broken: bool = False

    def feed(self, piece: bytes) -> None:
        """Take the next bytes of the string, as they stand between the quotes."""
        if len(self.head) < _HEAD_BYTES:
            self.head += piece[: _HEAD_BYTES - len(self.head)]
        if self._broken:
            return
        carry = self._carry + piece
        if not self._prefix_done:
            if len(carry) < _DATA_URI_HEAD:
                self._carry = carry
                return
            carry = strip_data_uri(carry)
            self._prefix_done = True
        # An escape such as \u003d may be cut in two: what begins near the end waits.
        escape = carry.rfind(b"\\", max(0, len(carry) - _LONGEST_ESCAPE))
        whole = len(carry) if escape < 0 else escape
        self._carry = self._decode(carry[:whole]) + carry[whole:]

    def finish(self) -> None:
        """Take note that the closing quote has come."""
        if self._broken:
            return
        rest = self._carry if self._prefix_done else strip_data_uri(self._carry)
        self._carry = b""
        clean = _clean_base64(rest).rstrip(b"=")
        self._decode(clean + b"=" * (-len(clean) % 4))

    def _decode(self, text: bytes) -> bytes:
        """Decode whole groups of four; return what is left over."""
        clean = _clean_base64(text)
        whole = len(clean) - len(clean) % 4
        try:
            piece = binascii.a2b_base64(clean[:whole], strict_mode=True)
        except binascii.Error:
            self._give_up()
            return b""
        self._decoded.append(piece)
        self._size += len(piece)
        if self._size > self.limit:
            self._give_up()
            return b""
        return clean[whole:]

    def _give_up(self) -> None:
        self._broken = True
        self._decoded = []
        self._size = 0
        self._carry = b""

    @property
    def size(self) -> int:
        """How many bytes `data` has."""
        return self._size

    @property
    def data(self) -> bytes | None:
        """The decoded bytes; None when it was no base64, empty, or over the limit.

        Joining megabytes takes milliseconds: ask in a thread.
        """
        return b"".join(self._decoded) if self._size else None

    @property
    def text(self) -> str:
        """The beginning of the string, for error messages that are whole web pages."""
        return self.head.decode("utf-8", "replace").replace("\\n", " ").replace('\\"', '"')


def strip_data_uri(text: bytes) -> bytes:
    """Drop a `data:image/png;base64,` prefix if there is one."""
    if text[:5].lower() != b"data:":
        return text
    comma = text.find(b",", 0, _DATA_URI_HEAD)
    return text[comma + 1 :] if comma >= 0 else text


def decode_base64(text: str) -> bytes | None:
    """Decode a short base64 string, data URI or not; None when it is none."""
    long = LongString(limit=len(text) + 4)
    long.feed(text.encode("utf-8", "replace"))
    long.finish()
    return long.data


def _clean_base64(text: bytes) -> bytes:
    """Undo JSON's escapes and line breaks, and bring the URL-safe alphabet to the usual one."""
    if b"\\" in text:
        for escape, meant in _ESCAPES:
            text = text.replace(escape, meant)
    return text.translate(_URL_SAFE, _BLANKS)


_LETTERS: Final = ((b"2b", b"+"), (b"2f", b"/"), (b"3d", b"="), (b"0a", b""), (b"0d", b""))
_ESCAPES: Final = (
    (rb"\/", b"/"),
    (rb"\n", b""),
    (rb"\r", b""),
    *((rb"\u00" + digits, meant) for digits, meant in _LETTERS),
    *((rb"\u00" + digits.upper(), meant) for digits, meant in _LETTERS),
)
"""What JSON may write for the letters of base64, and for the ends of its lines."""
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


class AnswerReader:
    """Reads one JSON body in pieces.

    `limit` bounds the JSON without its long strings, `picture_limit` the decoded bytes of each long
    string: a larger one is read to its end and thrown away, so that the cost behind it is seen.
    """

    def __init__(self, *, limit: int, picture_limit: int) -> None:
        self._limit = limit
        self._picture_limit = picture_limit
        self._skeleton = bytearray()
        self._string_start = -1  # where the open string begins in the skeleton, or -1
        self._escaped = False
        self._long: LongString | None = None
        self._longs: list[LongString] = []
        self._is_short = True
        # Unguessable, so that no answer can point at another string's bytes.
        self._mark = "long-" + secrets.token_hex(16) + ":"

    @property
    def size(self) -> int:
        """How many bytes are left to be worked on: the JSON, and the pictures that it held."""
        return len(self._skeleton) + sum(long.size for long in self._longs)

    @property
    def cut_short(self) -> bool:
        """It began like a JSON object and may simply not have come to its end."""
        return self._skeleton.lstrip(_BLANKS).startswith(b"{")

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the body. Raises TooLong."""
        if self._is_short:
            if len(self._skeleton) + len(piece) <= LONG_STRING_BYTES:  # none of its strings is long
                self._keep(piece if self._skeleton else piece.lstrip(_BLANKS))
                return
            self._is_short = False
            piece = bytes(self._skeleton) + piece
            self._skeleton.clear()
        position = 0
        while position < len(piece):
            end = min(position + _PIECE_BYTES, len(piece))
            position = self._feed_part(piece, position, end)

    def _feed_part(self, piece: bytes, start: int, end: int) -> int:
        if self._string_start < 0 and self._long is None:
            return self._outside(piece, start, end)
        stop, closed = self._string_end(piece, start, end)
        part = piece[start:stop]
        if self._long is not None:
            self._long.feed(part)
        else:
            self._keep(part)
            if len(self._skeleton) - self._string_start > LONG_STRING_BYTES:
                self._divert()
        if closed:
            self._close()
            return stop + 1
        return stop

    def _outside(self, piece: bytes, start: int, end: int) -> int:
        quote = piece.find(b'"', start, end)
        stop = end if quote < 0 else quote + 1
        part = piece[start:stop]
        # Heartbeats before the document are not worth keeping.
        self._keep(part.lstrip(_BLANKS) if not self._skeleton else part)
        if quote >= 0:
            self._string_start = len(self._skeleton)
        return stop

    def _string_end(self, piece: bytes, start: int, end: int) -> tuple[int, bool]:
        """Find the closing quote of the open string, minding backslashes across pieces."""
        position = start
        if self._escaped:
            self._escaped = False
            position += 1
        while True:
            quote = piece.find(b'"', position, end)
            limit = quote if quote >= 0 else end
            run = 0
            while limit - run > position and piece[limit - run - 1] == _BACKSLASH:
                run += 1
            if quote < 0:
                self._escaped = run % 2 == 1
                return end, False
            if run % 2 == 0:
                return quote, True
            position = quote + 1

    def _keep(self, part: bytes) -> None:
        self._skeleton += part
        if len(self._skeleton) > self._limit:
            raise TooLong

    def _divert(self) -> None:
        self._long = LongString(limit=self._picture_limit)
        self._long.feed(bytes(self._skeleton[self._string_start :]))
        del self._skeleton[self._string_start :]

    def _close(self) -> None:
        if self._long is not None:
            self._long.finish()
            self._skeleton += f"{self._mark}{len(self._longs)}".encode()
            self._longs.append(self._long)
            self._long = None
        self._skeleton.append(_QUOTE)
        self._string_start = -1

    def finish(self) -> JsonValue:
        """Parse what came. Raises NotJson."""
        return self._restore(parse_json(bytes(self._skeleton)))

    def _restore(self, value: JsonValue) -> JsonValue:
        if not self._longs:
            return value
        if isinstance(value, str) and value.startswith(self._mark):
            return self._longs[int(value.removeprefix(self._mark))]
        if isinstance(value, dict):
            return {name: self._restore(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._restore(item) for item in value]
        return value
