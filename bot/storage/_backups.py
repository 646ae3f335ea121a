"""Copies that are made of a SQLite file before it is migrated: their names, how many stay."""

from pathlib import Path
from typing import Final

KEPT: Final = 3


def copy_of(path: Path, *, version: int, now_ms: int) -> Path:
    """Name a copy that is made of a file now, when it is at `version`."""
    return path.with_name(f"{path.name}.backup-{version:04d}-{now_ms}")


def backups_of(path: Path) -> list[Path]:
    """Return the copies that were made of a file, oldest first."""
    copies = path.parent.glob(f"{path.name}.backup-*")
    return sorted((c for c in copies if c.name.rpartition("-")[2].isdecimal()), key=made_at)


def made_at(copy: Path) -> int:
    """Return when a copy was made (epoch ms), which its name says."""
    return int(copy.name.rpartition("-")[2])


def delete_old(path: Path) -> None:
    """Delete all copies of a file but the newest."""
    for copy in backups_of(path)[:-KEPT]:
        copy.unlink()
