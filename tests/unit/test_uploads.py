"""What is sent to Discord is not copied on the way there: that takes milliseconds on the loop."""

import tracemalloc

from aiohttp.payload import get_payload

from cogs.ui.uploads import attachment

MIB = 2**20


def test_a_large_picture_is_not_copied_to_be_measured() -> None:
    data = bytes(8 * MIB)
    tracemalloc.start()
    try:
        file = attachment(data, "picture.png", description="a boat")
        payload = get_payload(file.fp)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert payload.size == len(data)
    assert peak < MIB
    assert (file.filename, file.description) == ("picture.png", "a boat")


async def test_it_is_sent_whole_and_again_after_a_failure() -> None:
    data = bytes(range(256)) * 4_000
    file = attachment(data, "picture.png")
    for attempt in range(2):
        file.reset(seek=attempt)
        assert await get_payload(file.fp).as_bytes() == data
