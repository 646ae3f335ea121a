"""Without a Chromium the browser tests skip and say so; where checks are run, they fail."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run_without_browser(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a test that wants a browser, on a machine that has none."""
    (folder / "test_page.py").write_text(
        "from tests.browser.conftest import chromium\ndef test_page(chromium):\n    pass\n"
    )
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", str(folder)],
        env={"PATH": str(folder), "PYTHONPATH": str(ROOT), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("environment", "code", "says"),
    [
        ({}, 0, "SKIPPED.*install it to run the browser tests"),
        ({"REQUIRE_BROWSER": "1"}, 1, "no Chromium is installed"),
    ],
)
def test_a_missing_browser_is_told_and_fails_only_where_one_is_required(
    environment: dict[str, str], code: int, says: str, tmp_path: Path
) -> None:
    answer = run_without_browser(tmp_path, **environment)
    assert answer.returncode == code, answer.stdout
    assert re.search(says, answer.stdout), answer.stdout


def test_the_checks_require_a_browser() -> None:
    checks = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(r"^export .*\bREQUIRE_BROWSER=1\b", checks, flags=re.MULTILINE)
