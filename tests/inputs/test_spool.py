"""Where files lie meanwhile: a folder of each living process; the dead leave nothing behind."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from bot.filelock import FileLocked, exclusive
from bot.inputs._spool import Spool
from tests.inputs.desk import edit, names_in, open_desk, png

OTHER_PROCESS = """
import asyncio, sys
from pathlib import Path
from bot.inputs._spool import Spool

async def main():
    spool = Spool(Path(sys.argv[1]), max_bytes=100)
    await spool.open()
    shelf = spool.shelf(max_bytes=100)
    await shelf.make()
    (shelf.path / "left").write_bytes(b"picture")
    print(shelf.path, flush=True)
    sys.stdin.read()

asyncio.run(main())
"""


class Other:
    """Another process that keeps a file in the folder."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", OTHER_PROCESS, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.shelf = Path(self._process.stdout.readline().strip())

    @property
    def has_its_file(self) -> bool:
        return (self.shelf / "left").exists()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.communicate()


async def test_what_a_dead_process_left_is_removed_at_the_next_start(tmp_path: Path) -> None:
    other = Other(tmp_path)
    other.kill()
    assert other.has_its_file
    spool = Spool(tmp_path, max_bytes=100)
    await spool.open()
    assert not other.shelf.parent.exists()
    await spool.close()
    assert names_in(tmp_path) == []


async def test_what_a_living_process_has_is_left_alone(tmp_path: Path) -> None:
    other = Other(tmp_path)
    try:
        for _ in range(2):
            spool = Spool(tmp_path, max_bytes=100)
            await spool.open()
            await spool.close()
        assert other.has_its_file
    finally:
        other.kill()


async def test_two_spools_of_one_process_leave_each_other_alone(tmp_path: Path) -> None:
    first, second = Spool(tmp_path, max_bytes=100), Spool(tmp_path, max_bytes=100)
    await first.open()
    shelf = first.shelf(max_bytes=10)
    await shelf.make()
    await second.open()
    await second.close()
    assert shelf.path.is_dir()
    await first.close()
    assert names_in(tmp_path) == []


async def test_files_that_are_not_ours_are_never_touched(tmp_path: Path) -> None:
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "rome.png").write_bytes(png())
    (tmp_path / "bot.db").write_bytes(b"books")
    (tmp_path / "bot.db.lock").write_bytes(b"")
    spool = Spool(tmp_path, max_bytes=100)
    await spool.open()
    await spool.close()
    assert names_in(tmp_path) == ["bot.db", "bot.db.lock", "holiday", "rome.png"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
async def test_nobody_else_on_the_machine_may_look(tmp_path: Path) -> None:
    async with open_desk(tmp_path / "inputs") as desk:
        basket = await desk.inputs.gather(edit(desk.give("a.png", png())))
        for folder in (desk.folder, *desk.folder.glob("*/"), *desk.jobs()):
            if folder.is_dir():
                assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        await basket.close()


async def test_closing_takes_every_basket_along(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        basket = await desk.inputs.gather(edit(desk.give("a.png", png())))
        assert desk.files()
    assert names_in(tmp_path) == []
    await basket.close()


async def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file"):
        await Spool(tmp_path / "file", max_bytes=100).open()


async def test_a_spool_that_is_not_open_says_so(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="async with"):
        Spool(tmp_path, max_bytes=100).shelf(max_bytes=1)


def test_a_lock_is_held_once_in_a_process_and_can_be_had_again(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with exclusive(path), pytest.raises(FileLocked), exclusive(path):
        pass
    with exclusive(path):
        pass
