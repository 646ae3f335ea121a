"""Files that are sent to Discord: they hold their bytes once, and only until they are closed."""

import sys

from cogs.ui.uploads import attachment


def test_a_file_lets_go_of_its_bytes_when_it_is_closed() -> None:
    data = bytes(bytearray(1_000))
    before = sys.getrefcount(data)
    file = attachment(data, "boat.png")
    assert file.fp.read() == data
    assert sys.getrefcount(data) > before
    file.close()
    assert sys.getrefcount(data) == before
