"""What the painter's page leaves: the mask that ImageRouter got, beside what was to be painted."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from PIL import Image, ImageChops, ImageDraw, ImageFilter
from playwright.async_api import expect

from sandbox.house import House
from tests.web.paint import Link, editness, photo
from tools.browser import Look
from tools.painter import Painter, Point

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


async def send(painter: Painter) -> None:
    """Press Generate, and wait until the result is in Discord."""
    await painter.button("Generate").click()
    await arrived(painter)


async def arrived(painter: Painter) -> None:
    """Wait until the page says that the result is in Discord."""
    await expect(
        painter.page.get_by_role("heading", name="Your edit is in Discord")
    ).to_be_visible()


async def sent_mask(house: House, painter: Painter, size: tuple[int, int] = SIZE) -> Image.Image:
    """Press Generate, and return what ImageRouter got: white is what may change.

    The result in Discord is waited for, and not the page, which asks for it every 1.5 seconds.
    """
    theo, general = house.person("theo"), house.channel()
    old = {message.id for message in theo.messages(general) if message.attachments}
    await painter.button("Generate").click()
    await theo.wait_for(general, lambda m: bool(m.attachments) and m.id not in old, timeout=20)
    return last_mask(house, size)


def last_mask(house: House, size: tuple[int, int] = SIZE) -> Image.Image:
    """Return the mask that ImageRouter got last; it is `size` pixels large."""
    mask = house.imagerouter.requests[-1].mask
    assert mask is not None
    shape = editness(mask.data)
    assert shape.size == size
    return shape


def stroke(points: Sequence[Point], width: float, size: tuple[int, int] = SIZE) -> Image.Image:
    """Draw what a round brush leaves."""
    image = Image.new("L", size)
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


def box(
    left: float, top: float, right: float, bottom: float, size: tuple[int, int] = SIZE
) -> Image.Image:
    """Draw a rectangle: right and bottom are outside."""
    image = Image.new("L", size)
    ImageDraw.Draw(image).rectangle((left, top, right - 1, bottom - 1), fill=255)
    return image


def assert_alike(shape: Image.Image, expected: Image.Image) -> None:
    """Both white somewhere, and different at edges only."""
    assert shape.getbbox() is not None
    different = ImageChops.difference(shape, expected)
    inside = different.filter(ImageFilter.MinFilter(EDGE))  # what is thinner is an edge
    assert inside.getbbox() is None


async def brush_size(painter: Painter) -> float:
    """Return how broad the brush is, in the picture's pixels, as the page says."""
    text = await painter.page.locator("#size-out").inner_text()
    return float(text.removesuffix(" px"))
