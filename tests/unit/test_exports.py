import csv
import io
import json
import random
import tempfile
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.exports import LEAST_LIMIT, Cell, Export, Format, csv_line, harmless, json_line

COLUMNS = ("name", "spent", "pictures")
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def written(folder: Path, rows: list[tuple[Cell, ...]], form: Format, limit: int) -> list[Path]:
    with Export(folder, "report", form=form, columns=COLUMNS, most_bytes=limit) as export:
        export.add(rows)
        return export.finish()


def read(path: Path, form: Format) -> list[list[str]]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            (name,) = archive.namelist()
            assert archive.testzip() is None
            text = archive.read(name).decode()
    else:
        text = path.read_bytes().decode()
    if form is Format.JSON:
        return [list(map(str, each.values())) for each in json.loads(text)]
    head, *rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    assert tuple(head) == COLUMNS
    return rows


@pytest.mark.parametrize("start", [*DANGEROUS, " =", "\uff1d", "\n=", "\x00=", "\u2028+"])
def test_no_name_is_a_formula(start: str) -> None:
    assert harmless(f"{start}HYPERLINK(1)").startswith("'")


def test_an_ordinary_name_stays_as_it_is() -> None:
    for name in ("Mira", "a=b", "山田 🦊", "o'Neill", "x-y@z"):
        assert harmless(name) == name


def test_a_number_that_is_negative_is_no_text() -> None:
    assert csv_line([-5, Decimal("0.0013"), None, "a"]) == '-5,0.0013,,"a"\r\n'


@given(st.text(st.characters(), max_size=40))
def test_any_name_is_one_harmless_cell_of_one_line(name: str) -> None:
    line = csv_line([name, 1])
    assert line.count("\n") == line.count("\r") == 1
    ((cell, number),) = csv.reader(io.StringIO(line, newline=""))
    assert number == "1"
    assert not cell.lstrip().startswith(DANGEROUS)
    line.encode()


@given(st.text(st.characters(), max_size=40))
def test_any_name_is_one_line_of_json(name: str) -> None:
    line = json_line(["name", "spent"], [name, Decimal("0.10")])
    assert len(line.splitlines()) <= 1 + line.count("\x1c")
    assert json.loads(line.encode())["spent"] == "0.10"


@pytest.mark.parametrize("form", Format)
def test_what_fits_is_one_plain_file(form: Format, tmp_path: Path) -> None:
    rows: list[tuple[Cell, ...]] = [("=1+1", Decimal("0.5"), 3), ("Mira", Decimal("1.25"), 1)]
    (path,) = written(tmp_path, rows, form, LEAST_LIMIT)
    assert path.name == f"report.{form}"
    named = "'=1+1" if form is Format.CSV else "=1+1"
    assert read(path, form) == [[named, "0.5", "3"], ["Mira", "1.25", "1"]]


@pytest.mark.parametrize("form", Format)
def test_nothing_is_a_file_too(form: Format, tmp_path: Path) -> None:
    (path,) = written(tmp_path, [], form, LEAST_LIMIT)
    assert read(path, form) == []


@pytest.mark.parametrize("form", Format)
def test_what_does_not_fit_is_cut_into_archives_that_do(form: Format, tmp_path: Path) -> None:
    chance = random.Random(7)
    rows: list[tuple[Cell, ...]] = [
        (f"{chance.getrandbits(1024):x}", number, 1) for number in range(12_000)
    ]
    paths = written(tmp_path, rows, form, LEAST_LIMIT)
    assert len(paths) > 2
    assert all(path.stat().st_size <= LEAST_LIMIT for path in paths)
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    parts = [row for path in paths for row in read(path, form)]
    assert parts == [list(map(str, row)) for row in rows]


def test_a_limit_that_nobody_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no upload limit"):
        written(tmp_path, [], Format.CSV, LEAST_LIMIT - 1)


@given(st.lists(st.text(st.characters(), max_size=60), max_size=20))
def test_objects_come_back_as_they_were_whatever_is_in_them(texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        export = Export(Path(name), "all", form=Format.JSON, columns=(), most_bytes=LEAST_LIMIT)
        with export:
            export.add_objects({"number": n, "inner": {"text": t}} for n, t in enumerate(texts))
            [path] = export.finish()
        found = json.loads(path.read_text(encoding="utf-8"))
    assert [each["inner"]["text"] for each in found] == texts


def test_objects_that_are_too_many_for_one_file_are_cut_and_none_is_lost(tmp_path: Path) -> None:
    noise = random.Random(5)
    texts = [f"{number} \n,] {noise.randbytes(2_000).hex()}" for number in range(600)]
    with Export(tmp_path, "all", form=Format.JSON, columns=(), most_bytes=LEAST_LIMIT) as export:
        export.add_objects({"text": text} for text in texts)
        paths = export.finish()
    assert len(paths) > 1
    found = list[str]()
    for path in paths:
        assert path.stat().st_size <= LEAST_LIMIT
        with zipfile.ZipFile(path) as archive:
            (name,) = archive.namelist()
            found += [each["text"] for each in json.loads(archive.read(name))]
    assert found == texts
