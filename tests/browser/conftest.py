"""A browser on the sandbox's page, with a small bot in it that shows every kind of message.

Tests of the real bot take `browser` and open its own sandbox's page with
`tools.browser.open_chat(browser, url, person=..., channel=...)`.
"""

import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest
from playwright.async_api import Browser, expect

from tools.browser import Chat, Look, OpenAs, find_chromium, launch, open_chat
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
