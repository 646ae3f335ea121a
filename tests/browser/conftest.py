"""A browser on the sandbox's page, with a small bot in it that shows every kind of message.

Tests of the real bot take `browser` and open its own sandbox's page with
`tools.browser.open_chat(browser, url, person=..., channel=...)`; those of its mask painter take
`house`, `link` and `opened`.

One browser serves a worker's tests, each of which opens pages in profiles of its own: to start it
takes longer than most of them. It belongs to one event loop, so they all run in that one.
"""

import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from pytest_asyncio import is_async_test

from sandbox.house import House
from tests.browser.masks import PICTURE, Open
from tests.houses import strict_house
from tests.web.paint import Link, invited
from tools.browser import Chat, Look, OpenAs, find_chromium, launch, open_chat
from tools.painter import Painter, open_painter
from tools.toybot import Place, toy_place

expect.set_options(timeout=20_000)  # milliseconds; a busy machine is no reason to fail

_HERE: Final = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what is here in the browser's loop."""
    for item in items:
        if is_async_test(item) and item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser to use; without one these tests skip, or fail where REQUIRE_BROWSER=1."""
    path = find_chromium()
    if path is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("REQUIRE_BROWSER=1, but no Chromium is installed (apt install chromium)")
        pytest.skip("no Chromium on this machine: install it to run the browser tests")
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with launch(chromium) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
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


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A sandbox with the real bot."""
    async with strict_house(tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
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
