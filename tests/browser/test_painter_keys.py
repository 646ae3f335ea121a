"""Keyboard shortcuts of the mask painter: each that the page names does what it says."""

import pytest
from playwright.async_api import expect

from tests.browser.masks import Open
from tests.web.paint import Link

pytestmark = pytest.mark.browser


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
