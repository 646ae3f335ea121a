"""The mask painter's tools, by mouse, finger and pen: what is painted is what ImageRouter gets."""

import io
from contextlib import AsyncExitStack

import pytest
from PIL import Image, ImageChops
from playwright.async_api import expect

from sandbox.house import House
from tests.browser.masks import (
    PHONE,
    PICTURE,
    SIZE,
    Open,
    assert_alike,
    box,
    brush_size,
    polygon,
    sent_mask,
    stroke,
)
from tests.web.paint import Link, result
from tools.painter import Point

pytestmark = pytest.mark.browser


async def test_a_painted_line_arrives_where_it_was_painted(
    house: House, link: Link, opened: Open
) -> None:
    line: list[Point] = [(100, 100), (300, 120), (420, 300)]
    async with opened(link) as painter:
        await painter.drag(line)
        width = await brush_size(painter)
        await painter.page.get_by_label("What should be there instead?").fill("a green boat")
        shape = await sent_mask(house, painter)
    assert_alike(shape, stroke(line, width))
    [request] = house.imagerouter.requests
    assert request.fields["prompt"] == "a green boat"
    assert [image.data for image in request.images] == [PICTURE]


async def test_a_finger_paints_on_a_phone(house: House, link: Link, opened: Open) -> None:
    line: list[Point] = [(100 + 8 * i, 100 + 5 * i) for i in range(40)]
    async with opened(link, look=PHONE, touch=True) as painter:
        await painter.touch(line)
        width = await brush_size(painter)
        shape = await sent_mask(house, painter)
    assert_alike(shape, stroke(line, width))


async def test_two_fingers_zoom_and_paint_nothing(house: House, link: Link, opened: Open) -> None:
    async with opened(link, look=PHONE, touch=True) as painter:
        before = await painter.view.get_attribute("data-place")
        apart: list[Point] = [(260 - 10 * i, 200) for i in range(12)]
        other: list[Point] = [(340 + 10 * i, 200) for i in range(12)]
        await painter.touch(apart, other)
        after = await painter.view.get_attribute("data-place")
        assert before is not None
        assert after is not None
        assert float(after.split()[2]) > 1.5 * float(before.split()[2])
        await expect(painter.button("Undo")).to_be_disabled()
        await expect(painter.page.locator("#coverage")).to_have_text("nothing yet")


@pytest.mark.parametrize(("pressure", "share"), [(1.0, 1.0), (0.5, 0.675), (0.1, 0.415)])
async def test_a_pen_paints_as_broad_as_it_is_pressed(
    house: House, link: Link, opened: Open, pressure: float, share: float
) -> None:
    line: list[Point] = [(100, 120), (300, 160), (480, 300)]
    async with opened(link) as painter:
        await painter.page.get_by_role("slider", name="Size").fill("80")
        width = await brush_size(painter)
        async with painter.pen(line[0], pressure=pressure) as move:
            await move(line[1])
            await move(line[2])
        shape = await sent_mask(house, painter)
    assert_alike(shape, stroke(line, share * width))


@pytest.mark.parametrize(
    ("first", "hand"),
    [(True, [(450, 320)]), (False, [(450, 320)]), (False, [(450, 320), (500, 350)])],
)
async def test_a_hand_that_rests_on_the_glass_paints_nothing_beside_a_pen(
    house: House, link: Link, opened: Open, *, first: bool, hand: list[Point]
) -> None:
    line: list[Point] = [(100, 100), (400, 150)]
    async with opened(link, touch=True) as painter, AsyncExitStack() as resting:
        width = await brush_size(painter)
        if first:
            await resting.enter_async_context(painter.hand(*hand))
        async with painter.pen(line[0], pressure=1) as move:
            if not first:
                await resting.enter_async_context(painter.hand(*hand))
            await move(line[1])
        await resting.aclose()
        shape = await sent_mask(house, painter)
    assert_alike(shape, stroke(line, width))


async def test_undo_and_redo_go_step_by_step(house: House, link: Link, opened: Open) -> None:
    first: list[Point] = [(60, 60), (200, 60)]
    second: list[Point] = [(60, 200), (200, 200)]
    third: list[Point] = [(60, 320), (200, 320)]
    async with opened(link) as painter:
        width = await brush_size(painter)
        for line in (first, second, third):
            await painter.drag(line)
        await painter.button("Undo").click()
        await painter.page.keyboard.press("Control+z")
        await painter.page.keyboard.press("Control+z")
        await expect(painter.button("Undo")).to_be_disabled()
        await painter.button("Redo").click()
        await painter.page.keyboard.press("Control+Shift+z")
        await expect(painter.button("Redo")).to_be_enabled()
        shape = await sent_mask(house, painter)
    assert_alike(shape, ImageChops.lighter(stroke(first, width), stroke(second, width)))


async def test_what_is_painted_after_an_undo_ends_redo(link: Link, opened: Open) -> None:
    async with opened(link) as painter:
        await painter.drag([(60, 60), (200, 60)])
        await painter.button("Undo").click()
        await painter.drag([(60, 200), (200, 200)])
        await expect(painter.button("Redo")).to_be_disabled()


async def test_a_rectangle_is_exact(house: House, link: Link, opened: Open) -> None:
    async with opened(link) as painter:
        await painter.button("Rectangle").click()
        await painter.drag([(150, 80), (450, 310)])
        shape = await sent_mask(house, painter)
    area = shape.getbbox()
    assert area is not None
    assert all(abs(a - b) <= 1 for a, b in zip(area, (150, 80, 450, 310), strict=True))
    assert shape.crop(area).getextrema() == (255, 255)


async def test_shapes_can_be_taken_away_again(house: House, link: Link, opened: Open) -> None:
    async with opened(link) as painter:
        await painter.page.keyboard.press("r")
        await painter.drag([(100, 100), (500, 300)])
        await painter.page.keyboard.down("Alt")
        await painter.drag([(200, 150), (300, 250)])
        await painter.page.keyboard.up("Alt")
        await painter.button("Remove").click()
        await painter.drag([(350, 150), (400, 250)])
        shape = await sent_mask(house, painter)
    expected = box(100, 100, 500, 300)
    for left, right in ((200, 300), (350, 400)):
        hole = box(left, 150, right, 250)
        expected = ImageChops.subtract(expected, hole)
    assert_alike(shape, expected)


async def test_brush_and_shapes_add_again_after_a_shape_was_taken_away(
    house: House, link: Link, opened: Open
) -> None:
    line: list[Point] = [(60, 40), (540, 40)]
    async with opened(link) as painter:
        await painter.button("Rectangle").click()
        await painter.drag([(100, 100), (500, 300)])
        await painter.button("Remove").click()
        await painter.drag([(200, 150), (400, 250)])
        await painter.button("Brush").click()
        width = await brush_size(painter)
        await painter.drag(line)
        await painter.button("Lasso").click()
        await expect(painter.button("Remove")).to_have_attribute("aria-pressed", "true")
        await painter.button("Add").click()
        await painter.drag([(250, 170), (350, 170), (350, 230), (250, 230)])
        shape = await sent_mask(house, painter)
    expected = ImageChops.subtract(box(100, 100, 500, 300), box(200, 150, 400, 250))
    for painted in (stroke(line, width), box(250, 170, 350, 230)):
        expected = ImageChops.lighter(expected, painted)
    assert_alike(shape, expected)


async def test_a_lasso_fills_what_it_goes_around(house: House, link: Link, opened: Open) -> None:
    corners: list[Point] = [(300, 60), (480, 200), (330, 340), (120, 220)]
    async with opened(link) as painter:
        await painter.button("Lasso").click()
        await painter.drag(corners, steps=20)
        shape = await sent_mask(house, painter)
    assert_alike(shape, polygon(corners))


async def test_an_eraser_takes_away(house: House, link: Link, opened: Open) -> None:
    line: list[Point] = [(120, 200), (480, 200)]
    async with opened(link) as painter:
        await painter.page.keyboard.press("r")
        await painter.drag([(100, 100), (500, 300)])
        await painter.button("Eraser").click()
        width = await brush_size(painter)
        await painter.drag(line)
        shape = await sent_mask(house, painter)
    whole = box(100, 100, 500, 300)
    assert_alike(shape, ImageChops.subtract(whole, stroke(line, width)))


async def test_invert_swaps_inside_and_outside(house: House, link: Link, opened: Open) -> None:
    async with opened(link) as painter:
        await painter.page.keyboard.press("r")
        await painter.drag([(100, 100), (500, 300)])
        await painter.button("Invert").click()
        await painter.page.keyboard.press("i")
        await painter.page.keyboard.press("i")
        shape = await sent_mask(house, painter)
    inside = box(100, 100, 500, 300)
    assert_alike(shape, ImageChops.invert(inside))


async def test_feather_makes_soft_edges(house: House, link: Link, opened: Open) -> None:
    async with opened(link) as painter:
        await painter.page.keyboard.press("r")
        await painter.drag([(200, 100), (400, 300)])
        await painter.page.get_by_label("Feather").fill("60")
        await painter.button("Generate").click()
        await result(house)
    mask = house.imagerouter.requests[-1].mask
    assert mask is not None
    alpha = Image.open(io.BytesIO(mask.data)).getchannel("A")
    row = [alpha.getpixel((x, 200)) for x in range(160, 260)]
    assert row == sorted(row, key=lambda value: -int(str(value)))
    assert len(set(row)) > 10
    assert alpha.getpixel((300, 200)) == 0
    assert alpha.getpixel((100, 200)) == 255


async def test_the_sliders_are_as_broad_as_they_say(house: House, link: Link, opened: Open) -> None:
    line: list[Point] = [(150, 200), (450, 200)]
    async with opened(link) as painter:
        size = painter.page.get_by_role("slider", name="Size")
        before = await brush_size(painter)
        await size.fill("90")
        width = await brush_size(painter)
        assert width > 3 * before
        await expect(size).to_have_attribute("aria-valuetext", f"{width:.0f} pixels")
        await painter.drag(line)
        shape = await sent_mask(house, painter)
    assert_alike(shape, stroke(line, width))


async def test_clear_takes_all_away_and_can_be_undone(
    house: House, link: Link, opened: Open
) -> None:
    async with opened(link) as painter:
        await painter.button("Rectangle").click()
        await painter.drag([(100, 100), (500, 300)])
        await painter.button("Invert").click()
        await painter.button("Clear all").click()
        await expect(painter.page.locator("#coverage")).to_have_text("nothing yet")
        await painter.button("Undo").click()
        await painter.button("Undo").click()
        shape = await sent_mask(house, painter)
    assert_alike(shape, box(100, 100, 500, 300))


async def test_the_hand_moves_the_picture_and_paints_nothing(
    house: House, link: Link, opened: Open
) -> None:
    line: list[Point] = [(300, 60), (400, 90)]
    async with opened(link) as painter:
        await painter.button("Move the picture").click()
        before = await painter.place()
        await painter.drag([(300, 200), (200, 260)])
        after = await painter.place()
        assert after.scale == before.scale
        assert after.left - before.left == pytest.approx(-100 * before.scale, abs=2)
        assert after.top - before.top == pytest.approx(60 * before.scale, abs=2)
        await expect(painter.button("Undo")).to_be_disabled()
        await painter.button("Brush").click()
        width = await brush_size(painter)
        await painter.drag(line)
        shape = await sent_mask(house, painter)
    assert_alike(shape, stroke(line, width))


async def test_wheel_and_middle_button_move_the_picture_and_paint_nothing(
    link: Link, opened: Open
) -> None:
    async with opened(link) as painter:
        before = await painter.place()
        mouse = painter.page.mouse
        [middle, further] = await painter.on_screen([(300, 200), (250, 230)])
        await mouse.move(*middle)
        await painter.page.keyboard.down("Shift")
        await mouse.wheel(0, 40)
        await painter.page.keyboard.up("Shift")
        await mouse.wheel(30, 0)
        await mouse.down(button="middle")
        await mouse.move(*further)
        await mouse.up(button="middle")
        after = await painter.place()
        moved = (after.left - before.left, after.top - before.top)
        assert moved == pytest.approx((-70 - 50 * before.scale, 30 * before.scale), abs=2)
        await expect(painter.button("Undo")).to_be_disabled()


async def test_the_zooms_buttons_zoom_about_the_middle_and_say_how_far(
    house: House, link: Link, opened: Open
) -> None:
    level = "Zoom to full size"
    async with opened(link) as painter:
        whole = await painter.place()
        await painter.button("Zoom in").click()
        nearer = await painter.place()
        assert nearer.scale == pytest.approx(1.25 * whole.scale)
        await expect(painter.button(level)).to_have_text(f"{nearer.scale:.0%}")
        await painter.button("Zoom out").click()
        await painter.button("Zoom out").click()
        assert (await painter.place()).scale == pytest.approx(0.8 * whole.scale)
        await painter.button(level).click()
        assert (await painter.place()).scale == pytest.approx(1)
        await expect(painter.button(level)).to_have_text("100%")
        await painter.button("Rectangle").click()
        await painter.drag([(200, 150), (400, 250)])
        await painter.button("Show all of the picture").click()
        assert await painter.place() == whole
        shape = await sent_mask(house, painter)
    assert_alike(shape, box(200, 150, 400, 250))


async def test_what_is_painted_is_tinted_and_nothing_else(link: Link, opened: Open) -> None:
    whole: tuple[Point, Point] = ((0, 0), SIZE)
    async with opened(link) as painter:
        coverage = painter.page.locator("#coverage")
        await painter.page.keyboard.press("r")
        before = await painter.seen(*whole)
        await painter.drag([(150, 100), (450, 300)])
        await expect(coverage).to_have_text("25% of it")
        tinted = ImageChops.difference(await painter.seen(*whole), before).getbbox()
        scale = (await painter.place()).scale
        assert tinted == pytest.approx([scale * at for at in (150, 100, 450, 300)], abs=2)
        await painter.page.keyboard.press("Control+z")
        await expect(coverage).to_have_text("nothing yet")
        assert ImageChops.difference(await painter.seen(*whole), before).getbbox() is None


async def test_painting_while_zoomed_and_moved_hits_the_same_place(
    house: House, link: Link, opened: Open
) -> None:
    line: list[Point] = [(300, 190), (330, 210)]
    async with opened(link) as painter:
        [middle] = await painter.on_screen([(300, 200)])
        await painter.page.mouse.move(*middle)
        for _ in range(6):
            await painter.page.mouse.wheel(0, -240)
        place = await painter.view.get_attribute("data-place")
        await painter.page.keyboard.down("Space")
        await painter.drag([(300, 200), (310, 205)])
        await painter.page.keyboard.up("Space")
        await expect(painter.view).not_to_have_attribute("data-place", str(place))
        await painter.page.keyboard.press("[")
        await painter.drag(line)
        width = await brush_size(painter)
        shape = await sent_mask(house, painter)
    assert_alike(shape, stroke(line, width))
