"""Drives the mask painter's page, as a person would: for tests and screenshots.

Places on the picture are given in its own pixels, wherever the page shows them.
"""

import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import astuple, dataclass

from PIL import Image
from playwright.async_api import Browser, CDPSession, Locator, Page

from tools.browser import Look

Point = tuple[float, float]
Move = Callable[[Point], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the picture is on its canvas."""

    left: float
    """CSS pixels."""
    top: float
    scale: float
    """CSS pixels for each of the picture's."""


@dataclass(frozen=True, slots=True)
class Painter:
    """One open page of the painter."""

    page: Page
    problems: list[str]
    """What the page wrote to its console as errors, and requests to other hosts."""

    @property
    def view(self) -> Locator:
        """The canvas with the picture."""
        return self.page.get_by_role("application", name="Your picture")

    @property
    def notice(self) -> Locator:
        """What the bot said to the last Generate."""
        return self.page.get_by_role("alert")

    def button(self, name: str) -> Locator:
        """A button by its name."""
        return self.page.get_by_role("button", name=name, exact=True)

    async def open(self) -> None:
        """Wait until the picture is there."""
        await self.page.locator("body[data-state=ready]").wait_for()

    async def place(self) -> Place:
        """Where the picture is."""
        place = await self.view.get_attribute("data-place")
        if place is None:
            raise LookupError("no picture is shown")
        left, top, scale = (float(part) for part in place.split())
        return Place(left, top, scale)

    async def on_screen(self, points: Sequence[Point]) -> list[Point]:
        """Where points of the picture are in the window."""
        box = await self.view.bounding_box()
        if box is None:
            raise LookupError("no picture is shown")
        left, top, scale = astuple(await self.place())
        return [(box["x"] + left + x * scale, box["y"] + top + y * scale) for x, y in points]

    async def seen(self, corner: Point, other: Point) -> Image.Image:
        """What the window shows of the picture, from its one point to the other."""
        [(left, top), (right, bottom)] = await self.on_screen([corner, other])
        shot = await self.page.screenshot(
            clip={"x": left, "y": top, "width": right - left, "height": bottom - top}
        )
        return Image.open(io.BytesIO(shot)).convert("RGB")

    async def drag(self, points: Sequence[Point], *, steps: int = 4) -> None:
        """Draw a line with the mouse."""
        first, *rest = await self.on_screen(points)
        await self.page.mouse.move(*first)
        await self.page.mouse.down()
        for point in rest:
            await self.page.mouse.move(*point, steps=steps)
        await self.page.mouse.up()

    async def touch(self, *fingers: Sequence[Point]) -> None:
        """Draw lines with fingers that move at the same time; each has as many points."""
        session = await self.page.context.new_cdp_session(self.page)
        tracks = [await self.on_screen(finger) for finger in fingers]
        await _put_down(session, [track[0] for track in tracks])
        for moment in range(1, len(tracks[0])):
            await _dispatch(session, "touchMove", [track[moment] for track in tracks])
        await _dispatch(session, "touchEnd", [])
        await session.detach()

    @asynccontextmanager
    async def hand(self, *at: Point) -> AsyncIterator[None]:
        """Rest a hand on the picture for the block, which touches it in these points."""
        session = await self.page.context.new_cdp_session(self.page)
        await _put_down(session, await self.on_screen(at))
        yield
        await _dispatch(session, "touchEnd", [])
        await session.detach()

    @asynccontextmanager
    async def pen(self, at: Point, *, pressure: float) -> AsyncIterator[Move]:
        """Draw with a pen for the block, `pressure` from 0 to 1: gives what moves it."""
        session = await self.page.context.new_cdp_session(self.page)

        async def point(kind: str, where: Point) -> None:
            [(x, y)] = await self.on_screen([where])
            event = {"type": kind, "x": x, "y": y, "button": "left", "pointerType": "pen"}
            down = {"buttons": 1, "force": pressure} if kind != "mouseReleased" else {}
            await session.send("Input.dispatchMouseEvent", {**event, **down, "clickCount": 1})

        async def move(where: Point) -> None:
            nonlocal at
            at = where
            await point("mouseMoved", at)

        await point("mousePressed", at)
        yield move
        await point("mouseReleased", at)
        await session.detach()


async def _put_down(session: CDPSession, at: Sequence[Point]) -> None:
    for number in range(1, len(at) + 1):  # one after the other, as fingers do
        await _dispatch(session, "touchStart", at[:number])


async def _dispatch(session: CDPSession, kind: str, at: Sequence[Point]) -> None:
    points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(at)]
    await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


@asynccontextmanager
async def open_painter(
    browser: Browser, url: str, *, look: Look | None = None, touch: bool = False
) -> AsyncIterator[Painter]:
    """Open a link of the painter in a fresh browser profile."""
    shown = look or Look()
    context = await browser.new_context(
        color_scheme=shown.theme,
        viewport={"width": shown.width, "height": shown.height},
        device_scale_factor=shown.scale,
        has_touch=touch,
        is_mobile=touch,
        locale="en-GB",
        timezone_id="UTC",
    )
    context.set_default_timeout(20_000)
    try:
        page = await context.new_page()
        problems: list[str] = []
        origin = url.partition("/p/")[0]
        page.on("console", lambda said: _note(problems, said.type, said.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((f"{origin}/p/", "blob:"))
                else problems.append(request.url)
            ),
        )
        await page.goto(url)
        yield Painter(page, problems)
    finally:
        await context.close()


def _note(problems: list[str], kind: str, text: str) -> None:
    # A refusal of the bot is an answer, which browsers call a failure to load.
    if kind in {"error", "warning"} and "the server responded with a status" not in text:
        problems.append(text)
