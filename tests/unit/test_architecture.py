"""The import rules of pyproject.toml hold, each of them can fail, and no file grows too long."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tools import dev

ROOT = Path(__file__).resolve().parents[2]
ROOT_PACKAGES = ("bot", "cogs", "sandbox")

with (ROOT / "pyproject.toml").open("rb") as _file:
    CONTRACTS = {
        contract["id"]: contract
        for contract in tomllib.load(_file)["tool"]["importlinter"]["contracts"]
    }

# For each contract, an import that it exists to forbid.
VIOLATIONS = {
    "layers": ("bot/storage/bad.py", "import bot.generation"),
    "discord": ("bot/generation.py", "import discord"),
    "http": ("cogs/imagine.py", "import aiohttp"),
    "drivers": ("bot/storage/ledger.py", "import sqlite3"),
    "pictures": ("cogs/bad.py", "import PIL.Image"),
    "charts": ("bot/charts/_charts.py", "import matplotlib"),
    "values": ("bot/ids.py", "import dataclasses"),
    "sandbox": ("bot/app.py", "import sandbox.clock"),
    "far-ends": ("sandbox/discord/bad.py", "import bot.money"),
    "doors": ("cogs/bad.py", "import bot.storage.database"),
}


def check_imports(place: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the packages in `place`, with the contracts in its pyproject.toml."""
    program = (
        "import sys; from importlinter.cli import lint_imports; "
        "sys.exit(lint_imports(no_cache=True, no_logo=True))"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def copy_packages(place: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", place)
    for package in ROOT_PACKAGES:
        shutil.copytree(
            ROOT / package,
            place / package,
            ignore=shutil.ignore_patterns("__pycache__", "static", "*.pyc"),
        )


def test_every_import_follows_the_rules() -> None:
    answer = check_imports(ROOT)
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_every_rule_has_a_violation_below() -> None:
    assert set(VIOLATIONS) == set(CONTRACTS)


@pytest.mark.parametrize("rule", VIOLATIONS)
def test_an_import_against_the_rule_is_found(rule: str, tmp_path: Path) -> None:
    copy_packages(tmp_path)
    name, line = VIOLATIONS[rule]
    with (tmp_path / name).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    answer = check_imports(tmp_path)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert re.search(re.escape(CONTRACTS[rule]["name"]) + r"\s+BROKEN", answer.stdout)


def test_every_module_of_the_bot_has_a_layer() -> None:
    layers = " ".join(CONTRACTS["layers"]["layers"])
    placed = set(re.findall(r"bot\.(\w+)", layers))
    found = {
        path.stem
        for path in (ROOT / "bot").iterdir()
        if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").exists()
    }
    assert not found - placed, "give these modules a layer in pyproject.toml"


def test_no_file_is_longer_than_a_person_reads_in_one_sitting() -> None:
    assert dev.long_files(ROOT) == []


def test_a_file_that_is_too_long_is_named(tmp_path: Path) -> None:
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "long.py").write_text("x = 1\n" * (dev.LONGEST_FILE + 1))
    (tmp_path / "bot" / "fine.js").write_text("x = 1\n" * dev.LONGEST_FILE)
    assert dev.long_files(tmp_path) == ["bot/long.py has 501 lines; 500 at most"]
