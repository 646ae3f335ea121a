"""What goes into and comes out of `ImageTools`: plain data and the reasons for a refusal."""

from dataclasses import dataclass, field
from enum import StrEnum

from bot.errors import PictureError


class Reason(StrEnum):
    """Why bytes are no usable picture."""

    EMPTY = "empty"
    """No bytes at all."""
    NOT_A_PICTURE = "not_a_picture"
    """The first bytes are those of no picture format."""
    UNSUPPORTED = "unsupported"
    """A picture format that cannot be decoded here: HEIC, or AVIF where Pillow lacks it."""
    DAMAGED = "damaged"
    """Truncated, or not what its first bytes promise."""
    TOO_MANY_PIXELS = "too_many_pixels"
    """Sides or an area that nobody draws: a decompression bomb, or nearly one."""
    UNSAFE = "unsafe"
    """An SVG that declares entities, or is nested to exhaust its reader."""
    TOO_COSTLY = "too_costly"
    """Decoding took more time or memory than it may have."""
    NO_WORKER = "no_worker"
    """The process that decodes pictures did not start: a fault of this machine."""


class UnusablePicture(PictureError):
    """The bytes cannot be used; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture that Discord shows and that fits."""

    data: bytes = field(repr=False)
    media_type: str
    extension: str
    """Without a dot: `png`, `jpg`, `webp` or `gif`."""
    width: int
    """Pixels, as is `height`. For an untouched picture what its header states."""
    height: int
    reencoded: bool
    """False: `data` is the very object that was given."""


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A good picture that cannot be made small enough without spoiling it: post its link."""

    size: int
    """Bytes of the picture as given."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """Bytes that cannot be shown, and why."""

    reason: Reason
