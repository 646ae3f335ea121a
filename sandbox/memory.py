"""Where files are in memory, for what tests and benchmarks throw away."""

import os
import shutil
from pathlib import Path
from typing import Final

_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - what is made in it has a random name of its own
_ROOM: Final = 512 << 20
"""Bytes that each core's share may take: some thirty databases of PostgreSQL and its log of
changes are most of it."""


def folder_in_memory() -> Path | None:
    """Return the folder whose files are in memory; None where there is no room for every core."""
    try:
        there_is_room = shutil.disk_usage(_MEMORY).free >= _ROOM * (os.cpu_count() or 1)
        runs_programs = not os.statvfs(_MEMORY).f_flag & os.ST_NOEXEC
    except (OSError, AttributeError):  # Windows and macOS have none
        return None
    usable = there_is_room and runs_programs and os.access(_MEMORY, os.W_OK)
    return _MEMORY if usable else None
