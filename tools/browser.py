"""Drives the sandbox's page in the system's Chromium, as a person would: for tests and screenshots.

Everything is found by its role and name, so that what these helpers can do, a screen reader can.
"""

import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from playwright.async_api import Browser, FilePayload, Locator, Page, async_playwright

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_ARGUMENTS: Final = (
    "--no-sandbox",  # containers and CI run as root, where Chromium's own sandbox cannot start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
)


def find_chromium() -> str | None:
    """Return the path of an installed Chromium or Chrome, or None."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


@asynccontextmanager
async def launch(chromium: str) -> AsyncIterator[Browser]:
    """Run a headless browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium, args=list(_ARGUMENTS), timeout=30_000
        )
        try:
            yield browser
        finally:
            await browser.close()


@dataclass(frozen=True, slots=True)
class Look:
    """How the page is shown."""

    theme: Literal["light", "dark"] = "light"
    width: int = 1200
    """CSS pixels."""
    height: int = 860
    scale: float = 1
    """Device pixels for each CSS pixel."""


@dataclass(frozen=True, slots=True)
class Chat:
    """One open page of the sandbox."""

    page: Page

    @property
    def log(self) -> Locator:
        """All messages."""
        return self.page.get_by_role("log", name="Messages")

    @property
    def messages(self) -> Locator:
        """Each message, oldest first."""
        return self.log.get_by_role("article")

    @property
    def last(self) -> Locator:
        """The newest message."""
        return self.messages.last

    @property
    def line(self) -> Locator:
        """The line in which one types."""
        return self.page.get_by_role("combobox", name=re.compile("^Message "))

    @property
    def form(self) -> Locator:
        """The options of the command that is being written."""
        return self.page.get_by_role("form", name="Command /")

    @property
    def dialog(self) -> Locator:
        """The modal or picture that is open above the chat."""
        return self.page.get_by_role("dialog")

    async def switch(self, person: str) -> None:
        """Become another person, by username."""
        await self.page.get_by_label("You are").select_option(person)
        await self.page.wait_for_url(f"**/#{person}/*")

    async def enter(self, channel: str) -> None:
        """Open a channel by name."""
        drawer = self.page.get_by_role("button", name="Channels")
        if await drawer.is_visible():
            await drawer.click()
        name = re.compile(f"^{re.escape(channel)}( unread)?$")
        await self.page.get_by_role("navigation").get_by_role("button", name=name).click()
        await self.page.get_by_role("heading", level=1, name=channel).wait_for()

    async def begin(self, command: str) -> None:
        """Type `/` and a command's name, and pick it by keyboard."""
        await self.line.click()
        await self.line.press_sequentially(f"/{command} ")
        await self.form.wait_for()

    def option(self, name: str) -> Locator:
        """Return the field of an option that is shown."""
        return self.form.get_by_label(name, exact=True)

    async def add_option(self, name: str) -> Locator:
        """Add an optional option; return its field."""
        await self.form.get_by_role("button", name=f"Add option {name}", exact=True).click()
        return self.option(name)

    async def fill(self, options: Mapping[str, str]) -> None:
        """Fill in options with text, adding those that are not shown yet."""
        for name, text in options.items():
            add = self.form.get_by_role("button", name=f"Add option {name}", exact=True)
            if await add.count():
                await add.click()
            await self.option(name).fill(text)

    async def attach(self, option: str, file: FilePayload) -> None:
        """Choose a file for an attachment option that is shown."""
        await self.form.locator(f'input[type="file"][aria-label="{option}"]').set_input_files(file)

    async def run(self) -> None:
        """Send the command that was written."""
        await self.form.get_by_role("button", name="Run").click()


@asynccontextmanager
async def open_chat(
    browser: Browser, url: str, *, person: str = "mira", channel: str = "", look: Look | None = None
) -> AsyncIterator[Chat]:
    """Open the page as a person, in a channel (by name), in a fresh browser profile."""
    shown = look or Look()
    context = await browser.new_context(
        color_scheme=shown.theme,
        viewport={"width": shown.width, "height": shown.height},
        device_scale_factor=shown.scale,
        locale="en-GB",
        timezone_id="UTC",
    )
    context.set_default_timeout(20_000)
    try:
        page = await context.new_page()
        await page.goto(f"{url}#{person}/")
        chat = Chat(page)
        await chat.line.wait_for()
        if channel:
            await chat.enter(channel)
        yield chat
    finally:
        await context.close()


class OpenAs(Protocol):
    """Opens the page as a person; what the tests' fixture `open_as` is."""

    def __call__(
        self, person: str = "mira", channel: str = "general", *, look: Look | None = None
    ) -> AbstractAsyncContextManager[Chat]:
        """Open a channel in a fresh browser profile."""
        ...
