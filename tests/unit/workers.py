"""The picture workers of this process, as the system lists them."""

import os
import subprocess
from pathlib import Path

_PROGRAM = "bot.images._worker"


def picture_workers() -> list[int]:
    """Return the ids of workers that this process has started and that are not gone."""
    return [
        pid
        for pid, parent, command in _processes()
        if parent == os.getpid() and _PROGRAM in command
    ]


def _processes() -> list[tuple[int, int, str]]:
    if not Path("/proc/self/stat").exists():
        listed = subprocess.run(
            ["ps", "-A", "-o", "pid=,ppid=,command="], capture_output=True, text=True, check=True
        )
        rows = (line.split(None, 2) for line in listed.stdout.splitlines())
        return [(int(pid), int(parent), command) for pid, parent, command in rows]
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # After the name in brackets, which may hold anything: the state, then the parent.
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended meanwhile
            continue
        found.append((int(folder.name), parent, os.fsdecode(b" ".join(words))))
    return found
