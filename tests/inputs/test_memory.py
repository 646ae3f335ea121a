"""Pictures that are sent as they came stay in memory, while there is room for them there."""

import asyncio
from pathlib import Path

import pytest

from bot.downloads import Downloads, FetchError, Hosts
from bot.errors import UnusableInput
from bot.imagerouter import Upload
from bot.inputs import Basket, InputLimits
from bot.inputs._memory import Memory, Room
from bot.requests import Area
from sandbox.imagerouter.wire import raw_servers
from tests.inputs.desk import QUICK, Desk, edit, names_in, noise, open_desk, png
from tests.inputs.test_downloads import answer
from tests.inputs.test_gather import ANY_FILE

MIB = 1024 * 1024


async def bytes_of(upload: Upload) -> bytes:
    """Return what is sent of an upload."""
    if isinstance(upload.data, Path):
        return upload.data.read_bytes()
    assert not isinstance(upload.data, bytes)
    data = b"".join([piece async for piece in upload.data()])
    assert len(data) == upload.size
    return data


def on_disk(basket: Basket) -> list[bool]:
    """Tell of each picture whether it lies on the disk."""
    return [isinstance(upload.data, Path) for upload in basket.images]


async def test_what_is_sent_as_it_came_is_never_written_and_can_be_sent_again(desk: Desk) -> None:
    pictures = [noise(3 * MIB), png(), noise(10_000)]
    sources = [desk.give(f"{number}.png", data) for number, data in enumerate(pictures)]
    basket = await desk.inputs.gather(edit(*sources), in_memory=True)
    assert desk.files() == []
    assert desk.inputs.bytes_kept == sum(map(len, pictures))
    for _ in range(2):
        assert [await bytes_of(upload) for upload in basket.images] == pictures
    await basket.close()
    assert desk.gone()


async def test_where_there_is_no_room_a_file_is_written(tmp_path: Path) -> None:
    picture = noise(10_000)
    async with open_desk(tmp_path, limits=InputLimits(memory_bytes=2 * len(picture))) as desk:
        request = edit(*(desk.give(f"{number}.png", picture) for number in range(3)))
        first = await desk.inputs.gather(request, in_memory=True)
        second = await desk.inputs.gather(request, in_memory=True)
        assert (sum(on_disk(first)), on_disk(second)) == (1, [True] * 3)
        for basket in (first, second):
            assert [await bytes_of(upload) for upload in basket.images] == [picture] * 3
        await first.close()
        await first.close()
        third = await desk.inputs.gather(request, in_memory=True)
        assert sum(on_disk(third)) == 1
        for basket in (second, third):
            await basket.close()
        assert desk.gone()


async def test_what_has_to_change_is_written_and_leaves_its_room_to_others(tmp_path: Path) -> None:
    given = png()
    dated = given[:33] + bytes.fromhex("0000000774494d4507ea0b1c171e00") + bytes(4) + given[33:]
    async with open_desk(tmp_path, limits=InputLimits(memory_bytes=len(dated))) as desk:
        first = await desk.inputs.gather(edit(desk.give("a.png", dated)), in_memory=True)
        assert on_disk(first) == [True]
        assert await bytes_of(first.images[0]) == given
        assert desk.inputs.bytes_kept == len(given)
        second = await desk.inputs.gather(edit(desk.give("b.png", given)), in_memory=True)
        assert on_disk(second) == [False]
        await first.close()
        await second.close()
        assert desk.gone()


async def test_a_picture_with_a_mask_is_written(desk: Desk) -> None:
    request = edit(desk.give("a.png", png()), area=Area.LEFT)
    basket = await desk.inputs.gather(request, in_memory=True)
    assert on_disk(basket) == [True]
    await basket.close()
    assert desk.gone()


async def test_bad_files_are_named_all_the_same(desk: Desk) -> None:
    for data, reason in (
        (b"", "empty"),
        (b"boat", "not_a_picture"),
        (noise(9_000)[:4_000], "damaged"),
    ):
        with pytest.raises(UnusableInput) as caught:
            await desk.inputs.gather(edit(desk.give("a.png", data)), in_memory=True)
        assert (caught.value.filename, caught.value.reason) == ("a.png", reason)
        assert desk.gone()


@pytest.mark.parametrize("size", [100_000, 6 * MIB])
async def test_a_picture_that_is_cut_off_is_read_again_into_the_same_room(
    tmp_path: Path, size: int
) -> None:
    data = noise(size)
    limits = InputLimits(memory_bytes=len(data), patience=QUICK.patience)
    async with open_desk(tmp_path, limits=limits) as desk:
        desk.discord.faults.truncate(ANY_FILE, after=size // 2)
        basket = await desk.inputs.gather(edit(desk.give("a.png", data)), in_memory=True)
        assert on_disk(basket) == [False]
        assert await bytes_of(basket.images[0]) == data
        await basket.close()
        assert desk.gone()


@pytest.mark.parametrize("steps", range(0, 36, 3))
async def test_a_job_cancelled_anywhere_leaves_its_room_to_others(
    tmp_path: Path, steps: int
) -> None:
    data = noise(300_000)
    async with open_desk(tmp_path, limits=InputLimits(memory_bytes=2 * len(data))) as desk:
        request = edit(*(desk.give(f"{number}.png", data) for number in range(2)))
        gathering = asyncio.create_task(desk.inputs.gather(request, in_memory=True))
        for _ in range(steps):
            await asyncio.sleep(0)
        if gathering.cancel():
            with pytest.raises(asyncio.CancelledError):
                await gathering
        else:
            await gathering.result().close()
        assert desk.gone()
        basket = await desk.inputs.gather(request, in_memory=True)
        assert on_disk(basket) == [False, False]
        await basket.close()


# ---- The place for one file ----------------------------------------------------------------------


async def test_a_file_whose_length_nobody_says_is_written(tmp_path: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nboat")
        writer.close()

    memory = Memory(Room(MIB))
    async with raw_servers() as start, Downloads(allow_loopback=True) as downloads:
        url = await start(talk)
        await downloads.fetch_to(
            f"{url}/a", tmp_path / "a", max_bytes=9, hosts=Hosts(url), memory=memory
        )
    assert not memory.has_file
    assert (tmp_path / "a").read_bytes() == b"boat"


async def test_a_file_that_breaks_off_is_not_kept(tmp_path: Path) -> None:
    room = Room(20)
    memory = Memory(room)
    async with raw_servers() as start, Downloads(allow_loopback=True) as downloads:
        url = await start(answer(b"boat", length=20))
        with pytest.raises(FetchError):
            await downloads.fetch_to(
                f"{url}/a", tmp_path / "a", max_bytes=20, hosts=Hosts(url), memory=memory
            )
    assert not memory.has_file
    assert room.take(20)
    assert names_in(tmp_path) == []


async def test_many_small_pieces_become_one() -> None:
    memory = Memory(Room(MIB))
    assert memory.takes(256)
    memory.keep([b"x"] * 256)
    assert [piece async for piece in memory.stream()] == [b"x" * 256]


async def test_others_have_their_turns_while_a_file_is_sent() -> None:
    memory = Memory(Room(8 * MIB))
    assert memory.takes(8 * MIB)
    memory.keep([bytes(MIB // 4)] * 32)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    async for _ in memory.stream():
        pass
    counting.cancel()
    assert turns >= 7


def test_a_place_is_as_large_as_the_room_that_is_left() -> None:
    room = Room(10)
    first, second = Memory(room), Memory(room)
    assert first.takes(7)
    assert not second.takes(4)
    first.drop()
    first.drop()
    assert second.takes(10)


async def test_a_file_is_put_down_once(tmp_path: Path) -> None:
    room = Room(8)
    memory = Memory(room)
    assert memory.takes(8)
    memory.keep([b"sail", b"boat"])
    await memory.put_down(tmp_path / "a")
    await memory.put_down(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == b"sailboat"
    assert names_in(tmp_path) == ["a"]
    assert room.take(8)
