"""The mask of a job: from a file, painted, or an area; strange ones are asked about first."""

import asyncio
import io

import pytest
from PIL import Image

from bot.errors import NeedsMaskCheck, UnusableInput
from bot.requests import Area, Source
from tests.inputs.desk import Desk, edit, mask_of, png, saved

AREA, REST = (255, 255, 255, 0), (0, 0, 0, 255)


def half(width: int = 32, height: int = 24) -> bytes:
    """Return a mask file whose left half is white."""
    picture = Image.new("L", (width, height), 0)
    picture.paste(255, (0, 0, width // 2, height))
    return saved(picture)


async def test_an_area_becomes_a_mask_of_the_first_pictures_size(desk: Desk) -> None:
    pictures = desk.give("a.png", png(32, 24)), desk.give("b.png", png(10, 10))
    basket = await desk.inputs.gather(edit(*pictures, area=Area.LEFT))
    assert basket.mask is not None
    assert (basket.mask.filename, basket.mask.media_type) == ("mask.png", "image/png")
    mask = mask_of(basket)
    assert mask.size == (32, 24)
    assert (mask.getpixel((0, 12)), mask.getpixel((31, 12))) == (AREA, REST)
    await basket.close()
    assert desk.gone()


@pytest.mark.parametrize("invert", [False, True])
async def test_a_mask_file_of_any_size_fits_the_picture(desk: Desk, invert: bool) -> None:
    source = desk.give("a.png", png(32, 24))
    request = edit(source, mask=desk.give("mask.png", half(64, 48)), invert=invert)
    basket = await desk.inputs.gather(request)
    mask = mask_of(basket)
    assert mask.size == (32, 24)
    sides = mask.getpixel((0, 12)), mask.getpixel((31, 12))
    assert sides == ((REST, AREA) if invert else (AREA, REST))
    await basket.close()
    assert desk.gone()


async def test_a_painted_mask_comes_from_where_it_is_kept(desk: Desk) -> None:
    desk.painted[77] = half()
    painted = Source(url="", filename="painted", mask_id=77)
    basket = await desk.inputs.gather(edit(desk.give("a.png", png()), mask=painted))
    assert mask_of(basket).getpixel((0, 0)) == AREA
    assert desk.inputs.bytes_kept == sum(path.stat().st_size for path in desk.files())
    await basket.close()
    assert desk.gone()


async def test_a_painted_mask_that_is_not_kept_any_more_is_gone(desk: Desk) -> None:
    painted = Source(url="", filename="painted", mask_id=77)
    with pytest.raises(UnusableInput) as caught:
        await desk.inputs.gather(edit(desk.give("a.png", png()), mask=painted))
    assert (caught.value.filename, caught.value.reason) == ("painted", "gone")
    assert desk.gone()


async def test_a_mask_that_is_no_picture_is_named(desk: Desk) -> None:
    with pytest.raises(UnusableInput) as caught:
        await desk.inputs.gather(
            edit(desk.give("a.png", png()), mask=desk.give("mask.txt", b"left half please"))
        )
    assert (caught.value.filename, caught.value.reason) == ("mask.txt", "not_a_picture")
    assert desk.gone()


async def test_a_picture_without_a_background_is_named(desk: Desk) -> None:
    with pytest.raises(UnusableInput) as caught:
        await desk.inputs.gather(edit(desk.give("a.png", png()), area=Area.BACKGROUND))
    assert (caught.value.filename, caught.value.reason) == ("a.png", "no_background")
    assert desk.gone()


async def test_a_mask_elsewhere_is_refused_before_anything_is_fetched(desk: Desk) -> None:
    with pytest.raises(UnusableInput) as caught:
        await desk.inputs.gather(
            edit(
                desk.give("a.png", png()),
                mask=Source(url="https://example.com/mask.png", filename="mask.png"),
            )
        )
    assert (caught.value.filename, caught.value.reason) == ("mask.png", "elsewhere")
    assert desk.discord.fetched == []


@pytest.mark.parametrize(("colour", "covers"), [("black", "nothing"), ("white", "everything")])
async def test_a_mask_of_nothing_or_everything_is_asked_about(
    desk: Desk, colour: str, covers: str
) -> None:
    request = edit(
        desk.give("a.png", png()), mask=desk.give("mask.png", png(colour=colour, mode="L"))
    )
    with pytest.raises(NeedsMaskCheck) as caught:
        await desk.inputs.gather(request)
    assert caught.value.covers == covers
    assert Image.open(io.BytesIO(caught.value.preview)).size == (32, 24)
    assert desk.gone()


async def test_a_strange_mask_that_was_confirmed_runs(desk: Desk) -> None:
    request = edit(
        desk.give("a.png", png()),
        mask=desk.give("mask.png", png(colour="white", mode="L")),
        mask_checked=True,
    )
    basket = await desk.inputs.gather(request)
    assert mask_of(basket).getpixel((5, 5)) == AREA
    await basket.close()
    assert desk.gone()


async def test_a_job_cancelled_while_its_mask_is_made_leaves_nothing(desk: Desk) -> None:
    request = edit(desk.give("a.png", png()), area=Area.LEFT)
    gathering = asyncio.create_task(desk.inputs.gather(request))
    async with asyncio.timeout(10):
        # The mask's file is there as soon as its worker writes, which takes it long enough.
        while not any(path.name == "mask" for path in desk.files()):
            assert not gathering.done()
            await asyncio.sleep(0)
    gathering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gathering
    assert desk.gone()
