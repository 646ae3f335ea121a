"""A browser on the sandbox's page, with a small bot in it that shows every kind of message.

Tests of the real bot take `browser` and open its own sandbox's page with
`tools.browser.open_chat(browser, url, person=..., channel=...)`; those of its mask painter take
`house`, `link` and `opened`.
"""

import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from sandbox.house import House
from tests.browser.masks import PICTURE, Open
from tests.web.paint import Link, invited
from tools.browser import Chat, Look, OpenAs, find_chromium, launch, open_chat
from tools.painter import Painter, open_painter
from tools.toybot import Place, toy_place

expect.set_options(timeout=20_000)  # milliseconds; a busy machine is no reason to fail


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser to use; without one these tests skip, or fail where REQUIRE_BROWSER=1."""
    path = find_chromium()
    if path is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("REQUIRE_BROWSER=1, but no Chromium is installed (apt install chromium)")
        pytest.skip("no Chromium on this machine: install it to run the browser tests")
    return path


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with launch(chromium) as running:
        yield running


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    """A sandbox with the toy bot."""
    async with toy_place() as made:
        yield made


@pytest.fixture
def open_as(browser: Browser, place: Place) -> OpenAs:
    def opened(
        person: str = "mira", channel: str = "general", *, look: Look | None = None
    ) -> AbstractAsyncContextManager[Chat]:
        return open_chat(browser, place.page.url, person=person, channel=channel, look=look)

    return opened


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A sandbox with the real bot."""
    async with House(tmp_path) as opened:
        yield opened
        assert opened.discord.openapi_problems == []


@pytest.fixture
async def link(house: House) -> Link:
    """A link to paint on `PICTURE`."""
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
