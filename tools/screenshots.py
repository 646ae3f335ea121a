"""Makes the pictures of the documentation: the real bot in the sandbox, photographed in Chromium.

`python -m tools.screenshots [FOLDER]` writes `docs/images/*.png` (or into FOLDER). It needs an
installed Chromium, and no account: everything runs on this machine.
"""

import argparse
import asyncio
import io
import math
import sys
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import Browser, FilePayload, expect

from sandbox.house import House
from sandbox.page import PageServer
from sandbox.talk import make as make_picture
from sandbox.talk import told
from tools.browser import Chat, Look, find_chromium, launch, open_chat
from tools.charts import EXAMPLE, draw
from tools.painter import Painter, Point, open_painter

FOLDER: Final = Path(__file__).parent.parent / "docs" / "images"
MODEL: Final = "black-forest-labs/FLUX-1-schnell"
EDITOR: Final = "mosaic/tessera-brush"
DAY_MS: Final = 86_400_000
DAYS_OF_REPORT: Final = 14
SPENDERS: Final = (
    ("mira", "papercut/fold-large"),
    ("theo", "papercut/fold-mini"),
    ("mira", "lumenfield/aurora-2"),
    ("ada", "papercut/fold-large"),
    ("oskar", MODEL),
)
"""Who makes pictures by which model, some more every day."""

DESKTOP: Final = Look("light", 1160, 760)
TALL: Final = Look("light", 1160, 940)
DARK: Final = Look("dark", 1160, 760)
PHONE: Final = Look("dark", 390, 780, scale=2)
DESK: Final = Look("dark", 1160, 780)
REPORT: Final = Look("light", 1160, 1260)
HAND: Final = Look("light", 390, 780, scale=2)


@dataclass(frozen=True, slots=True)
class Studio:
    """A running sandbox, a browser, and where the pictures go."""

    browser: Browser
    url: str
    folder: Path

    async def take(self, chat: Chat, name: str) -> None:
        """Photograph the page once every picture in it has loaded."""
        for picture in await chat.page.locator("img").all():
            await picture.scroll_into_view_if_needed()
            await expect(picture).not_to_have_js_property("naturalWidth", 0)
        await chat.page.screenshot(path=self.folder / f"{name}.png")

    async def imagine(self, chat: Chat, options: Mapping[str, str]) -> None:
        """Use `/imagine` and wait for its buttons."""
        before = await chat.log.get_by_role("button", name="Again").count()
        await chat.begin("imagine")
        await chat.fill(options)
        await chat.run()
        await chat.log.get_by_role("button", name="Again").nth(before).wait_for()
        await chat.last.get_by_text("You have spent").wait_for()


async def photograph(studio: Studio) -> None:
    """Take every picture, in the order in which the documentation tells the story."""
    browser, url = studio.browser, studio.url
    async with open_chat(browser, url, channel="pictures", look=DESKTOP) as chat:
        await chat.begin("imagine")
        await chat.fill({"prompt": "a paper boat on a moonlit lake", "count": "2"})
        model = await chat.add_option("model")
        await model.press_sequentially("fl")
        suggestions = chat.page.get_by_role("listbox", name="Suggestions for model")
        await expect(suggestions.get_by_role("option").first).to_contain_text("FLUX")
        await studio.take(chat, "command")
        await chat.page.keyboard.press("Escape")
        await chat.page.keyboard.press("Escape")
        await studio.imagine(
            chat, {"prompt": "a paper boat on a moonlit lake", "count": "2", "model": MODEL}
        )
        await studio.take(chat, "sandbox")
        await chat.begin("usage")
        await chat.run()
        await chat.last.get_by_text("This month").wait_for()
        await studio.take(chat, "usage")
    async with open_chat(browser, url, person="theo", channel="pictures", look=DARK) as chat:
        await studio.take(chat, "sandbox-dark")
    async with open_chat(browser, url, person="theo", channel="workshop", look=PHONE) as chat:
        await studio.imagine(chat, {"prompt": "a lighthouse in the fog", "model": MODEL})
        await studio.take(chat, "sandbox-phone")


async def photograph_edits(studio: Studio, boat: bytes) -> None:
    """An edit and its result, and the question about a mask that marks everything."""
    picture: FilePayload = {"name": "boat.png", "mimeType": "image/png", "buffer": boat}
    mask: FilePayload = {"name": "mask.png", "mimeType": "image/png", "buffer": _white()}
    prompt = {"prompt": "the same boat under a starry sky", "model": EDITOR}
    async with open_chat(studio.browser, studio.url, channel="workshop", look=TALL) as chat:
        await chat.begin("edit")
        await chat.attach("image", picture)
        await chat.fill({**prompt, "area": "the upper half"})
        await chat.run()
        await chat.log.get_by_role("button", name="Undo").wait_for()
        await studio.take(chat, "edit")
        await chat.begin("edit")
        await chat.attach("image", picture)
        await chat.add_option("mask")
        await chat.attach("mask", mask)
        await chat.fill(prompt)
        await chat.run()
        await chat.log.get_by_role("button", name="Invert").wait_for()
        await studio.take(chat, "mask-question")


async def photograph_models(studio: Studio) -> None:
    """The list of models, and the page of one that the server has used."""
    async with open_chat(studio.browser, studio.url, channel="workshop", look=TALL) as chat:
        for prompt in ("a heron at dawn", "a heron at dusk", "a heron at noon"):
            await studio.imagine(chat, {"prompt": prompt, "model": EDITOR})
        await chat.begin("models")
        await chat.run()
        await chat.log.get_by_role("button", name="Next").wait_for()
        await studio.take(chat, "models")
        await chat.begin("models")
        await chat.fill({"name": EDITOR})
        await chat.run()
        await chat.log.get_by_role("button", name="Try it").wait_for()
        await studio.take(chat, "model")


async def photograph_report(studio: Studio, house: House) -> None:
    """What a server has spent, after half a month of it."""
    house.clock.advance(_until_next_month(house.clock.now_ms()))
    general, ada = house.channel("general"), house.person("ada")
    await told(ada, general, "quota set", per="month", amount="4")
    for day in range(DAYS_OF_REPORT):
        asked = [
            make_picture(house.person(name), general, model)
            for number, (name, model) in enumerate(SPENDERS)
            for _ in range((day * (number + 3) + number) % 3)
        ]
        await asyncio.gather(*asked)
        house.clock.advance(DAY_MS)
    async with open_chat(studio.browser, studio.url, person="ada", look=REPORT) as chat:
        await chat.begin("report")
        await chat.run()
        await chat.log.get_by_role("button", name="Post here").wait_for()
        await studio.take(chat, "report")


def _until_next_month(now_ms: int) -> int:
    """Return how many milliseconds it is until noon of the next month's first day, UTC."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    then = (now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=12)
    return int((then - now).total_seconds()) * 1000


async def photograph_painter(studio: Studio, boat: bytes) -> None:
    """The mask painter, on a desk and on a phone."""
    picture: FilePayload = {"name": "boat.png", "mimeType": "image/png", "buffer": boat}
    for name, look, touch in (("dark", DESK, False), ("phone", HAND, True)):
        async with open_chat(studio.browser, studio.url, channel="general", look=TALL) as chat:
            await chat.begin("edit")
            await chat.attach("image", picture)
            await chat.fill(
                {
                    "prompt": "a striped balloon drifting by",
                    "model": EDITOR,
                    "area": "paint it in your browser",
                }
            )
            await chat.run()
            link = chat.last.get_by_role("link", name="Paint the area")
            address = await link.get_attribute("href")
        if address is None:
            raise LookupError("the answer has no link")
        async with open_painter(studio.browser, address, look=look, touch=touch) as painter:
            await painter.open()
            await paint_balloon(painter, touch=touch)
            await expect(painter.page.get_by_text("% of it")).to_be_attached()
            await painter.page.screenshot(path=studio.folder / f"painter-{name}.png")


async def paint_balloon(painter: Painter, *, touch: bool) -> None:
    """Paint where a balloon and its string shall be."""
    loop: list[Point] = [
        (220 + 90 * math.sin(i / 6), 300 - 105 * math.cos(i / 6)) for i in range(39)
    ]
    string: list[Point] = [(220 + 12 * math.sin(i / 3), 400 + 12 * i) for i in range(18)]
    await (painter.touch(string) if touch else painter.drag(string))
    await painter.button("Lasso").click()
    await (painter.touch(loop) if touch else painter.drag(loop))
    if touch:
        return
    await painter.button("Brush").click()
    [resting] = await painter.on_screen([(420, 430)])
    await painter.page.mouse.move(*resting)


def _white() -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (1024, 1024), 255).save(buffer, "PNG")
    return buffer.getvalue()


async def make(folder: Path, chromium: str) -> None:
    """Run the sandbox and the browser, and write the pictures."""
    async with AsyncExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        house = await stack.enter_async_context(House(data))
        page = await stack.enter_async_context(
            PageServer(house.discord, house.imagerouter, house.clock, port=0)
        )
        browser = await stack.enter_async_context(launch(chromium))
        studio = Studio(browser, page.url, folder)
        await photograph(studio)
        boat = house.imagerouter.answers[0].data
        await photograph_edits(studio, boat)
        await photograph_painter(studio, boat)
        await photograph_models(studio)
        await photograph_report(studio, house)
    await draw(folder, [EXAMPLE])


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    folder = parser.parse_args().folder
    chromium = find_chromium()
    if chromium is None:
        print("No Chromium here: install it first (Debian: apt install chromium).")
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(make(folder, chromium))
    for path in sorted(folder.glob("*.png")):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
