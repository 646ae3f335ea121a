"""What stories of edits share: pictures to give, forms to fill in, and what arrived."""

import io
from typing import Any

from PIL import Image

from sandbox.discord import Channel, Message, Modal, Person, UploadedFile
from sandbox.house import House, pictures

COLLAGE = "saltmarsh/heron-collage"
CHEAP = "papercut/fold-mini"
EDIT, ADD = "Edit image", "Add to edit tray"
DAY_MS = 86_400_000


def png(number: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), f"rgb({number * 9},80,120)").save(buffer, "PNG")
    return buffer.getvalue()


def halved(size: tuple[int, int], left: str, right: str) -> bytes:
    """A picture of two colours."""
    picture = Image.new("RGB", size, left)
    picture.paste(right, (size[0] // 2, 0, *size))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def marked(mask: bytes) -> Image.Image:
    """Where a mask that was sent marks what shall change: white, in both of its conventions."""
    picture = Image.open(io.BytesIO(mask))
    assert picture.mode == "RGBA"
    *colours, alpha = picture.split()
    inverted = alpha.point(lambda value: 255 - value)
    for colour in colours:
        assert colour.tobytes() == inverted.tobytes()
    return inverted


def files(count: int, *, begin: int = 0) -> list[UploadedFile]:
    return [UploadedFile(f"boat {n}.png", png(n)) for n in range(begin, begin + count)]


def fields(modal: Modal) -> dict[str, dict[str, Any]]:
    """The fields of a form by their custom ids."""
    inner = [row["component"] for row in modal.components]
    return {field["custom_id"]: field for field in inner}


async def edit_form(person: Person, channel: Channel, message: Message) -> Modal:
    """The form of the command on a message with one picture."""
    return await (await person.apps_menu(channel, EDIT, message)).form()


def sent(house: House, number: int = -1) -> list[bytes]:
    """The pictures of an edit, as they arrived at ImageRouter."""
    request = house.imagerouter.requests[number]
    assert request.endpoint == "edits"
    return [file.data for file in request.images]


async def made(person: Person, channel: Channel, model: str = CHEAP, **options: object) -> Message:
    """A result."""
    asked = {"prompt": "a gull", "model": model, **options}
    return await pictures(person, channel, await person.slash(channel, "imagine", asked))


def rename(message: Message, custom_id: str, other: str) -> None:
    """Do what a hostile client can: send another custom id than the one it was given."""
    component = message.component(custom_id)
    assert component is not None
    component["custom_id"] = other
