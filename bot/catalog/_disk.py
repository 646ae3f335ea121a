"""The catalogue's copy on disk, so that a start without ImageRouter has models and prices.

One JSON line a model, after a line with the format's number, the ETag, the time and a checksum of
what follows. A file that is damaged, or that another version wrote, counts as no file. The
functions block: call them in a thread.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Final

from msgspec import Struct, ValidationError, convert, to_builtins
from msgspec.structs import replace

from bot.imagerouter import CatalogueModel

_FORMAT: Final = 1
_MAX_VANISHED: Final = 2_000
_MAX_BYTES: Final = 64 * 1024 * 1024


class Saved(Struct, frozen=True):
    """What is kept: the list of the last good answer, and models that were listed before."""

    models: tuple[CatalogueModel, ...]
    vanished: tuple[CatalogueModel, ...] = ()
    etag: str | None = None
    fetched_ms: int = 0
    popular: tuple[str, ...] = ()

    def followed_by(
        self, models: tuple[CatalogueModel, ...], *, etag: str | None, fetched_ms: int
    ) -> "Saved":
        """Return what is kept after a new answer; what it lists no more is among the vanished."""
        listed = {model.id for model in models}
        gone = (model for model in (*self.models, *self.vanished) if model.id not in listed)
        return replace(
            self,
            models=models,
            vanished=tuple(islice(gone, _MAX_VANISHED)),
            etag=etag,
            fetched_ms=fetched_ms,
        )


def write(path: Path, saved: Saved) -> None:
    """Replace the file in one step: a reader sees the old one or the new one.

    Raises:
        OSError: the disk is full, or the folder can't be written.
    """
    body = b"".join([*_lines(saved.models, listed=True), *_lines(saved.vanished, listed=False)])
    head = {
        "format": _FORMAT,
        "etag": saved.etag,
        "fetched_ms": saved.fetched_ms,
        "popular": saved.popular,
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    replace_file(path, [json.dumps(head).encode(), b"\n", body])


def replace_file(path: Path, parts: Iterable[bytes]) -> None:
    """Write a file beside `path`, then put it in its place.

    Raises:
        OSError: the disk is full, or the folder can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(parts)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _lines(models: Iterable[CatalogueModel], *, listed: bool) -> Iterable[bytes]:
    # One by one, because a thread that encodes all at once holds the interpreter meanwhile.
    for model in models:
        yield json.dumps({"listed": listed, "model": to_builtins(model)}).encode() + b"\n"


def read(path: Path) -> Saved | None:
    """Return what `write` wrote; None when there is no such file, or nothing usable in it."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            return None
        head_line, _, body = path.read_bytes().partition(b"\n")
        head = json.loads(head_line)
        if head["format"] != _FORMAT or head["sha256"] != hashlib.sha256(body).hexdigest():
            return None
        models: dict[bool, list[CatalogueModel]] = {True: [], False: []}
        for line in body.splitlines():
            entry = json.loads(line)
            models[entry["listed"]].append(convert(entry["model"], CatalogueModel))
        return Saved(
            models=tuple(models[True]),
            vanished=tuple(models[False]),
            etag=head["etag"],
            fetched_ms=head["fetched_ms"],
            popular=tuple(str(name) for name in head.get("popular", ())),
        )
    except (OSError, ValueError, TypeError, KeyError, ValidationError):
        return None
