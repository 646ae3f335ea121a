"""A local Discord that keeps people's files, and `Inputs` that read them with the real tools."""

import io
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp.abc import AbstractResolver
from PIL import Image

from bot.downloads import Downloads, Hosts
from bot.images import ImageTools
from bot.inputs import DISCORD_HOSTS, Basket, InputLimits, Inputs, Renew
from bot.requests import Area, ImageRequest, Source
from sandbox.clock import SandboxClock
from sandbox.discord import Attachment, DiscordServer, UploadedFile
from sandbox.discord.snowflakes import Snowflakes

QUICK = InputLimits(patience=(0.01, 0.02))


class Desk:
    """People's files, what became of their links, and the `Inputs` that read them."""

    def __init__(self, discord: DiscordServer, clock: SandboxClock, folder: Path) -> None:
        self.discord = discord
        self.clock = clock
        self.folder = folder
        self.renewed: list[str] = []
        """Names of the files whose links were renewed."""
        self.painted: dict[int, bytes] = {}
        self.inputs: Inputs
        self._snowflakes = Snowflakes(clock)

    def keep(self, filename: str, data: bytes) -> Attachment:
        """Let Discord have a file."""
        return self.discord.core.cdn.keep(
            UploadedFile(filename, data), snowflakes=self._snowflakes, channel_id=7
        )

    def give(self, filename: str, data: bytes) -> Source:
        """Give the bot a file, as a person does with a command."""
        attachment = self.keep(filename, data)
        return Source(url=attachment.url, filename=filename, size=len(data))

    async def renew(self, source: Source) -> Source | None:
        """Do what the Discord side does: get a fresh link for an old one."""
        self.renewed.append(source.filename)
        url = self.discord.core.cdn.refresh(source.url)
        return None if url is None else Source(url=url, filename=source.filename)

    async def get(self, mask_id: int) -> bytes | None:
        """Do what the database does: return a painted mask while it is kept."""
        return self.painted.get(mask_id)

    def files(self) -> list[Path]:
        """Return every file of a job that lies on the disk."""
        return [path for path in self.folder.rglob("*/*/*") if path.is_file()]

    def jobs(self) -> list[Path]:
        """Return the folder of every job."""
        return [path for path in self.folder.glob("*/*") if path.is_dir()]

    def gone(self) -> bool:
        """Tell whether nothing is left of any job, on the disk and in the count."""
        return not self.jobs() and self.inputs.bytes_kept == 0


@asynccontextmanager
async def open_desk(
    folder: Path,
    *,
    limits: InputLimits = QUICK,
    renew: Renew | None = None,
    idle_s: float = 30.0,
    resolver: AbstractResolver | None = None,
    hosts: tuple[str, ...] = (),
    bot_clock: SandboxClock | None = None,
) -> AsyncIterator[Desk]:
    """Open a desk; `hosts` may be read beside Discord's and the local one's.

    `bot_clock`: the bot's, where it differs from Discord's.
    """
    clock = SandboxClock()
    async with DiscordServer(clock) as discord, ImageTools() as tools:
        desk = Desk(discord, clock, folder)
        allowed = Hosts(*DISCORD_HOSTS, discord.cdn_url, *hosts)
        async with (
            Downloads(
                allow_loopback=allowed.on_this_machine, idle_s=idle_s, resolver=resolver
            ) as downloads,
            Inputs(
                downloads=downloads,
                tools=tools,
                masks=desk,
                renew=renew or desk.renew,
                hosts=allowed,
                folder=folder,
                clock=bot_clock or clock,
                limits=limits,
            ) as desk.inputs,
        ):
            yield desk


def edit(
    *images: Source,
    mask: Source | None = None,
    area: Area | None = None,
    invert: bool = False,
    mask_checked: bool = False,
) -> ImageRequest:
    """Return a request to edit pictures."""
    return ImageRequest(
        command="edit",
        prompt="at night",
        images=images,
        mask=mask,
        area=area,
        invert=invert,
        mask_checked=mask_checked,
    )


def names_in(folder: Path) -> list[str]:
    """Return the name of everything in a folder, and in those below it."""
    return sorted(path.name for path in folder.rglob("*"))


def sent(basket: Basket) -> list[bytes]:
    """Return the bytes of a basket's pictures."""
    return [upload.data.read_bytes() for upload in basket.images if isinstance(upload.data, Path)]


def mask_of(basket: Basket) -> Image.Image:
    """Return the mask of a basket, decoded."""
    assert basket.mask is not None
    assert isinstance(basket.mask.data, Path)
    return Image.open(io.BytesIO(basket.mask.data.read_bytes())).convert("RGBA")


def saved(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """Return a picture as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def png(width: int = 32, height: int = 24, colour: str = "red", mode: str = "RGB") -> bytes:
    """Return a plain picture."""
    return saved(Image.new(mode, (width, height), colour))


def noise(size: int) -> bytes:
    """Return a PNG of about `size` bytes, which nothing makes smaller without loss."""
    side = max(8, int((size / 3) ** 0.5))
    picture = Image.frombytes("RGB", (side, side), os.urandom(side * side * 3))
    return saved(picture, compress_level=0)
