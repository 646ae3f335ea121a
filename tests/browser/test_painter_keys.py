"""Keyboard shortcuts of the mask painter: each that the page names does what it says."""

import pytest
from playwright.async_api import expect

from sandbox.house import House
from tests.browser.masks import (
    Open,
    arrived,
    assert_alike,
    box,
    brush_size,
    last_mask,
    sent_mask,
    stroke,
)
from tests.web.paint import Link
from tools.painter import Point

pytestmark = pytest.mark.browser

OF_BUTTONS = {"B", "E", "R", "L", "H", "I", "Delete", "Control+Z", "Control+Shift+Z"} | {
    *("?", "+", "-", "0", "1", "Control+Enter"),
}
LISTED = {"B", "E", "R", "L", "H", "I", "Del", "Ctrl", "Z", "Shift", "Enter", "?", "+"} | {
    *("\u2212", "0", "1", "[", "]", "{", "}", "Alt", "Space"),
}
"""What the page names. Tests here and in `test_painter_tools.py` press each of them."""


async def test_no_key_is_named_that_is_not_tested_and_help_has_them_all(
    link: Link, opened: Open
) -> None:
    async with opened(link) as painter:
        of_buttons: list[str] = await painter.page.evaluate(
            """() => [...document.querySelectorAll("[aria-keyshortcuts]")]
            .map((button) => button.getAttribute("aria-keyshortcuts"))"""
        )
        listed = await painter.page.locator("dialog kbd").all_text_contents()
    assert set(of_buttons) == OF_BUTTONS
    assert set(listed) == LISTED


async def test_letters_choose_the_tools(link: Link, opened: Open) -> None:
    names = {
        "e": "Eraser",
        "r": "Rectangle",
        "l": "Lasso",
        "h": "Move the picture",
        "B": "Brush",  # as with Caps Lock
    }
    async with opened(link) as painter:
        for key, name in names.items():
            await painter.page.keyboard.press(key)
            pressed = painter.page.locator("[data-tool][aria-pressed=true]")
            await expect(pressed).to_have_accessible_name(name)


async def test_brackets_make_the_brush_broader_and_finer(
    house: House, link: Link, opened: Open
) -> None:
    line: list[Point] = [(150, 100), (450, 250)]
    async with opened(link) as painter:
        before = await brush_size(painter)
        for _ in range(6):
            await painter.page.keyboard.press("]")
        broad = await brush_size(painter)
        await painter.page.keyboard.press("[")
        width = await brush_size(painter)
        assert before < width < broad
        await painter.drag(line)
        shape = await sent_mask(house, painter)
    assert_alike(shape, stroke(line, width))


async def test_braces_feather_more_and_less(link: Link, opened: Open) -> None:
    async with opened(link) as painter:
        feather = painter.page.locator("#feather-out")
        for _ in range(6):
            await painter.page.keyboard.press("}")
        await expect(feather).to_have_text("22 px")
        for shown in ("15 px", "10 px", "5 px", "2 px", "2 px", "off", "off"):
            await painter.page.keyboard.press("{")
            await expect(feather).to_have_text(shown)


async def test_del_clears_all(link: Link, opened: Open) -> None:
    async with opened(link) as painter:
        coverage = painter.page.locator("#coverage")
        await painter.drag([(60, 60), (400, 300)])
        await expect(coverage).not_to_have_text("nothing yet")
        await painter.page.keyboard.press("Delete")
        await expect(coverage).to_have_text("nothing yet")
        await expect(painter.button("Undo")).to_be_enabled()


async def test_escape_lets_go_of_what_is_being_drawn(
    house: House, link: Link, opened: Open
) -> None:
    async with opened(link) as painter:
        await painter.page.keyboard.press("r")
        await painter.drag([(100, 100), (500, 300)])
        [begin, end] = await painter.on_screen([(20, 20), (580, 380)])
        await painter.page.mouse.move(*begin)
        await painter.page.mouse.down()
        await painter.page.mouse.move(*end)
        await painter.page.keyboard.press("Escape")
        await painter.page.mouse.up()
        shape = await sent_mask(house, painter)
    assert_alike(shape, box(100, 100, 500, 300))


async def test_shift_makes_a_square(house: House, link: Link, opened: Open) -> None:
    async with opened(link) as painter:
        await painter.page.keyboard.press("r")
        await painter.page.keyboard.down("Shift")
        await painter.drag([(400, 300), (200, 250)])
        await painter.page.keyboard.up("Shift")
        shape = await sent_mask(house, painter)
    assert_alike(shape, box(200, 100, 400, 300))


async def test_arrows_move_the_picture_from_wherever_they_do_nothing_else(
    link: Link, opened: Open
) -> None:
    async with opened(link) as painter:
        for begin in (None, painter.button("Zoom in"), painter.view):
            if begin is not None:
                await begin.focus()
            for key, x, y in (
                ("ArrowLeft", 1, 0),
                ("ArrowUp", 0, 1),
                ("ArrowRight", -1, 0),
                ("ArrowDown", 0, -1),
            ):
                before = await painter.place()
                await painter.page.keyboard.press(key)
                after = await painter.place()
                assert (after.left - before.left, after.top - before.top) == (48 * x, 48 * y)
        before = await painter.place()
        await painter.page.get_by_role("slider", name="Size").focus()
        width = await brush_size(painter)
        for _ in range(10):
            await painter.page.keyboard.press("ArrowRight")
        assert await brush_size(painter) > width
        assert await painter.place() == before


async def test_plus_minus_nought_and_one_zoom(link: Link, opened: Open) -> None:
    async with opened(link) as painter:
        whole = await painter.place()
        scale = whole.scale
        for key, factor in (("+", 1.25), ("=", 1.25), ("-", 0.8)):
            await painter.page.keyboard.press(key)
            scale *= factor
            assert (await painter.place()).scale == pytest.approx(scale)
        await painter.page.keyboard.press("1")
        assert (await painter.place()).scale == pytest.approx(1)
        await painter.page.keyboard.press("0")
        assert await painter.place() == whole


@pytest.mark.parametrize("writing", [True, False])
async def test_control_enter_generates_while_one_writes_too(
    house: House, link: Link, opened: Open, writing: bool
) -> None:
    async with opened(link) as painter:
        await painter.page.keyboard.press("r")
        await painter.drag([(100, 100), (500, 300)])
        if writing:
            await painter.page.get_by_label("What should be there instead?").fill("a blue boat")
        await painter.page.keyboard.press("Control+Enter")
        await arrived(painter)
    assert_alike(last_mask(house), box(100, 100, 500, 300))
    prompt = house.imagerouter.requests[0].fields["prompt"]
    assert prompt == ("a blue boat" if writing else "a red boat")


async def test_keys_do_nothing_to_the_picture_while_one_writes(link: Link, opened: Open) -> None:
    async with opened(link) as painter:
        await painter.drag([(60, 60), (200, 60)])
        prompt = painter.page.get_by_label("What should be there instead?")
        await prompt.fill("")
        await prompt.press_sequentially("i be rl [0] ?")
        await expect(prompt).to_have_value("i be rl [0] ?")
        await expect(painter.button("Brush")).to_have_attribute("aria-pressed", "true")
        await expect(painter.page.get_by_role("dialog")).to_be_hidden()
        await painter.view.focus()
        await painter.page.keyboard.press("?")
        await expect(painter.page.get_by_role("dialog", name="Painting, in short")).to_be_visible()
        await painter.page.keyboard.press("e")
        await painter.button("Close").click()
        await expect(painter.button("Brush")).to_have_attribute("aria-pressed", "true")


async def test_on_a_mac_keys_have_its_names_and_work(link: Link, opened: Open) -> None:
    mac = {
        "userAgent": "Mozilla/5.0 (Macintosh)",
        "platform": "MacIntel",
        "userAgentMetadata": {
            "platform": "macOS",
            "platformVersion": "15",
            "architecture": "arm",
            "model": "",
            "mobile": False,
        },
    }
    async with opened(link) as painter:
        session = await painter.page.context.new_cdp_session(painter.page)
        await session.send("Emulation.setUserAgentOverride", mac)
        await painter.page.reload()
        await painter.open()
        undo = painter.button("Undo")
        await expect(undo).to_have_attribute("aria-keyshortcuts", "Meta+Z")
        await expect(undo).to_have_attribute("data-key", "\u2318 Z")
        await painter.drag([(60, 60), (200, 60)])
        await painter.page.keyboard.press("Control+z")
        await expect(undo).to_be_enabled()
        await painter.page.keyboard.press("Meta+z")
        await expect(undo).to_be_disabled()
        await painter.page.keyboard.press("Meta+Shift+z")
        await expect(undo).to_be_enabled()
        size = await brush_size(painter)
        await painter.page.keyboard.down("Alt")  # where brackets are made with it
        await painter.page.keyboard.press("]")
        await painter.page.keyboard.up("Alt")
        assert await brush_size(painter) > size
        await painter.button("Help and keyboard shortcuts").click()
        listed = painter.page.get_by_role("dialog")
        await expect(listed).to_contain_text("\u2318")
        await expect(listed).to_contain_text("\u2325")
        await expect(listed).not_to_contain_text("Ctrl")
