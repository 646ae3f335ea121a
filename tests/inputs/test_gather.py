"""What people give becomes files that can be sent, or an error that names the file and why."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace
from PIL import Image

from bot.errors import InputsFull, InputUnreachable, ShuttingDown, UnusableInput
from bot.inputs import InputLimits
from bot.requests import Source
from sandbox.clock import SandboxClock
from sandbox.discord import UploadedFile
from tests.inputs.desk import Desk, edit, noise, open_desk, png, saved, sent

ANY_FILE = "GET /cdn/attachments/*/*/*"
DAY_MS = 86_400_000


async def test_a_good_picture_is_sent_byte_for_byte_under_a_plain_name(desk: Desk) -> None:
    data = png()
    basket = await desk.inputs.gather(edit(desk.give('my "holiday" in\r\nRome.png', data)))
    assert sent(basket) == [data]
    assert [(each.filename, each.media_type) for each in basket.images] == [
        ("image-1.png", "image/png")
    ]
    assert basket.mask is None
    assert desk.inputs.bytes_kept == len(data)
    await basket.close()
    assert desk.gone()


async def test_a_job_without_pictures_needs_nothing(desk: Desk) -> None:
    basket = await desk.inputs.gather(edit())
    assert (basket.images, basket.mask) == ((), None)
    await basket.close()


async def test_sixteen_pictures_keep_their_order(desk: Desk) -> None:
    pictures = [noise(10_000 + 5_000 * (number % 4)) for number in range(16)]
    sources = [desk.give(f"{number}.png", data) for number, data in enumerate(pictures)]
    basket = await desk.inputs.gather(edit(*sources))
    assert sent(basket) == pictures
    assert [each.filename for each in basket.images] == [f"image-{n}.png" for n in range(1, 17)]
    await basket.close()
    assert desk.gone()


async def test_what_has_to_change_is_sent_as_what_it_became(desk: Desk) -> None:
    picture = Image.new("RGB", (40, 30), "blue")
    basket = await desk.inputs.gather(
        edit(desk.give("scan.tiff", saved(picture, "TIFF")), desk.give("name.png", png()))
    )
    first, second = basket.images
    assert first.filename.partition(".")[0] == "image-1"
    assert first.media_type in ("image/png", "image/jpeg", "image/webp")
    assert second.filename == "image-2.png"
    # The original is not kept beside it.
    assert len(desk.files()) == 2
    assert desk.inputs.bytes_kept == sum(path.stat().st_size for path in desk.files())
    await basket.close()
    assert desk.gone()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"dear diary", "not_a_picture"),
        (png()[:40], "damaged"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "unsupported"),
    ],
)
async def test_a_file_that_is_no_use_is_named_with_the_reason(
    desk: Desk, data: bytes, reason: str
) -> None:
    with pytest.raises(UnusableInput) as caught:
        await desk.inputs.gather(edit(desk.give("good.png", png()), desk.give("bad.png", data)))
    assert (caught.value.filename, caught.value.reason) == ("bad.png", reason)
    assert desk.gone()


# ---- Links that die ------------------------------------------------------------------------------


async def test_a_link_that_says_it_has_expired_is_renewed_before_it_is_tried(desk: Desk) -> None:
    data = png()
    source = desk.give("old.png", data)
    desk.clock.advance(DAY_MS + 1000)
    basket = await desk.inputs.gather(edit(source))
    assert sent(basket) == [data]
    assert desk.renewed == ["old.png"]
    assert len(desk.discord.fetched) == 1
    await basket.close()


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_a_link_that_is_found_dead_is_renewed(desk: Desk, status: int) -> None:
    data = png()
    desk.discord.faults.status(ANY_FILE, status)
    basket = await desk.inputs.gather(edit(desk.give("a.png", data)))
    assert sent(basket) == [data]
    assert desk.renewed == ["a.png"]
    await basket.close()


async def test_a_picture_whose_link_was_erased_is_gone_and_nobody_is_asked_for_it(
    desk: Desk,
) -> None:
    with pytest.raises(UnusableInput) as caught:
        await desk.inputs.gather(edit(Source(url="", filename="a.png")))
    assert (caught.value.filename, caught.value.reason) == ("a.png", "gone")
    assert desk.gone()


async def test_a_link_is_renewed_once_and_then_the_picture_is_gone(desk: Desk) -> None:
    desk.discord.faults.status(ANY_FILE, 404, times=None)
    with pytest.raises(UnusableInput) as caught:
        await desk.inputs.gather(edit(desk.give("a.png", png())))
    assert (caught.value.filename, caught.value.reason) == ("a.png", "gone")
    assert desk.renewed == ["a.png"]
    assert desk.gone()


async def test_a_picture_whose_link_nobody_renews_is_gone(desk: Desk) -> None:
    attachment = desk.keep("deleted.png", png())
    source = Source(url=attachment.url, filename="deleted.png")
    desk.discord.core.cdn.forget([attachment])
    with pytest.raises(UnusableInput) as caught:
        await desk.inputs.gather(edit(source))
    assert caught.value.reason == "gone"


async def test_a_link_that_only_the_bots_clock_calls_dead_is_tried(tmp_path: Path) -> None:
    async def nobody(source: Source) -> Source | None:
        return None

    ahead = SandboxClock(offset_ms=2 * DAY_MS)
    async with open_desk(tmp_path, renew=nobody, bot_clock=ahead) as desk:
        data = png()
        basket = await desk.inputs.gather(edit(desk.give("a.png", data)))
        assert sent(basket) == [data]
        await basket.close()


async def test_discord_that_does_not_renew_in_time_is_unreachable(tmp_path: Path) -> None:
    async def never(source: Source) -> Source | None:
        await asyncio.Event().wait()
        return source

    async with open_desk(tmp_path, renew=never, limits=InputLimits(renew_s=0.05)) as desk:
        source = desk.give("a.png", png())
        desk.clock.advance(DAY_MS + 1000)
        with pytest.raises(InputUnreachable) as caught:
            await desk.inputs.gather(edit(source))
        assert caught.value.filename == "a.png"
        assert desk.gone()


# ---- Discord that fails --------------------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_discord_that_is_busy_is_asked_again(desk: Desk, status: int) -> None:
    data = png()
    desk.discord.faults.status(ANY_FILE, status, times=2)
    basket = await desk.inputs.gather(edit(desk.give("a.png", data)))
    assert sent(basket) == [data]
    assert desk.renewed == []
    await basket.close()


async def test_discord_that_stays_busy_is_unreachable(desk: Desk) -> None:
    desk.discord.faults.status(ANY_FILE, 503, times=None)
    with pytest.raises(InputUnreachable) as caught:
        await desk.inputs.gather(edit(desk.give("a.png", png())))
    assert caught.value.filename == "a.png"
    assert len(desk.discord.fetched) == 3
    assert desk.gone()


@pytest.mark.parametrize("size", [100_000, 8_000_000])
async def test_a_picture_that_is_cut_off_is_read_again_from_its_beginning(
    desk: Desk, size: int
) -> None:
    """Of a small one nothing was written or looked at before, of a large one half."""
    data = noise(size)
    desk.discord.faults.truncate(ANY_FILE, after=size // 2)
    basket = await desk.inputs.gather(edit(desk.give("a.png", data)))
    assert sent(basket) == [data]
    assert [image.data for image in basket.images] == list(desk.folder.rglob("*.given"))
    assert desk.inputs.bytes_kept == len(data)
    await basket.close()


async def test_a_picture_that_is_always_cut_off_is_unreachable(desk: Desk) -> None:
    desk.discord.faults.truncate(ANY_FILE, after=50_000, times=None)
    with pytest.raises(InputUnreachable):
        await desk.inputs.gather(edit(desk.give("a.png", noise(100_000))))
    assert desk.gone()


async def test_a_host_that_stops_in_the_middle_is_asked_again(tmp_path: Path) -> None:
    async with open_desk(tmp_path, idle_s=0.2, limits=InputLimits(patience=(0,))) as desk:
        data = noise(10_000)
        gate = desk.discord.faults.stall(ANY_FILE, after=1000)
        basket = await desk.inputs.gather(edit(desk.give("a.png", data)))
        assert sent(basket) == [data]
        assert desk.inputs.bytes_kept == len(data)
        await basket.close()
        assert desk.gone()
        gate.open()


async def test_a_host_that_stops_in_the_middle_is_given_up(tmp_path: Path) -> None:
    async with open_desk(tmp_path, idle_s=0.05, limits=InputLimits(patience=())) as desk:
        gate = desk.discord.faults.stall(ANY_FILE, after=1000)
        with pytest.raises(InputUnreachable):
            await desk.inputs.gather(edit(desk.give("a.png", noise(10_000))))
        assert desk.gone()
        gate.open()


async def test_a_job_that_takes_too_long_as_a_whole_is_given_up(tmp_path: Path) -> None:
    async with open_desk(tmp_path, limits=InputLimits(job_s=0.1)) as desk:
        desk.discord.faults.hold(ANY_FILE)
        with pytest.raises(InputUnreachable):
            await desk.inputs.gather(edit(desk.give("a.png", png())))
        assert desk.gone()


async def test_what_the_media_proxy_shows_of_other_sites_can_be_used(desk: Desk) -> None:
    data, page = png(), b"<html>"
    for name, body in (("a.png", data), ("page.png", page)):
        desk.discord.publish(f"https://example.com/{name}", UploadedFile(name, body))
    proxied = desk.discord.core.cdn.proxied
    good = Source(url=proxied("https://example.com/a.png"), filename="a.png")
    basket = await desk.inputs.gather(edit(good))
    assert sent(basket) == [data]
    await basket.close()
    with pytest.raises(UnusableInput) as caught:
        await desk.inputs.gather(
            edit(Source(url=proxied("https://example.com/page.png"), filename="page.png"))
        )
    assert (caught.value.filename, caught.value.reason) == ("page.png", "not_a_picture")


# ---- Bytes ---------------------------------------------------------------------------------------


async def test_a_body_without_an_end_is_cut_off_at_the_bound(tmp_path: Path) -> None:
    async with open_desk(tmp_path, limits=InputLimits(file_bytes=200_000)) as desk:
        desk.discord.faults.endless(ANY_FILE)
        with pytest.raises(UnusableInput) as caught:
            await desk.inputs.gather(edit(replace(desk.give("a.png", png()), size=0)))
        assert (caught.value.filename, caught.value.reason) == ("a.png", "too_large")
        assert desk.gone()


async def test_a_file_that_is_said_to_be_too_large_is_not_fetched(tmp_path: Path) -> None:
    async with open_desk(tmp_path, limits=InputLimits(file_bytes=1000)) as desk:
        small, large = desk.give("small.png", png()), desk.give("large.png", noise(10_000))
        with pytest.raises(UnusableInput) as caught:
            await desk.inputs.gather(edit(small, large))
        assert (caught.value.filename, caught.value.reason) == ("large.png", "too_large")
        assert desk.discord.fetched == []


@pytest.mark.parametrize("told", [True, False])
async def test_files_that_are_too_much_together_are_refused(tmp_path: Path, told: bool) -> None:
    async with open_desk(tmp_path, limits=InputLimits(job_bytes=25_000, files_at_once=1)) as desk:
        sources = [desk.give(f"{number}.png", noise(10_000)) for number in range(3)]
        if not told:
            sources = [replace(source, size=0) for source in sources]
        with pytest.raises(UnusableInput) as caught:
            await desk.inputs.gather(edit(*sources))
        assert (caught.value.filename, caught.value.reason) == ("2.png", "one_too_many")
        assert desk.gone()


async def test_a_painted_mask_that_is_too_much_beside_its_picture_is_named(tmp_path: Path) -> None:
    async with open_desk(tmp_path, limits=InputLimits(job_bytes=15_000, files_at_once=1)) as desk:
        desk.painted[7] = noise(10_000)
        painted = Source(url="", filename="painted", mask_id=7)
        with pytest.raises(UnusableInput) as caught:
            await desk.inputs.gather(edit(desk.give("a.png", noise(10_000)), mask=painted))
        assert (caught.value.filename, caught.value.reason) == ("painted", "one_too_many")
        assert desk.gone()


async def test_baskets_that_wait_take_room_until_they_are_closed(tmp_path: Path) -> None:
    async with open_desk(tmp_path, limits=InputLimits(all_bytes=25_000)) as desk:
        request = edit(desk.give("a.png", noise(10_000)))
        first, second = await desk.inputs.gather(request), await desk.inputs.gather(request)
        with pytest.raises(InputsFull):
            await desk.inputs.gather(request)
        await first.close()
        await first.close()
        third = await desk.inputs.gather(request)
        for basket in (second, third):
            await basket.close()
        assert desk.gone()


async def test_a_disk_that_takes_nothing_is_told_as_no_room(desk: Desk) -> None:
    home = next(path for path in desk.folder.iterdir() if path.is_dir())
    home.rmdir()
    with pytest.raises(InputsFull):
        await desk.inputs.gather(edit(desk.give("a.png", png())))
    assert desk.inputs.bytes_kept == 0


# ---- Many at a time ------------------------------------------------------------------------------


async def test_four_files_of_a_job_are_fetched_at_a_time(desk: Desk) -> None:
    gate = desk.discord.faults.hold(ANY_FILE)
    sources = [desk.give(f"{number}.png", png()) for number in range(6)]
    gathering = asyncio.create_task(desk.inputs.gather(edit(*sources)))
    await gate.reached(count=4)
    assert len(desk.discord.fetched) == 4
    gate.open()
    await (await gathering).close()
    assert len(desk.discord.fetched) == 6


async def test_jobs_have_their_turns_in_the_order_they_came(tmp_path: Path) -> None:
    async with open_desk(tmp_path, limits=InputLimits(jobs_at_once=1)) as desk:
        gate = desk.discord.faults.hold(ANY_FILE)
        sources = [desk.give(f"{number}.png", png()) for number in range(4)]
        done: list[int] = []

        async def gather(number: int) -> None:
            basket = await desk.inputs.gather(edit(sources[number]))
            done.append(number)
            await basket.close()  # its turn has ended: files may be deleted in any order

        tasks = [asyncio.create_task(gather(number)) for number in range(4)]
        await gate.reached()
        assert len(desk.discord.fetched) == 1
        gate.open()
        await asyncio.gather(*tasks)
        assert done == [0, 1, 2, 3]


async def test_one_bad_file_ends_the_others_at_once(desk: Desk) -> None:
    gate = desk.discord.faults.hold(ANY_FILE, times=3)
    sources = [desk.give(f"{number}.png", png()) for number in range(3)]
    gathering = asyncio.create_task(
        desk.inputs.gather(edit(*sources, desk.give("bad.png", b"text")))
    )
    with pytest.raises(UnusableInput) as caught:
        await gathering
    assert caught.value.filename == "bad.png"
    assert desk.gone()
    gate.open()


@pytest.mark.parametrize("steps", range(0, 60, 3))
async def test_a_job_cancelled_anywhere_leaves_no_file_and_no_task(desk: Desk, steps: int) -> None:
    sources = [desk.give(f"{number}.png", noise(300_000)) for number in range(2)]
    before = asyncio.all_tasks()
    gathering = asyncio.create_task(desk.inputs.gather(edit(*sources)))
    for _ in range(steps):
        if gathering.done():
            break
        await asyncio.sleep(0)
    if not gathering.cancel():
        await gathering.result().close()
    else:
        with pytest.raises(asyncio.CancelledError):
            await gathering
    assert desk.gone()
    ours = [task for task in asyncio.all_tasks() - before if "inputs" in repr(task.get_coro())]
    assert ours == []


@pytest.mark.parametrize("waits", ["for Discord", "for its turn"])
async def test_a_stop_gives_up_what_is_gathered_and_leaves_no_file(
    tmp_path: Path, waits: str
) -> None:
    async with open_desk(tmp_path, limits=InputLimits(jobs_at_once=1)) as desk:
        gate = desk.discord.faults.hold(ANY_FILE)
        source = desk.give("boat.png", png())
        jobs = 1 if waits == "for Discord" else 2
        gathering = [asyncio.create_task(desk.inputs.gather(edit(source))) for _ in range(jobs)]
        await gate.reached()
        desk.inputs.stop()
        desk.inputs.stop()
        for each in gathering:
            with pytest.raises(ShuttingDown):
                await each
        assert desk.gone()
        with pytest.raises(ShuttingDown):
            await desk.inputs.gather(edit(source))
        gate.open()


async def test_who_cancels_a_job_that_a_stop_gave_up_is_still_obeyed(desk: Desk) -> None:
    gate = desk.discord.faults.hold(ANY_FILE)
    gathering = asyncio.create_task(desk.inputs.gather(edit(desk.give("boat.png", png()))))
    await gate.reached()
    gathering.cancel()
    desk.inputs.stop()
    with pytest.raises(asyncio.CancelledError):
        await gathering
    assert desk.gone()
    gate.open()
