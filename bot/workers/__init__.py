"""Processes that do for the bot what it must not do itself, and that may be killed at any time.

Owns how such a process is started without the bot's secrets, confined, spoken to, and ended. What
it is asked, and what follows from an answer, is for the packages that need one.
"""

from bot.workers._frames import (
    PIECE,
    PREFIX,
    BrokenStream,
    pack_frame,
    read_frame,
    unpack_prefix,
)
from bot.workers._limits import confine, files_allowed, forbid_files, grant_cpu
from bot.workers._process import WorkerEnded, WorkerProcess
from bot.workers._stdout import answers

__all__ = [
    "PIECE",
    "PREFIX",
    "BrokenStream",
    "WorkerEnded",
    "WorkerProcess",
    "answers",
    "confine",
    "files_allowed",
    "forbid_files",
    "grant_cpu",
    "pack_frame",
    "read_frame",
    "unpack_prefix",
]
