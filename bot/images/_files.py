"""Pictures that people give, from file to file: judged, cleaned, masked, shown. The bot's end.

Everything that decodes is an order to a worker; everything that reads a file here reads pieces of
it, in a thread. What a worker makes is judged by the same rules as what a stranger sends.
"""

import contextlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final, TypeAlias

from bot.aside import aside
from bot.images._bench import Bench
from bot.images._look import Look, Seen, look_at
from bot.images._scan import Layout, Unclear
from bot.images._sniff import Kind, sniff
from bot.images._streams import Files, Held, Memory, NewFile, Payload
from bot.images._types import MAX_FILE_BYTES, InputPicture, Mask, Reason, UnusablePicture
from bot.images._wire import InputOrder, MaskOrder, PreviewOrder
from bot.requests import Area

Hire: TypeAlias = Callable[[], AbstractAsyncContextManager[Bench]]
"""Gives a bench when it is the caller's turn."""

_PREVIEW_BYTES: Final = 1024 * 1024 - 1


def as_it_is(path: Path, seen: Seen, *, max_bytes: int) -> InputPicture | None:
    """See `ImageTools.as_it_is`."""
    layout = seen.layout
    if layout is None or layout.size > max_bytes or not layout.is_untouched(seen.size):
        return None
    return _picture(path, layout)


async def take_in(
    path: Path, into: Path, *, look: Look | None, max_bytes: int, hire: Hire
) -> InputPicture:
    """See `ImageTools.take_in`."""
    seen = await aside(look_at, path) if look is None else look.judge()
    if picture := as_it_is(path, seen, max_bytes=max_bytes):
        return picture
    layout = seen.layout
    if layout is not None and layout.size <= max_bytes:
        await aside(_copy, layout, path, into)
        return _picture(into, layout)
    async with hire() as bench, NewFile(into) as made:
        order = InputOrder(max_bytes=max_bytes, cpu_s=bench.cpu_s)
        reply = await bench.carry_out(order, Files((path, seen.size)), made)
        if reply.too_large:
            raise UnusablePicture(Reason.TOO_LARGE)
        await made.finish()
        return _picture(into, await aside(_judge_made, into))


async def make_mask(
    picture: InputPicture, shape: Path | Area, into: Path, *, invert: bool, hire: Hire
) -> Mask:
    """See `ImageTools.make_mask`."""
    payload: Payload = Held()
    if isinstance(shape, Path):
        payload = Files((shape, (await aside(look_at, shape)).size))
    elif shape is Area.BACKGROUND:
        if not picture.has_alpha:
            raise UnusablePicture(Reason.NO_BACKGROUND)
        payload = Files((picture.path, picture.size))
    async with hire() as bench, NewFile(into) as made:
        order = MaskOrder(
            max_bytes=MAX_FILE_BYTES,
            cpu_s=bench.cpu_s,
            width=picture.width,
            height=picture.height,
            area=None if isinstance(shape, Path) else shape.value,
            invert=invert,
        )
        reply = await bench.carry_out(order, payload, made)
        if reply.too_large:
            raise UnusablePicture(Reason.TOO_LARGE)
        await made.finish()
        layout = await aside(_judge_made, into)
        size = (layout.width, layout.height)
        if layout.kind is not Kind.PNG or size != (picture.width, picture.height):
            raise UnusablePicture(Reason.DAMAGED)
        return Mask(
            path=into,
            width=layout.width,
            height=layout.height,
            coverage=reply.coverage,
            covers=reply.covers,
            size=layout.size,
        )


async def preview(picture: InputPicture, mask: Mask, *, hire: Hire) -> bytes:
    """See `ImageTools.preview`."""
    shown = Memory()
    async with hire() as bench:
        order = PreviewOrder(
            max_bytes=_PREVIEW_BYTES, cpu_s=bench.cpu_s, picture_bytes=picture.size
        )
        payload = Files((picture.path, picture.size), (mask.path, mask.size))
        await bench.carry_out(order, payload, shown)
    data = await shown.joined()
    if sniff(data) is not Kind.WEBP:
        raise UnusablePicture(Reason.DAMAGED)
    return data


def _judge_made(path: Path) -> Layout:
    """Judge what a worker has written: it must be all that was ordered.

    Raises:
        UnusablePicture: it is not.
    """
    seen = look_at(path)
    if seen.layout is None or not seen.layout.is_untouched(seen.size):
        raise UnusablePicture(Reason.DAMAGED)
    return seen.layout


def _copy(layout: Layout, path: Path, into: Path) -> None:
    """Write the layout's pieces of `path` to `into`."""
    try:
        with path.open("rb") as source, into.open("wb") as target:
            for piece in layout.read(source):
                target.write(piece)
    except BaseException as error:
        with contextlib.suppress(OSError):
            into.unlink()
        if isinstance(error, Unclear):  # it has been cut off since it was looked at
            raise UnusablePicture(Reason.DAMAGED) from error
        raise


def _picture(path: Path, layout: Layout) -> InputPicture:
    return InputPicture(
        path=path,
        media_type=layout.kind.media_type,
        extension=layout.kind.extension,
        width=layout.width,
        height=layout.height,
        has_alpha=layout.has_alpha,
        size=layout.size,
    )
