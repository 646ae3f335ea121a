"""Pictures: judge bytes, convert what Discord cannot show, fit the upload limit.

Owns `sniff` (pure, from the first bytes only), safe file names, and `ImageTools`, which decodes
hostile bytes in a process of its own that is killed when it takes too long or too much. Pillow is
imported in that process only. Knows nothing of Discord, of ImageRouter, or of money.
"""

from bot.images._sniff import Kind, filename, sniff
from bot.images._tools import ImageTools
from bot.images._types import (
    Prepared,
    Reason,
    TooLarge,
    Unusable,
    UnusablePicture,
)

__all__ = [
    "ImageTools",
    "Kind",
    "Prepared",
    "Reason",
    "TooLarge",
    "Unusable",
    "UnusablePicture",
    "filename",
    "sniff",
]
