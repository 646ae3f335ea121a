"""What goes into and comes out of `ImageTools`: plain data and the reasons for a refusal."""

from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from bot.errors import PictureError
from bot.hiding import repr_without

MAX_FILE_BYTES: Final = 25 * 1024 * 1024 - 1
"""The largest file that ImageRouter takes: exactly 25 MiB is refused (observed)."""


class Reason(StrEnum):
    """Why bytes are no usable picture."""

    EMPTY = "empty"
    """No bytes at all."""
    NOT_A_PICTURE = "not_a_picture"
    """The first bytes are those of no picture format."""
    UNSUPPORTED = "unsupported"
    """A picture format that cannot be used here: HEIC, AVIF where Pillow lacks it, SVG given."""
    DAMAGED = "damaged"
    """Truncated, or not what its first bytes promise."""
    TOO_MANY_PIXELS = "too_many_pixels"
    """Sides or an area that nobody draws: a decompression bomb, or nearly one."""
    UNSAFE = "unsafe"
    """An SVG that declares entities, or is nested to exhaust its reader."""
    TOO_COSTLY = "too_costly"
    """Decoding took more time or memory than it may have."""
    TOO_LARGE = "too_large"
    """More bytes than are looked at, or it cannot be brought into the bytes it may have."""
    NO_BACKGROUND = "no_background"
    """Its background was asked for, and nothing in it is transparent."""
    NO_WORKER = "no_worker"
    """The process that decodes pictures did not start: a fault of this machine."""


class UnusablePicture(PictureError):
    """The bytes cannot be used; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Prepared(Struct, frozen=True):
    """A picture that Discord shows and that fits."""

    data: bytes
    media_type: str
    extension: str
    """Without a dot: `png`, `jpg`, `webp` or `gif`."""
    width: int
    """Pixels, as is `height`. For an untouched picture what its header states."""
    height: int
    reencoded: bool
    """False: `data` is the very object that was given."""

    def __repr__(self) -> str:
        return repr_without(self, "data")


class TooLarge(Struct, frozen=True):
    """A good picture that cannot be made small enough without spoiling it: post its link."""

    size: int
    """Bytes of the picture as given."""


class Unusable(Struct, frozen=True):
    """Bytes that cannot be shown, and why."""

    reason: Reason


class InputPicture(Struct, frozen=True):
    """A picture on disk that can be sent: JPEG, PNG or WebP, upright, one frame, no metadata."""

    path: Path
    """The file that was given, when nothing had to change."""
    media_type: str
    extension: str
    """Without a dot: `png`, `jpg` or `webp`."""
    width: int
    """Pixels, as is `height`, of the picture as people see it."""
    height: int
    has_alpha: bool
    """Whether the format lets pixels be transparent; all of them may be opaque nevertheless."""
    size: int
    """Bytes."""


class Mask(Struct, frozen=True):
    """A PNG on disk that marks an area of a picture: white and transparent; the rest is black."""

    path: Path
    width: int
    """Pixels, as is `height`: those of the picture."""
    height: int
    coverage: float
    """The part of the picture that may change: 0 to 1, soft edges counted by their strength."""
    covers: Literal["nothing", "everything"] | None
    """Exactly nothing, or all of it; None for a part."""
    size: int
    """Bytes."""
