"""What the catalogue doesn't tell and ImageRouter's answers did, and its file on disk.

A lesson holds for 30 days, and for the catalogue's entry that it was learned about: an entry that
changed is another model under the same name. Reading and writing the file block: call them in a
thread.
"""

import hashlib
import json
from collections.abc import Collection, Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from bot.catalog import _disk
from bot.imagerouter import CatalogueModel

KEPT_MS: Final = 30 * 24 * 3_600_000

_FORMAT: Final = 1
_MAX_BYTES: Final = 8 * 1024 * 1024


class Lesson(StrEnum):
    """What an answer of ImageRouter taught about a model."""

    ONE_IMAGE = "one_image"
    """It takes a single input image."""
    NEEDS_IMAGE = "needs_image"
    """It makes nothing without an input image."""
    NO_MASK = "no_mask"
    """It takes no mask, whatever the catalogue says."""
    NO_IMAGE_INPUT = "no_image_input"
    """It takes no input image at all, whatever the catalogue says."""


_NO_INPUT: Final = frozenset({Lesson.NO_IMAGE_INPUT})
_OVERRULES: Final = {
    Lesson.NO_IMAGE_INPUT: frozenset({Lesson.ONE_IMAGE, Lesson.NEEDS_IMAGE}),
    Lesson.ONE_IMAGE: _NO_INPUT,
    Lesson.NEEDS_IMAGE: _NO_INPUT,
}
"""Lessons that can't both be true: the newer one is believed."""


class _Learned(Struct, frozen=True):
    entry: str
    """The fingerprint of the entry that it is about."""
    when_ms: int


class Lessons:
    """All lessons of a catalogue, in memory."""

    def __init__(self) -> None:
        self._learned: dict[str, dict[Lesson, _Learned]] = {}

    @property
    def models(self) -> Collection[str]:
        """The ids of models that something was learned about, at any time."""
        return self._learned.keys()

    def add(self, entry: CatalogueModel, lesson: Lesson, *, now_ms: int) -> None:
        """Remember `lesson` about a model, from now on."""
        mine = self._learned.setdefault(entry.id, {})
        for other in _OVERRULES.get(lesson, ()):
            mine.pop(other, None)
        mine[lesson] = _Learned(_fingerprint(entry), now_ms)

    def about(self, entry: CatalogueModel, *, now_ms: int) -> frozenset[Lesson]:
        """Return what is known about a model, as its entry stands now."""
        mine = self._learned.get(entry.id)
        if not mine:
            return frozenset()
        fingerprint = _fingerprint(entry)
        return frozenset(
            lesson
            for lesson, learned in mine.items()
            if learned.entry == fingerprint and _holds(learned, now_ms)
        )

    def adopt(self, rows: Iterable["Row"]) -> None:
        """Take lessons of another process; those that are here already win."""
        for row in rows:
            mine = self._learned.setdefault(row.model, {})
            if _OVERRULES.get(row.lesson, frozenset()).isdisjoint(mine):
                mine.setdefault(row.lesson, _Learned(row.entry, row.when_ms))

    def rows(self, *, now_ms: int) -> tuple["Row", ...]:
        """Return what is worth keeping on disk."""
        return tuple(
            Row(model, lesson, learned.entry, learned.when_ms)
            for model, mine in self._learned.items()
            for lesson, learned in mine.items()
            if _holds(learned, now_ms)
        )


class Row(Struct, frozen=True):
    """One lesson as the file has it."""

    model: str
    lesson: Lesson
    entry: str
    when_ms: int


def _holds(learned: _Learned, now_ms: int) -> bool:
    return now_ms - learned.when_ms < KEPT_MS


def _fingerprint(entry: CatalogueModel) -> str:
    """Stand for what an entry says a model is. Prices are left out: they move by themselves."""
    fields = [
        entry.edit,
        entry.mask,
        entry.quality,
        entry.sizes,
        entry.output,
        entry.release_date,
        [(price.provider, price.model_name) for price in entry.providers],
    ]
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()[:16]


def write(path: Path, rows: Iterable[Row], *, now_ms: int) -> None:
    """Replace the file in one step, with what another process has put there meanwhile.

    Raises:
        OSError: the disk is full, or the folder can't be written.
    """
    every = Lessons()
    every.adopt(rows)
    every.adopt(read(path))
    lessons = [[row.model, row.lesson, row.entry, row.when_ms] for row in every.rows(now_ms=now_ms)]
    body = json.dumps({"format": _FORMAT, "lessons": lessons}, indent=0).encode()
    _disk.replace_file(path, [body])


def read(path: Path) -> tuple[Row, ...]:
    """Return what `write` wrote; nothing when there is no such file, or it is damaged."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            return ()
        document = json.loads(path.read_bytes())
        if document["format"] != _FORMAT:
            return ()
        return tuple(_row(*fields) for fields in document["lessons"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return ()


def _row(model: Any, lesson: Any, entry: Any, when_ms: Any) -> Row:
    if not (isinstance(model, str) and isinstance(entry, str) and type(when_ms) is int):
        raise TypeError("a lesson has other fields")
    return Row(model, Lesson(lesson), entry, when_ms)
