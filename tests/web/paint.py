"""Invitations to the mask painter, what its page sends, and what came of it at the other ends."""

import asyncio
import io
import json
from dataclasses import dataclass, field

import aiohttp
from PIL import Image, ImageDraw

from bot.requests import Actor, ImageRequest, ReplyRoute, Source
from sandbox.discord import Channel, Message, Person, UploadedFile
from sandbox.house import House
from tests.discord.edits import marked

MODEL = "inkwell/retouch-one"
"""It takes a mask, and costs 0.03 USD."""
UPLOAD_LIMIT = 10 * 2**20
SIZE = (320, 240)


def photo(size: tuple[int, int] = SIZE) -> bytes:
    """Draw a picture: no two rows are alike."""
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    ImageDraw.Draw(image).ellipse((size[0] // 2, 20, size[0] // 2 + 60, 80), fill="gold")
    return png(image)


def painted(box: tuple[int, int, int, int] | None, size: tuple[int, int] = SIZE) -> bytes:
    """Make a mask as the page does: transparent within `box` (right and bottom are outside)."""
    mask = Image.new("RGBA", size, (0, 0, 0, 255))
    if box is not None:
        mask.paste((255, 255, 255, 0), box)
    return png(mask)


def png(image: Image.Image) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def editness(mask: bytes) -> Image.Image:
    """Decode a mask that ImageRouter got: white is what may change. Both conventions agree."""
    return marked(mask).point(lambda value: 255 if value >= 128 else 0)


@dataclass(frozen=True, slots=True)
class Told:
    """An answer of the bot's web server."""

    status: int
    body: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False)

    @property
    def json(self) -> dict[str, object]:
        answer = json.loads(self.body)
        assert isinstance(answer, dict)
        return answer


@dataclass(frozen=True, slots=True)
class Link:
    """A link to the painter, and what its page does with it."""

    url: str

    @property
    def origin(self) -> str:
        return self.url.partition("/p/")[0]

    async def get(self, part: str = "", **headers: str) -> Told:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.url}{part}", headers=headers) as answer,
        ):
            return Told(answer.status, await answer.read(), dict(answer.headers))

    async def generate(
        self,
        mask: bytes,
        *,
        prompt: str = "a red boat",
        model: str = MODEL,
        agreed: int = 0,
        checked: bool = False,
        headers: dict[str, str] | None = None,
    ) -> Told:
        about = {"prompt": prompt, "model": model, "agreed": agreed, "checked": checked}
        return await self.send(json.dumps(about), mask, headers=headers)

    async def send(
        self,
        about: str,
        mask: bytes,
        *,
        headers: dict[str, str] | None = None,
        announced: bool = True,
    ) -> Told:
        """Send the form, whatever is in it; `announced` says beforehand how large it is."""
        form = aiohttp.FormData()
        form.add_field("about", about, content_type="application/json", filename="about.json")
        form.add_field("mask", io.BytesIO(mask), content_type="image/png", filename="mask.png")
        own = {"Origin": self.origin} if headers is None else headers
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"{self.url}/generate", data=form, headers=own, chunked=not announced or None
            ) as answer,
        ):
            return Told(answer.status, await answer.read(), dict(answer.headers))


async def invited(
    house: House,
    *,
    person: str = "mira",
    channel: str = "general",
    data: bytes | None = None,
    prompt: str = "a red boat",
    model: str | None = MODEL,
    private: bool = False,
    count: int = 1,
) -> Link:
    """Post a picture, and invite its person to paint on it, as `/edit area:paint` does."""
    who, where = house.person(person), house.channel(channel)
    shown = await who.say(where, files=[UploadedFile("photo.png", data or photo())])
    picture = shown.attachments[0]
    request = ImageRequest(
        command="edit",
        prompt=prompt,
        model=model,
        count=count,
        private=private,
        images=(Source(picture.url, "photo.png", picture.size, where.id, shown.id),),
    )
    url = await house.bot.services.painting.invite(
        actor_of(house, who, where), request, origin=origin(house, where)
    )
    return Link(url)


def actor_of(house: House, who: Person, where: Channel) -> Actor:
    """Return who asks, as a command's cog does."""
    member = house.guild().members[who.user.id]
    return Actor(who.user.id, house.guild().id, where.id, tuple(member.role_ids))


def origin(house: House, where: Channel) -> ReplyRoute:
    """Return where the person asked."""
    application = house.bot.application_id
    assert application is not None
    return ReplyRoute(application, "", 0, where.id, 0, UPLOAD_LIMIT)


async def result(house: House, channel: str = "general") -> Message:
    """Wait until the bot has posted a picture in a channel."""
    where = house.channel(channel)
    bot = house.discord.world.bot.id
    return await house.person("theo").wait_for(
        where, lambda message: message.author.id == bot and bool(message.attachments)
    )


async def stage(link: Link, wanted: str) -> dict[str, object]:
    """Ask for the status, as the page does, until it says `wanted`."""
    async with asyncio.timeout(10):
        while True:
            told = (await link.get("/status")).json
            if told["stage"] == wanted:
                return told
            await asyncio.sleep(0.2)  # HTTP tells no events; the page polls, too


async def result_of(house: House, link: Link, channel: Channel) -> Message:
    """Wait until a link's edit is posted in its channel."""
    message_id = int(str((await stage(link, "done"))["link"]).rpartition("/")[2])
    message = house.discord.world.message(channel.id, message_id)
    assert message is not None
    return message
