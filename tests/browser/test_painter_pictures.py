"""Which picture is painted on, and in which pixels: results, large ones, and turned photos."""

import io

import pytest
from PIL import Image, ImageChops, ImageStat

from sandbox.house import House, button, pictures
from sandbox.talk import make
from tests.browser.masks import (
    Open,
    assert_alike,
    box,
    brush_size,
    send,
    sent_mask,
    stroke,
)
from tests.web.paint import MODEL, Link, invited, png

pytestmark = pytest.mark.browser


async def test_a_result_is_painted_on_from_its_button_and_undo_brings_it_back(
    house: House, opened: Open
) -> None:
    mira, general = house.person("mira"), house.channel()
    first = await make(mira, general, "papercut/fold-mini")
    [shown] = first.attachments
    size = Image.open(io.BytesIO(shown.data)).size
    told = await (await mira.click(first, button(first, "Paint area"))).answer()
    [url] = [each.url for each in told.buttons if each.url]

    across = [(0.2 * size[0], 0.3 * size[1]), (0.6 * size[0], 0.7 * size[1])]
    async with opened(Link(url)) as painter:
        await painter.drag(across)
        width = await brush_size(painter)
        await painter.page.get_by_label("What should be there instead?").fill("a lighthouse")
        await painter.page.get_by_label("Model").select_option(MODEL)
        shape = await sent_mask(house, painter, size)
        way = painter.page.get_by_role("link", name="Open in Discord")
        address = await way.get_attribute("href")
    assert_alike(shape, stroke(across, width, size))
    request = house.imagerouter.requests[-1]
    assert [image.data for image in request.images] == [shown.data]
    assert (request.fields["model"], request.fields["prompt"]) == (MODEL, "a lighthouse")

    second = mira.messages(general)[-1]
    here = f"https://discord.com/channels/{general.guild_id}/{general.id}"
    assert address == f"{here}/{second.id}"
    assert [each.data for each in second.attachments] == [house.imagerouter.answers[-1].data]
    assert f"Made from [this message]({here}/{first.id})" in second.text
    click = await mira.click(second, button(second, "Undo"))
    restored = await pictures(mira, general, click)
    assert [each.data for each in restored.attachments] == [shown.data]


async def test_of_several_pictures_the_one_that_was_chosen_is_shown_and_sent(
    house: House, opened: Open
) -> None:
    mira, general = house.person("mira"), house.channel()
    first = await make(mira, general, "saltmarsh/triptych")
    told = await (await mira.click(first, button(first, "Paint area"))).answer()
    [url] = [each.url for each in told.buttons if each.url and "picture 2" in str(each.label)]
    data = first.attachments[1].data
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    async with opened(Link(url)) as painter:
        seen = await painter.seen((1, 1), (picture.width - 1, picture.height - 1))
        small = (48, 48)
        off = ImageChops.difference(picture.resize(small), seen.resize(small))
        assert max(ImageStat.Stat(off).mean) < 3
        await painter.drag([(60, 60), (200, 60)])
        await painter.page.get_by_label("Model").select_option(MODEL)
        await send(painter)
    assert [image.data for image in house.imagerouter.requests[-1].images] == [data]


async def test_a_photo_that_exif_turns_is_painted_as_it_is_shown(
    house: House, opened: Open
) -> None:
    stored = Image.new("RGB", (600, 400), "navy")
    stored.paste("gold", (0, 300, 150, 400))  # its lower left corner
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it clockwise by a quarter to show it
    stream = io.BytesIO()
    stored.save(stream, "JPEG", quality=95, exif=exif)
    upright = (400, 600)
    link = await invited(house, data=stream.getvalue())
    async with opened(link) as painter:
        shown = await painter.seen((5, 5), (95, 145))  # upper left, as it is shown
        assert _is_gold(shown)
        await painter.button("Rectangle").click()
        await painter.drag([(0, 0), (100, 150)])
        shape = await sent_mask(house, painter, upright)
    assert_alike(shape, box(0, 0, 100, 150, upright))
    [image] = house.imagerouter.requests[-1].images
    sent = Image.open(io.BytesIO(image.data))
    assert sent.size == upright
    assert not sent.getexif()
    assert _is_gold(sent.crop((5, 5, 95, 145)))


def _is_gold(image: Image.Image) -> bool:
    """Every pixel of it: much red, little blue."""
    (least_red, _), _, (_, most_blue) = ImageStat.Stat(image.convert("RGB")).extrema
    return least_red > 200 and most_blue < 60


@pytest.mark.parametrize("size", [(37, 901), (1201, 803), (4500, 4000)], ids=str)
async def test_the_mask_has_the_pictures_own_pixels(
    house: House, opened: Open, size: tuple[int, int]
) -> None:
    """The last one has more pixels than a phone's canvas holds: it is painted smaller."""
    width, height = size
    corner, other = (width // 4, height // 4), (3 * width // 4, height // 2)
    link = await invited(house, data=png(Image.new("L", size, 90)))
    async with opened(link) as painter:
        screen_pixel = 1 / (await painter.place()).scale
        await painter.button("Rectangle").click()
        await painter.drag([corner, other])
        shape = await sent_mask(house, painter, size)
    assert shape.getbbox() == pytest.approx((*corner, *other), abs=max(1, screen_pixel))
    assert shape.crop(shape.getbbox()).getextrema() == (255, 255)
