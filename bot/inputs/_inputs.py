"""From what a person gave to files that can be sent: fetch, judge, convert, make the mask."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from msgspec import Struct

from bot.aside import aside
from bot.clock import Clock
from bot.downloads import Downloads, Hosts
from bot.errors import InputUnreachable, NeedsMaskCheck, ShuttingDown, UnusableInput
from bot.imagerouter import Upload
from bot.images import InputPicture, Look, UnusablePicture
from bot.inputs._links import Links
from bot.inputs._memory import Memory
from bot.inputs._parts import InputLimits, Masks, Renew, Tools
from bot.inputs._spool import JobTooLarge, Shelf, Spool, no_room
from bot.requests import Area, ImageRequest, Source

DISCORD_HOSTS: Final = ("cdn.discordapp.com", "media.discordapp.net", "images-ext-*.discordapp.net")
"""Where Discord keeps pictures of messages, and of what messages show of other sites."""


class Basket(Struct):
    """Files that are ready to be sent. Whoever has it closes it."""

    images: tuple[Upload, ...] = ()
    mask: Upload | None = None
    _shelf: Shelf | None = None

    async def close(self) -> None:
        """Delete the files; calling it again is fine."""
        if self._shelf is not None:
            await self._shelf.close()


class Inputs:
    """Gathers the pictures of jobs; an async context manager.

    `hosts`: where pictures may be read. `folder`: where files lie meanwhile, which several
    processes may share. Leaving it deletes the files of all baskets.
    """

    def __init__(
        self,
        *,
        downloads: Downloads,
        tools: Tools,
        masks: Masks,
        renew: Renew,
        hosts: Hosts,
        folder: Path,
        clock: Clock,
        limits: InputLimits | None = None,
    ) -> None:
        self._limits = limits or InputLimits()
        self._links = Links(downloads, renew=renew, hosts=hosts, clock=clock, limits=self._limits)
        self._tools = tools
        self._masks = masks
        self._turns = asyncio.Semaphore(self._limits.jobs_at_once)
        self._spool = Spool(
            folder, max_bytes=self._limits.all_bytes, memory_bytes=self._limits.memory_bytes
        )
        self._stopped = False
        self._scopes: set[asyncio.Timeout] = set()

    async def __aenter__(self) -> Self:
        """Make the folder. Raises OSError."""
        await self._spool.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._spool.close()

    @property
    def bytes_kept(self) -> int:
        """Bytes of all files that are there now."""
        return self._spool.used

    async def gather(self, request: ImageRequest, *, in_memory: bool = False) -> Basket:
        """Fetch and prepare everything that `request` needs; an empty basket if it needs nothing.

        Its files are on the disk; with `in_memory` some may be there instead, as streams.

        Raises:
            UnusableInput: a file can't be used; says which, and why.
            NeedsMaskCheck: the mask covers nothing or everything, and nobody has confirmed that.
            InputUnreachable: Discord does not hand over a file just now.
            InputsFull: no room for more files just now.
            ShuttingDown: after `stop`.
            LedgerUnavailable: a painted mask could not be read.
        """
        if not request.images:
            return Basket()
        self._judge(request)
        with self._until_stop() as scope:
            async with scope:
                return await self._gather_in_turn(request, in_memory=in_memory)

    def stop(self) -> None:
        """Gather nothing more, and give up what is under way: nothing of it was sent or held."""
        self._stopped = True
        for scope in self._scopes:
            if not scope.expired():
                scope.reschedule(asyncio.get_running_loop().time())

    @contextmanager
    def _until_stop(self) -> Iterator[asyncio.Timeout]:
        """A scope that `stop` ends, which raises ShuttingDown then."""
        if self._stopped:
            raise ShuttingDown
        scope = asyncio.timeout(None)
        self._scopes.add(scope)
        try:
            yield scope
        except TimeoutError:
            if scope.expired():
                raise ShuttingDown from None
            raise
        finally:
            self._scopes.discard(scope)

    async def _gather_in_turn(self, request: ImageRequest, *, in_memory: bool) -> Basket:
        async with self._turns:
            shelf = self._spool.shelf(max_bytes=self._limits.job_bytes)
            try:
                with _disk_faults():
                    await shelf.make()
                    async with asyncio.timeout(self._limits.job_s):
                        return await self._fill(shelf, request, in_memory=in_memory)
            except TimeoutError:
                await shelf.close()
                raise InputUnreachable(request.images[0].filename) from None
            except BaseException:
                await shelf.close()
                raise

    async def read(self, source: Source) -> bytes:
        """Return one picture as it would be sent. Raises as `gather`."""
        basket = await self.gather(ImageRequest(command="edit", prompt="", images=(source,)))
        try:
            [picture] = basket.images
            if not isinstance(picture.data, Path):
                raise TypeError("pictures of a basket are files")
            return await asyncio.to_thread(picture.data.read_bytes)
        finally:
            await basket.close()

    def _judge(self, request: ImageRequest) -> None:
        """Refuse what cannot work before anything is fetched."""
        left = self._limits.job_bytes
        for source in _sources(request):
            if not source.mask_id and not self._links.may_read(source.url):
                raise UnusableInput(source.filename, "elsewhere" if source.url else "gone")
            left -= source.size
            if source.size > self._limits.file_bytes:
                raise UnusableInput(source.filename, "too_large")
            if left < 0:
                raise UnusableInput(source.filename, "one_too_many")

    async def _fill(self, shelf: Shelf, request: ImageRequest, *, in_memory: bool) -> Basket:
        job = _Job(
            shelf,
            asyncio.Semaphore(self._limits.files_at_once),
            # A mask is made from the picture's file.
            in_memory=in_memory and not request.is_masked,
        )
        with _first_of_group():
            async with asyncio.TaskGroup() as group:
                taking = [
                    group.create_task(self._take_in(job, source, f"{number}"))
                    for number, source in enumerate(request.images, 1)
                ]
                shaping = group.create_task(self._shape(job, request))
        taken = [task.result() for task in taking]
        shape = shaping.result()
        mask = None if shape is None else await self._mask(shelf, request, taken[0].picture, shape)
        images = [each.upload(number) for number, each in enumerate(taken, 1)]
        return Basket(tuple(images), mask, shelf)

    # ---- Pictures ----------------------------------------------------------------------------

    async def _take_in(self, job: "_Job", source: Source, name: str) -> "_Taken":
        given = job.shelf.path / f"{name}.given"
        async with job.lanes:
            look = Look()
            memory = job.shelf.memory() if job.in_memory else None
            size = await self._links.fetch(job.shelf, source, given, onlooker=look, memory=memory)
            with _named(source.filename):
                picture = self._tools.as_it_is(given, look=look)
                if picture is not None:
                    return _Taken(picture, memory)
                if memory is not None:
                    await memory.put_down(given)
                picture = await self._tools.take_in(given, job.shelf.path / name, look=look)
                await aside(given.unlink)
                job.shelf.give(size)
                job.shelf.take(picture.size)
        return _Taken(picture)

    # ---- The mask ----------------------------------------------------------------------------

    async def _shape(self, job: "_Job", request: ImageRequest) -> Path | Area | None:
        """Fetch what the mask is made of: a file, an area's name, or nothing."""
        if request.mask is None:
            return request.area
        path = job.shelf.path / "mask.given"
        async with job.lanes:
            if not request.mask.mask_id:
                await self._links.fetch(job.shelf, request.mask, path)
                return path
            painted = await self._masks.get(request.mask.mask_id)
            if painted is None:
                raise UnusableInput(request.mask.filename, "gone")
            with _named(request.mask.filename):
                job.shelf.take(len(painted))
            await aside(path.write_bytes, painted)
        return path

    async def _mask(
        self, shelf: Shelf, request: ImageRequest, picture: InputPicture, shape: Path | Area
    ) -> Upload:
        at_fault = (request.mask or request.images[0]).filename
        with _named(at_fault):
            mask = await self._tools.make_mask(
                picture, shape, shelf.path / "mask", invert=request.invert
            )
            shelf.take(mask.size)
            if mask.covers is not None and not request.mask_checked:
                raise NeedsMaskCheck(mask.covers, await self._tools.preview(picture, mask))
        return Upload("mask.png", "image/png", mask.path)


class _Job(Struct, frozen=True):
    """What the files of one job share."""

    shelf: Shelf
    lanes: asyncio.Semaphore
    """Lets a few be worked on at a time."""
    in_memory: bool
    """Whether files may stay there."""


class _Taken(Struct, frozen=True):
    """A picture as it will be sent: in `memory`, or else at its path."""

    picture: InputPicture
    memory: Memory | None = None

    def upload(self, number: int) -> Upload:
        # Names of people's files are nobody's business, and nothing is left to escape.
        name = f"image-{number}.{self.picture.extension}"
        if self.memory is None or not self.memory.has_file:
            return Upload(name, self.picture.media_type, self.picture.path)
        return Upload(name, self.picture.media_type, self.memory.stream, self.picture.size)


def _sources(request: ImageRequest) -> tuple[Source, ...]:
    return request.images if request.mask is None else (*request.images, request.mask)


@contextmanager
def _named(filename: str) -> Iterator[None]:
    """Say which file it is that can't be used."""
    try:
        yield
    except UnusablePicture as error:
        raise UnusableInput(filename, error.reason.value) from None
    except JobTooLarge:
        raise UnusableInput(filename, "one_too_many") from None


@contextmanager
def _disk_faults() -> Iterator[None]:
    """A disk that is full, or away, is told as no room."""
    try:
        yield
    except TimeoutError:
        raise
    except OSError as error:
        raise no_room(error) from None


@contextmanager
def _first_of_group() -> Iterator[None]:
    """Raise what went wrong first, instead of a group of errors."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
