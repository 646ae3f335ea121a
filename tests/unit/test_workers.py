"""What every worker process is given, and what it is kept from."""

import subprocess
import sys
from pathlib import Path

import pytest


def run_confined(code: str) -> str:
    """What a confined process prints."""
    before = (
        "from bot.workers import confine, files_allowed, forbid_files\n"
        "confine(memory_bytes=2 * 2**30, file_bytes=0); forbid_files()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", before + code],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
    )
    return done.stdout.strip()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_a_confined_process_opens_no_file_but_fonts() -> None:
    code = """
try:
    open("/etc/hosts")
except OSError:
    print("refused")
with files_allowed():
    open("/etc/hosts").close()
try:
    open("/etc/hosts")
except OSError:
    print("refused")
"""
    assert run_confined(code).split() == ["refused", "refused"]


@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not keep to this limit")
def test_a_confined_process_gets_no_more_memory_than_its_share() -> None:
    code = """
try:
    bytearray(3 * 2**30)
except MemoryError:
    print("refused")
"""
    assert run_confined(code) == "refused"
