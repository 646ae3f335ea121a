"""The mask painter's page in a browser: from opening a link to the result in Discord."""

import io

import pytest
from PIL import Image, ImageDraw, ImageStat
from playwright.async_api import Browser, expect

from bot.quotas import Window
from bot.storage import Option, Who
from sandbox.house import House
from tests.browser.masks import SIZE, Open, assert_alike, box, sent_mask
from tests.web.paint import Link, invited, photo, result
from tools.browser import Look
from tools.painter import Point, open_painter

pytestmark = pytest.mark.browser


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
    assert_alike(shape, box(100, 100, 500, 300))


async def test_a_picture_that_did_not_come_can_be_asked_for_again(
    house: House, link: Link, browser: Browser
) -> None:
    house.discord.faults.status("GET /cdn/*/*/*/*", 503, times=None)
    async with open_painter(browser, link.url) as painter:
        again = painter.button("Try again")
        await expect(again).to_be_visible()
        await expect(painter.button("Generate")).not_to_be_visible()
        house.discord.faults.clear()
        await again.click()
        await painter.open()
        await painter.page.keyboard.press("r")
        await painter.drag([(100, 100), (500, 300)])
        shape = await sent_mask(house, painter)
        assert painter.problems == []
    assert_alike(shape, box(100, 100, 500, 300))


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


@pytest.mark.parametrize("width", [360, 390, 820])
async def test_everything_fits_on_a_phone_and_can_be_hit_by_a_finger(
    link: Link, opened: Open, width: int
) -> None:
    async with opened(link, look=Look(width=width, height=740, scale=1), touch=True) as painter:
        for tool in ("Brush", "Rectangle", "Move the picture"):
            await painter.button(tool).click()
            boxes: list[dict[str, float | str]] = await painter.page.evaluate(
                """() => [...document.querySelectorAll("button, select, textarea, input")]
                .filter((e) => e.checkVisibility() && !e.closest(".cover, dialog"))
                .map((e) => (
                    {name: e.id || e.dataset.tool, ...e.getBoundingClientRect().toJSON()}
                ))"""
            )
            assert len(boxes) > 12
            for box in boxes:
                assert float(box["height"]) >= 44, (tool, box)
                assert float(box["left"]) >= 0, (tool, box)
                assert float(box["right"]) <= width, (tool, box)
                assert float(box["bottom"]) <= 740, (tool, box)
            assert await painter.page.evaluate("document.documentElement.scrollWidth") <= width
            names = await painter.page.evaluate(
                """() => [...document.querySelectorAll("button")]
                .filter((e) => !e.innerText.trim() && !e.ariaLabel).length"""
            )
            assert names == 0


WINDOWS = [(360, 640), (390, 844), (844, 390), (820, 1180), (870, 700), (1280, 800)]


@pytest.mark.parametrize("size", [(600, 400), (400, 600)], ids=["landscape", "portrait"])
async def test_no_tool_lies_over_a_picture_that_is_shown_whole(
    house: House, opened: Open, size: tuple[int, int]
) -> None:
    link = await invited(house, data=photo(size))
    async with opened(link) as painter:
        for width, height in WINDOWS:
            await painter.page.set_viewport_size({"width": width, "height": height})
            await painter.page.evaluate(
                "new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)))"
            )
            points = [
                (x * (size[0] - 2) / 12 + 1, y * (size[1] - 2) / 12 + 1)
                for x in range(13)
                for y in range(13)
            ]
            over: list[str] = await painter.page.evaluate(
                """(points) => points.map(([x, y]) => document.elementFromPoint(x, y))
                .filter((seen) => seen?.id !== "view").map((seen) => String(seen?.outerHTML))""",
                await painter.on_screen(points),
            )
            assert over == [], (width, height)
            assert (await painter.place()).scale > 0.2


async def test_another_kind_of_picture_with_transparency_is_painted_on_too(
    house: House, opened: Open
) -> None:
    stream = io.BytesIO()
    image = Image.new("RGBA", SIZE, (200, 30, 30, 0))
    ImageDraw.Draw(image).ellipse((200, 100, 400, 300), fill=(30, 200, 30, 255))
    image.save(stream, "WEBP", lossless=True)
    link = await invited(house, data=stream.getvalue())
    async with opened(link) as painter:
        clear: tuple[Point, Point] = ((10, 10), (90, 90))
        assert _brightness(await painter.seen(*clear)) > 200
        await painter.button("Switch between dark and light").click()
        assert _brightness(await painter.seen(*clear)) < 60
        await painter.page.keyboard.press("r")
        await painter.drag([(100, 100), (500, 300)])
        shape = await sent_mask(house, painter)
    assert_alike(shape, box(100, 100, 500, 300))


def _brightness(image: Image.Image) -> float:
    return ImageStat.Stat(image.convert("L")).mean[0]


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
