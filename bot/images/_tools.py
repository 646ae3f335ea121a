"""Make pictures fit: for Discord, and for models. The decoding is done in processes owned here."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec.structs import replace

from bot.images import _files
from bot.images._bench import Bench
from bot.images._look import Look
from bot.images._sniff import dimensions, sniff, too_many_pixels
from bot.images._streams import Held, Memory
from bot.images._types import (
    MAX_FILE_BYTES,
    InputPicture,
    Mask,
    Prepared,
    Reason,
    TooLarge,
    Unusable,
    UnusablePicture,
)
from bot.images._wire import MAX_PAYLOAD, FitOrder
from bot.requests import Area, OutputFormat


class ImageTools:
    """Converts and shrinks pictures, at most `workers` batches or files at a time.

    An async context manager; leaving it ends every worker. Between batches no process runs.
    A picture that takes more than `timeout_s` seconds is given up.
    """

    def __init__(self, *, workers: int = 2, timeout_s: float = 40.0) -> None:
        self._slots = asyncio.Semaphore(workers)
        self._timeout_s = timeout_s
        self._benches: set[Bench] = set()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closed = True
        benches = list(self._benches)
        for bench in benches:
            bench.kill()
        await asyncio.gather(*(bench.cleared.wait() for bench in benches))

    async def prepare(
        self,
        pictures: Sequence[bytes],
        *,
        per_file: int,
        in_all: int,
        wanted: OutputFormat | None = None,
        shrink: bool = False,
    ) -> list[Prepared | TooLarge | Unusable]:
        """Return one answer for each picture, in their order.

        What Discord shows and what fits is handed back untouched. Everything else becomes PNG,
        JPEG or WebP (`wanted` where that can be), upright, without metadata, its first frame
        alone, of at most `per_file` bytes, and the pictures together of at most `in_all` bytes:
        the largest are made smaller, the small ones are left alone. Quality falls before size does.

        With `shrink` a picture is made as small as it takes (for private results, which have no
        other way out); without it, `TooLarge` is answered before it is spoiled.

        Raises:
            RuntimeError: after this object was closed.
        """
        self._check_open()
        looks = [_look(picture) for picture in pictures]
        limit = min(per_file, in_all)
        # The share is worked out again below, when the converted ones have a size.
        share = min(limit, fair_share([_size(look) for look in looks], in_all))
        if all(look is not None and _size(look) <= share for look in looks):
            return [look for look in looks if look is not None]
        async with self._bench() as bench:
            return await _fit_batch(
                bench,
                pictures,
                looks,
                per_file=limit,
                in_all=in_all,
                wanted=wanted,
                shrink=shrink,
            )

    def as_it_is(
        self, path: Path, *, look: Look, max_bytes: int = MAX_FILE_BYTES
    ) -> InputPicture | None:
        """Return what `take_in` would answer of a file that has not to change; None of others.

        The bytes, all of which `look` has seen, need not be at `path` yet.

        Raises:
            UnusablePicture: with the reason.
        """
        return _files.as_it_is(path, look.judge(), max_bytes=max_bytes)

    async def take_in(
        self,
        path: Path,
        into: Path,
        *,
        look: Look | None = None,
        max_bytes: int = MAX_FILE_BYTES,
    ) -> InputPicture:
        """Judge the hostile file at `path` by its bytes, and make it one that a model can take.

        `look` has seen these bytes while they were written; without it the file is read.

        The answer is a JPEG, PNG or WebP of at most `max_bytes` bytes, upright, of one frame, and
        without metadata. A file that is all this is answered as it is, and one that only has
        metadata is copied to `into` without it; both are done without decoding, and start no
        process. Everything else (GIF, AVIF, TIFF, BMP, animations, 16 bits, CMYK, pictures on
        their side, too many bytes) is decoded and written to `into` anew; quality falls before size
        does. When `into` is not the answer, nothing is left there.

        Raises:
            UnusablePicture: with the reason. Drawings (SVG) are refused.
            OSError: a file cannot be read or written.
            RuntimeError: after this object was closed.
        """
        self._check_open()
        return await _files.take_in(path, into, look=look, max_bytes=max_bytes, hire=self._bench)

    async def make_mask(
        self, picture: InputPicture, shape: Path | Area, into: Path, *, invert: bool = False
    ) -> Mask:
        """Write a mask for `picture` to `into`: of the drawing at `shape`, or of an area.

        A drawing may be of any format, size and polarity: what is transparent is the area, or
        where it is opaque everywhere, what is white; soft edges stay soft. `invert` swaps inside
        and outside. The mask is a PNG of the picture's size whose area is white and transparent,
        and whose rest is black and opaque, so that models of either convention understand it.

        Raises:
            UnusablePicture: the drawing can't be used; or with `Reason.NO_BACKGROUND`, when the
                picture has nothing transparent that its background could be.
            OSError: a file cannot be read or written.
            RuntimeError: after this object was closed.
        """
        self._check_open()
        return await _files.make_mask(picture, shape, into, invert=invert, hire=self._bench)

    async def preview(self, picture: InputPicture, mask: Mask) -> bytes:
        """Return the picture with the mask's area striped, as a WebP under 1 MiB to look at.

        Its longer side has at most 1,024 pixels. The stripes show on a picture of any colour.

        Raises:
            UnusablePicture: the picture or the mask cannot be decoded.
            OSError: a file cannot be read.
            RuntimeError: after this object was closed.
        """
        self._check_open()
        return await _files.preview(picture, mask, hire=self._bench)

    def _check_open(self) -> None:
        if self._closed:
            raise RuntimeError("ImageTools is closed")

    @contextlib.asynccontextmanager
    async def _bench(self) -> AsyncIterator[Bench]:
        """A bench of one's own, when it is one's turn."""
        async with self._slots:
            bench = Bench(self._timeout_s, killed=self._closed)
            self._benches.add(bench)
            try:
                yield bench
            finally:
                self._benches.discard(bench)
                await bench.close()


async def _fit_batch(
    bench: Bench,
    pictures: Sequence[bytes],
    looks: Sequence[Prepared | Unusable | None],
    *,
    per_file: int,
    in_all: int,
    wanted: OutputFormat | None,
    shrink: bool,
) -> list[Prepared | TooLarge | Unusable]:
    async def fit(data: bytes, max_bytes: int) -> Prepared | TooLarge | Unusable:
        return await _fit(bench, data, max_bytes=max_bytes, wanted=wanted, shrink=shrink)

    answers = [
        await fit(data, per_file) if look is None or _size(look) > per_file else look
        for data, look in zip(pictures, looks, strict=True)
    ]
    share = fair_share([_size(answer) for answer in answers], in_all)
    return [
        # Always from the original: a second loss on top of the first would show.
        await fit(data, share) if _size(answer) > share else answer
        for data, answer in zip(pictures, answers, strict=True)
    ]


async def _fit(
    bench: Bench, data: bytes, *, max_bytes: int, wanted: OutputFormat | None, shrink: bool
) -> Prepared | TooLarge | Unusable:
    if len(data) > MAX_PAYLOAD:
        return TooLarge(len(data))
    order = FitOrder(
        max_bytes=max_bytes,
        cpu_s=bench.cpu_s,
        prefer=None if wanted is None else wanted.value,
        shrink=shrink,
    )
    made = Memory()
    try:
        reply = await bench.carry_out(order, Held(data), made)
    except UnusablePicture as error:
        return Unusable(error.reason)
    if reply.too_large:
        return TooLarge(len(data))
    # The worker has touched hostile bytes: what it says is judged like any other bytes.
    answer = _look(await made.joined())
    if not isinstance(answer, Prepared):
        return Unusable(Reason.DAMAGED)
    return replace(answer, reencoded=True)


def _look(data: bytes) -> Prepared | Unusable | None:
    """Judge by the header alone: fine as it is, hopeless, or (None) to be converted."""
    kind = sniff(data)
    if kind is None:
        return Unusable(Reason.NOT_A_PICTURE if data else Reason.EMPTY)
    if not kind.discord_shows:
        return None
    size = dimensions(kind, data)
    if size is None:
        return Unusable(Reason.DAMAGED)
    if too_many_pixels(size):
        return Unusable(Reason.TOO_MANY_PIXELS)
    return Prepared(
        data=data,
        media_type=kind.media_type,
        extension=kind.extension,
        width=size[0],
        height=size[1],
        reencoded=False,
    )


def _size(answer: Prepared | TooLarge | Unusable | None) -> int:
    """Bytes that it will take in the message: only a picture takes any."""
    return len(answer.data) if isinstance(answer, Prepared) else 0


def fair_share(sizes: Sequence[int], in_all: int) -> int:
    """Return the largest limit a file under which files of `sizes` bytes fit `in_all` together.

    Those under the limit keep their size, and leave what they don't use to the others.
    """
    left = in_all
    for position, size in enumerate(sorted(sizes)):
        share = left // (len(sizes) - position)
        if size > share:
            return share
        left -= size
    return in_all
