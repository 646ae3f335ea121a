"""Rows as CSV or JSON that is harmless to open, streamed, and cut to fit an upload limit.

Knows nothing of what the rows are about. Blocking: callers on the event loop use `bot.aside`.
"""

import io
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeAlias

Cell: TypeAlias = int | Decimal | str | None
"""A number is written as one; ids are texts, since spreadsheets round long numbers."""

LEAST_LIMIT: Final = 512 * 1024
"""Bytes; no upload limit is lower."""
_LONGEST_CELL: Final = 1_000
_CHUNK: Final = 64 * 1024
_MARGIN: Final = 256 * 1024
"""Bytes that a compressor may still hold back, with the archive's directory."""
_FORMULA: Final = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
"""What spreadsheets begin to calculate at, in the wide forms of East Asia as well."""
_UNSEEN: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode categories of characters that end lines or cells, or are none."""
_TURNING: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Would make what follows them run the other way."""


class Format(StrEnum):
    """How rows are written; the value is also the file's extension."""

    CSV = "csv"
    JSON = "json"


def plain(text: str) -> str:
    """Return a text that stays on its line and is no longer than a cell."""
    if text.isprintable():  # almost every text; nothing that is looked for below is
        return text[:_LONGEST_CELL]
    return "".join(
        " " if unicodedata.category(letter) in _UNSEEN else letter
        for letter in text[:_LONGEST_CELL]
        if letter not in _TURNING
    )


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe stops it."""
    shown = plain(text)
    suspicious = text[:1] in {"\t", "\r", "\n"} or shown.lstrip()[:1] in _FORMULA
    return f"'{shown}" if suspicious else shown


def csv_line(cells: Sequence[Cell]) -> str:
    """Write a record of CSV; there is never a line break within it."""
    return ",".join(_csv_cell(cell) for cell in cells) + "\r\n"


def _csv_cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return '"' + harmless(cell).replace('"', '""') + '"'
    return format(cell, "f") if isinstance(cell, Decimal) else str(cell)


def json_line(columns: Sequence[str], cells: Sequence[Cell]) -> str:
    """Write a JSON object in one line; amounts are texts, which nothing rounds."""
    return json.dumps(dict(zip(columns, map(_json_cell, cells), strict=True)), ensure_ascii=False)


def _json_cell(cell: Cell) -> int | str | None:
    if isinstance(cell, Decimal):
        return format(cell, "f")
    return plain(cell) if isinstance(cell, str) else cell


class Lines:
    """Turns rows into the lines of one file: what begins it, each record, what ends it."""

    def __init__(self, form: Format, columns: Sequence[str]) -> None:
        self._form = form
        self._columns = tuple(columns)

    @property
    def head(self) -> str:
        """The mark that tells spreadsheets that it is UTF-8, and the columns' names."""
        return "\ufeff" + csv_line(self._columns) if self._form is Format.CSV else "["

    @property
    def tail(self) -> str:
        """What follows the last record."""
        return "" if self._form is Format.CSV else "\n]\n"

    def record(self, cells: Sequence[Cell], *, is_first: bool) -> str:
        """Write a row, with what separates it from the one before."""
        if self._form is Format.CSV:
            return csv_line(cells)
        return ("\n" if is_first else ",\n") + json_line(self._columns, cells)


class Export:
    """Writes rows into a folder: one plain file if it fits, else archives that each do.

    Use as a context manager, which closes what is open; deleting the folder is its owner's task.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        *,
        form: Format,
        columns: Sequence[str],
        most_bytes: int,
    ) -> None:
        """`name` without an extension; `most_bytes` is what each file may have.

        Raises:
            ValueError: a limit below `LEAST_LIMIT`.
        """
        if most_bytes < LEAST_LIMIT:
            raise ValueError(f"no upload limit: {most_bytes}")
        self._folder = folder
        self._name = name
        self._form = form
        self._lines = Lines(form, columns)
        self._most_bytes = most_bytes
        self._plain = (folder / f"{name}.{form}").open("w+", encoding="utf-8", newline="")
        self._plain.write(self._lines.head)
        self._rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what is open; calling it again is fine."""
        self._plain.close()

    def add(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Write some rows."""
        for cells in rows:
            self._plain.write(self._lines.record(cells, is_first=self._rows == 0))
            self._rows += 1

    def add_objects(self, objects: Iterable[Mapping[str, object]]) -> None:
        """Write JSON objects of any shape, each with the whole of its texts, instead of rows.

        Half of a character, which no file can hold, is written as JSON's own escape.
        """
        for each in objects:
            separator = "\n" if self._rows == 0 else ",\n"
            text = json.dumps(each, ensure_ascii=False).encode(errors="backslashreplace").decode()
            self._plain.write(separator + text)
            self._rows += 1

    def finish(self) -> list[Path]:
        """Close the file and return it, or the archives that it was cut into, in order."""
        self._plain.write(self._lines.tail)
        self._plain.flush()
        whole = Path(self._plain.name)
        if whole.stat().st_size <= self._most_bytes:
            return [whole]
        self._plain.seek(len(self._lines.head.encode()))
        records = self._records(self._plain)
        archives = list[Path]()
        while (first := next(records, None)) is not None:
            archives.append(self._archive(len(archives) + 1, first, records))
        self._plain.close()
        whole.unlink()
        return archives

    def _records(self, file: io.TextIOBase) -> Iterator[str]:
        """Read the records again, without what separates them: each has a line of its own."""
        for line in file:
            record = line.strip("\r\n")
            if self._form is Format.JSON:
                record = record.removesuffix(",")
            if record and record != "]":
                yield record

    def _archive(self, number: int, first: str, records: Iterator[str]) -> Path:
        """Write one archive, as full as it may be; it is a complete file of its own."""
        import zipfile  # rarely needed, and not small

        path = self._folder / f"{self._name}-{number}.zip"
        member = f"{self._name}-{number}.{self._form}"
        with (
            path.open("wb") as raw,
            zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive,
            archive.open(member, "w") as inner,
        ):
            inner.write((self._lines.head + self._again(first, is_first=True)).encode())
            held, size = list[str](), 0
            while raw.tell() + size + _MARGIN < self._most_bytes:
                record = next(records, None)
                if record is None:
                    break
                held.append(self._again(record, is_first=False))
                size += len(held[-1].encode())
                if size >= _CHUNK:
                    inner.write("".join(held).encode())
                    held, size = [], 0
            inner.write(("".join(held) + self._lines.tail).encode())
        return path

    def _again(self, record: str, *, is_first: bool) -> str:
        if self._form is Format.CSV:
            return record + "\r\n"
        return ("\n" if is_first else ",\n") + record
