"""The mask painter in a browser: what is painted there is what ImageRouter gets."""

import io
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter
from playwright.async_api import Browser, expect

from bot.quotas import Window
from bot.storage import Option, Who
from sandbox.house import House
from tests.web.paint import Link, editness, invited, photo, result
from tools.browser import Look
from tools.painter import Painter, Point, open_painter

pytestmark = pytest.mark.browser

SIZE = (600, 400)
PICTURE = photo(SIZE)
PHONE = Look(width=360, height=740, scale=2)
EDGE = 5
"""Pixels by which edges may differ: screens have other pixels than pictures."""


class Open(Protocol):
    """Opens a link, and checks in the end that the page had nothing to complain of."""

    def __call__(
        self, link: Link, *, look: Look | None = None, touch: bool = False
    ) -> AbstractAsyncContextManager[Painter]: ...


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with House(tmp_path) as opened:
        yield opened
        assert opened.discord.openapi_problems == []


@pytest.fixture
async def link(house: House) -> Link:
    return await invited(house, data=PICTURE)


@pytest.fixture
def opened(browser: Browser) -> Open:
    @asynccontextmanager
    async def open_one(
        link: Link, *, look: Look | None = None, touch: bool = False
    ) -> AsyncIterator[Painter]:
        async with open_painter(browser, link.url, look=look, touch=touch) as painter:
            await painter.open()
            yield painter
            assert painter.problems == []

    return open_one


async def sent_mask(house: House, painter: Painter) -> Image.Image:
    """Press Generate, and return what ImageRouter got: white is what may change."""
    await painter.button("Generate").click()
    await expect(
        painter.page.get_by_role("heading", name="Your edit is in Discord")
    ).to_be_visible()
    await result(house)
    mask = house.imagerouter.requests[-1].mask
    assert mask is not None
    shape = editness(mask.data)
    assert shape.size == SIZE
    return shape


def stroke(points: Sequence[Point], width: float) -> Image.Image:
    """Draw what a round brush leaves."""
    image = Image.new("L", SIZE)
    draw = ImageDraw.Draw(image)
    draw.line([*points], fill=255, width=round(width))
    for x, y in points:
        r = width / 2
        draw.ellipse((x - r, y - r, x + r, y + r), fill=255)
    return image


def polygon(points: Sequence[Point]) -> Image.Image:
    image = Image.new("L", SIZE)
    ImageDraw.Draw(image).polygon([*points], fill=255)
    return image


def assert_alike(shape: Image.Image, expected: Image.Image) -> None:
    """Both white somewhere, and different at edges only."""
    assert shape.getbbox() is not None
    different = ImageChops.difference(shape, expected)
    inside = different.filter(ImageFilter.MinFilter(EDGE))  # what is thinner is an edge
    assert inside.getbbox() is None


async def brush_size(painter: Painter) -> float:
    text = await painter.page.locator("#size-out").inner_text()
    return float(text.removesuffix(" px"))


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
    box = shape.getbbox()
    assert box is not None
    assert all(abs(a - b) <= 1 for a, b in zip(box, (150, 80, 450, 310), strict=True))
    assert shape.crop(box).getextrema() == (255, 255)


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
    expected = polygon([(100, 100), (499, 100), (499, 299), (100, 299)])
    for left, right in ((200, 300), (350, 400)):
        hole = polygon([(left, 150), (right - 1, 150), (right - 1, 249), (left, 249)])
        expected = ImageChops.subtract(expected, hole)
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
    whole = polygon([(100, 100), (499, 100), (499, 299), (100, 299)])
    assert_alike(shape, ImageChops.subtract(whole, stroke(line, width)))


async def test_invert_swaps_inside_and_outside(house: House, link: Link, opened: Open) -> None:
    async with opened(link) as painter:
        await painter.page.keyboard.press("r")
        await painter.drag([(100, 100), (500, 300)])
        await painter.button("Invert").click()
        await painter.page.keyboard.press("i")
        await painter.page.keyboard.press("i")
        shape = await sent_mask(house, painter)
    inside = polygon([(100, 100), (499, 100), (499, 299), (100, 299)])
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


async def test_a_refusal_is_told_and_the_painting_survives_a_reload(
    house: House, link: Link, opened: Open
) -> None:
    member = Who.member(house.guild().id, house.person("mira").user.id)
    policies = house.bot.services.policies
    await policies.set_limit(member, Window.DAY, 10_000, by=1)
    async with opened(link) as painter:
        await painter.page.keyboard.press("r")
        await painter.drag([(100, 100), (500, 300)])
        await painter.button("Generate").click()
        await expect(painter.notice).to_contain_text("$0.01")
        await expect(painter.notice).not_to_contain_text("**")
        assert house.imagerouter.requests == []
        painter.page.on("dialog", lambda dialog: dialog.accept())
        await painter.page.reload()
        await painter.open()
        await expect(painter.page.locator("#coverage")).to_have_text("33% of it")
        await policies.set_limit(member, Window.DAY, None, by=1)
        shape = await sent_mask(house, painter)
    assert_alike(shape, polygon([(100, 100), (499, 100), (499, 299), (100, 299)]))


async def test_nothing_painted_is_asked_about(house: House, link: Link, opened: Open) -> None:
    async with opened(link) as painter:
        await painter.button("Generate").click()
        await expect(painter.notice).to_contain_text("nothing")
        await painter.notice.get_by_role("button", name="Invert").click()
        await expect(painter.notice).to_be_hidden()
        await expect(painter.page.locator("#coverage")).to_have_text("all of it")
        await painter.button("Generate").click()
        await painter.notice.get_by_role("button", name="Generate anyway").click()
        await result(house)
    assert len(house.imagerouter.requests) == 1


async def test_a_dear_edit_is_confirmed_on_the_page(house: House, link: Link, opened: Open) -> None:
    policies = house.bot.services.policies
    await policies.configure(house.guild().id, Option.CONFIRM_ABOVE, 10_000, by=1)
    async with opened(link) as painter:
        await painter.drag([(60, 60), (200, 60)])
        await painter.button("Generate").click()
        await expect(painter.notice).to_contain_text("$0.03")
        await painter.notice.get_by_role("button", name="Not now").click()
        await painter.button("Generate").click()
        assert house.imagerouter.requests == []
        await painter.notice.get_by_role("button", name="Confirm").click()
        await result(house)


async def test_the_price_is_that_of_the_chosen_model(link: Link, opened: Open) -> None:
    async with opened(link) as painter:
        price = painter.page.locator("#price")
        await expect(price).to_have_text("$0.03")
        await painter.page.get_by_label("Model").select_option("mosaic/tessera-brush")
        await expect(price).to_contain_text("about $0.042")
        await expect(price).to_contain_text("at most")
        await painter.page.get_by_label("Model").select_option("test/test")
        await expect(price).to_have_text("free")


async def test_a_used_link_shows_the_way_to_the_result(
    house: House, link: Link, opened: Open, browser: Browser
) -> None:
    async with opened(link) as painter:
        await painter.drag([(60, 60), (200, 60)])
        await sent_mask(house, painter)
    async with open_painter(browser, link.url) as again:
        await expect(
            again.page.get_by_role("heading", name="Your edit is in Discord")
        ).to_be_visible()
        way = again.page.get_by_role("link", name="Open in Discord")
        href = await way.get_attribute("href")
        assert href is not None
        assert href.startswith(f"https://discord.com/channels/{house.guild().id}/")


async def test_an_expired_link_says_what_to_do(house: House, link: Link, browser: Browser) -> None:
    house.clock.advance(31 * 60_000)
    async with open_painter(browser, link.url) as painter:
        await expect(
            painter.page.get_by_role("heading", name="This link has expired")
        ).to_be_visible()
        await expect(painter.page.get_by_text("area:paint")).to_be_visible()
        await expect(painter.button("Generate")).not_to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_theme_follows_the_system_and_the_switch(
    house: House, link: Link, opened: Open, theme: str
) -> None:
    look = Look(theme="dark" if theme == "dark" else "light")
    async with opened(link, look=look) as painter:
        colour = "getComputedStyle(document.body).backgroundColor"
        before = await painter.page.evaluate(colour)
        await painter.button("Switch between dark and light").click()
        after = await painter.page.evaluate(colour)
        assert (sum(map(int, _digits(before))) > 384) is (theme == "light")
        assert (sum(map(int, _digits(after))) > 384) is (theme == "dark")
        await painter.page.reload()
        await painter.open()
        assert await painter.page.evaluate(colour) == after
        assert await painter.page.context.cookies() == []


def _digits(colour: str) -> list[str]:
    return colour.removeprefix("rgb(").removesuffix(")").split(", ")


@pytest.mark.parametrize("tool", ["Brush", "Rectangle", "Move the picture"])
@pytest.mark.parametrize("width", [360, 390, 820])
async def test_everything_fits_on_a_phone_and_can_be_hit_by_a_finger(
    link: Link, opened: Open, width: int, tool: str
) -> None:
    async with opened(link, look=Look(width=width, height=740, scale=1), touch=True) as painter:
        await painter.button(tool).click()
        boxes: list[dict[str, float | str]] = await painter.page.evaluate(
            """() => [...document.querySelectorAll("button, select, textarea, input")]
            .filter((e) => e.checkVisibility() && !e.closest(".cover, dialog"))
            .map((e) => ({name: e.id || e.dataset.tool, ...e.getBoundingClientRect().toJSON()}))"""
        )
        assert len(boxes) > 12
        for box in boxes:
            assert float(box["height"]) >= 44, box
            assert float(box["left"]) >= 0, box
            assert float(box["right"]) <= width, box
            assert float(box["bottom"]) <= 740, box
        assert await painter.page.evaluate("document.documentElement.scrollWidth") <= width
        names = await painter.page.evaluate(
            """() => [...document.querySelectorAll("button")]
            .filter((e) => !e.innerText.trim() && !e.ariaLabel).length"""
        )
        assert names == 0


async def test_another_kind_of_picture_with_transparency_is_painted_on_too(
    house: House, opened: Open
) -> None:
    stream = io.BytesIO()
    image = Image.new("RGBA", SIZE, (200, 30, 30, 0))
    ImageDraw.Draw(image).ellipse((200, 100, 400, 300), fill=(30, 200, 30, 255))
    image.save(stream, "WEBP", lossless=True)
    link = await invited(house, data=stream.getvalue())
    async with opened(link) as painter:
        await painter.page.keyboard.press("r")
        await painter.drag([(100, 100), (500, 300)])
        shape = await sent_mask(house, painter)
    assert_alike(shape, polygon([(100, 100), (499, 100), (499, 299), (100, 299)]))


async def test_sentences_for_discord_are_read_as_plain_words(link: Link, opened: Open) -> None:
    said = {
        r"quill\-xl has **no** `mask` support\.": "quill-xl has no mask support.",
        "See <https://imagerouter.io/api-keys>.": "See https://imagerouter.io/api-keys.",
        "<@12> in <#34> as <@&56>": "a member in the channel as a role",
        "until <t:1767225600:D>": "until 1 January 2026",
        "<b>bold</b> & 1 < 2": "<b>bold</b> & 1 < 2",
    }
    async with opened(link) as painter:
        for text, read in said.items():
            plain = await painter.page.evaluate(
                "async (text) => (await import('/p/static/words.js')).plain(text)", text
            )
            assert plain == read
