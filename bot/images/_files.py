"""Pictures that people give, from file to file: judged, cleaned, masked, shown. The bot's end.

Everything that decodes is an order to a worker; everything that reads a file here reads pieces of
it, in a thread. What a worker makes is judged by the same rules as what a stranger sends.
"""

import contextlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from bot.aside import aside
from bot.images._bench import Bench
from bot.images._scan import Layout, Unclear
from bot.images._scan_formats import scan
from bot.images._sniff import TEXT_WINDOW, Kind, dimensions, sniff, too_many_pixels
from bot.images._streams import Files, Held, Memory, NewFile, Payload
from bot.images._types import MAX_FILE_BYTES, InputPicture, Mask, Reason, UnusablePicture
from bot.images._wire import MAX_PAYLOAD, InputOrder, MaskOrder, PreviewOrder
from bot.requests import Area

Hire: TypeAlias = Callable[[], AbstractAsyncContextManager[Bench]]
"""Gives a bench when it is the caller's turn."""

_PREVIEW_BYTES: Final = 1024 * 1024 - 1
_REFUSED: Final = frozenset({Kind.SVG, Kind.HEIC})
"""Pillow reads no HEIC. A drawing can be made safe, but no model asks for one: less to go wrong."""
_SIZED_EARLY: Final = frozenset({Kind.PNG, Kind.WEBP, Kind.GIF})
"""Their size stands within the first bytes, or they are broken."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What is known of a file without decoding it."""

    size: int
    """Bytes."""
    layout: Layout | None
    """None: for the worker to find out."""


async def take_in(path: Path, into: Path, *, max_bytes: int, hire: Hire) -> InputPicture:
    """See `ImageTools.take_in`."""
    look = await aside(_look, path)
    layout = look.layout
    if layout is not None and layout.size <= max_bytes:
        if layout.is_untouched(look.size):
            return _picture(path, layout)
        await aside(_copy, layout, path, into)
        return _picture(into, layout)
    async with hire() as bench, NewFile(into) as made:
        order = InputOrder(max_bytes=max_bytes, cpu_s=bench.cpu_s)
        reply = await bench.carry_out(order, Files((path, look.size)), made)
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
        payload = Files((shape, (await aside(_look, shape)).size))
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


def _look(path: Path) -> _Look:
    """Judge a stranger's file without decoding it.

    Raises:
        UnusablePicture: nothing can be made of it.
    """
    with path.open("rb", buffering=0) as file:
        size = path.stat().st_size
        head = file.read(TEXT_WINDOW)
        kind = sniff(head)
        if kind is None:
            raise UnusablePicture(Reason.NOT_A_PICTURE if head else Reason.EMPTY)
        if kind in _REFUSED:
            raise UnusablePicture(Reason.UNSUPPORTED)
        if size > MAX_PAYLOAD:
            raise UnusablePicture(Reason.TOO_LARGE)
        layout = scan(kind, file, size)
        pixels = dimensions(kind, head) if layout is None else (layout.width, layout.height)
        if pixels is None and kind in _SIZED_EARLY:
            raise UnusablePicture(Reason.DAMAGED)
        if pixels is not None and too_many_pixels(pixels):
            raise UnusablePicture(Reason.TOO_MANY_PIXELS)
        return _Look(size, layout)


def _judge_made(path: Path) -> Layout:
    """Judge what a worker has written: it must be all that was ordered.

    Raises:
        UnusablePicture: it is not.
    """
    look = _look(path)
    if look.layout is None or not look.layout.is_untouched(look.size):
        raise UnusablePicture(Reason.DAMAGED)
    return look.layout


def _copy(layout: Layout, path: Path, into: Path) -> None:
    """Write the layout's pieces of `path` to `into`."""
    try:
        with path.open("rb", buffering=0) as source, into.open("wb") as target:
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
