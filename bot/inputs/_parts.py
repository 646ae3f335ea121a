"""What `Inputs` needs of others, and the bounds it keeps."""

from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct

from bot.images import InputPicture, Look, Mask
from bot.requests import Area, Source

INPUT_BYTES: Final = 64 * 1024 * 1024
"""The largest file that is looked at. ImageRouter takes less: what is larger may still shrink."""
JOB_BYTES: Final = 400 * 1024 * 1024
"""All files of one job: sixteen of the largest that ImageRouter takes."""


class InputLimits(Struct, frozen=True):
    """Bytes on disk, and how much is done at a time; times in seconds."""

    file_bytes: int = INPUT_BYTES
    job_bytes: int = JOB_BYTES
    all_bytes: int = 2 * 1024 * 1024 * 1024
    """All files of all jobs in this process, those that wait to be sent included."""
    memory_bytes: int = 64 * 1024 * 1024
    """Of them in memory: what is sent as it came, of those who came first."""
    files_at_once: int = 4
    """Of one job."""
    jobs_at_once: int = 3
    """That fetch and convert, first come, first served."""
    renew_s: float = 15.0
    job_s: float = 300.0
    """For all files of one job together, once it is its turn."""
    patience: tuple[float, ...] = (0.5, 2.0)
    """Pauses before a host that does not answer is asked again."""


class Renew(Protocol):
    """Asks Discord for a link that works."""

    async def __call__(self, source: Source) -> Source | None:
        """Return `source` with a fresh link; None when nobody has the picture any more.

        Raises:
            InputUnreachable: Discord does not answer.
        """
        ...


class Tools(Protocol):
    """Judges and converts pictures: `bot.images.ImageTools`."""

    def as_it_is(self, path: Path, *, look: Look) -> InputPicture | None:
        """Return the picture if nothing has to change."""
        ...

    async def take_in(self, path: Path, into: Path, *, look: Look) -> InputPicture:
        """Make a picture on disk fit to be sent, in `into` where it has to change."""
        ...

    async def make_mask(
        self, picture: InputPicture, shape: Path | Area, into: Path, *, invert: bool = False
    ) -> Mask:
        """Make the mask of a picture."""
        ...

    async def preview(self, picture: InputPicture, mask: Mask) -> bytes:
        """Show what a mask covers."""
        ...


class Masks(Protocol):
    """Keeps painted masks: `bot.storage.MaskStore`."""

    async def get(self, mask_id: int) -> bytes | None:
        """Return a mask's bytes; None once it has expired."""
        ...
