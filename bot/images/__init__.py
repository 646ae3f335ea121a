"""Pictures: judge bytes, convert what Discord cannot show, fit the upload limit; clean and mask.

Owns `sniff` (pure, from the first bytes only), safe file names, and `ImageTools`, which decodes
hostile bytes in a process of its own that is killed when it takes too long or too much. Pillow is
imported in that process only. Made pictures are held in memory, given ones stay in files: where
those come from and when they are deleted is for others. Knows nothing of Discord, of ImageRouter's
ways, or of money.
"""

from bot.images._look import Look
from bot.images._sniff import Kind, filename, sniff
from bot.images._tools import ImageTools
from bot.images._types import (
    MAX_FILE_BYTES,
    InputPicture,
    Mask,
    Prepared,
    Reason,
    TooLarge,
    Unusable,
    UnusablePicture,
)

__all__ = [
    "MAX_FILE_BYTES",
    "ImageTools",
    "InputPicture",
    "Kind",
    "Look",
    "Mask",
    "Prepared",
    "Reason",
    "TooLarge",
    "Unusable",
    "UnusablePicture",
    "filename",
    "sniff",
]
