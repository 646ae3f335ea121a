"""Make pictures fit for Discord. The decoding is done in processes that this module owns."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

from bot.images._process import WorkerProcess
from bot.images._sniff import MAX_PIXELS, MAX_SIDE, dimensions, sniff
from bot.images._types import Prepared, Reason, TooLarge, Unusable, UnusablePicture
from bot.images._wire import MAX_PAYLOAD, FitOrder
from bot.requests import OutputFormat

_SPARE_S: Final = 5.0
"""Seconds by the clock beyond the processor time: the pipes, and a busy machine."""


class ImageTools:
    """Converts and shrinks pictures, at most `workers` batches at a time.

    An async context manager; leaving it ends every worker. Between batches no process runs.
    A picture that takes more than `timeout_s` seconds is given up.
    """

    def __init__(self, *, workers: int = 2, timeout_s: float = 40.0) -> None:
        self._slots = asyncio.Semaphore(workers)
        self._timeout_s = timeout_s
        self._benches: set[_Bench] = set()
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
        if self._closed:
            raise RuntimeError("ImageTools is closed")
        looks = [_look(picture) for picture in pictures]
        limit = min(per_file, in_all)
        # The share is worked out again below, when the converted ones have a size.
        share = min(limit, fair_share([_size(look) for look in looks], in_all))
        if all(look is not None and _size(look) <= share for look in looks):
            return [look for look in looks if look is not None]
        async with self._slots:
            bench = _Bench(self._timeout_s, killed=self._closed)
            self._benches.add(bench)
            try:
                return await _fit_batch(
                    bench,
                    pictures,
                    looks,
                    per_file=limit,
                    in_all=in_all,
                    wanted=wanted,
                    shrink=shrink,
                )
            finally:
                self._benches.discard(bench)
                await bench.close()


async def _fit_batch(
    bench: "_Bench",
    pictures: Sequence[bytes],
    looks: Sequence[Prepared | Unusable | None],
    *,
    per_file: int,
    in_all: int,
    wanted: OutputFormat | None,
    shrink: bool,
) -> list[Prepared | TooLarge | Unusable]:
    async def fit(data: bytes, max_bytes: int) -> Prepared | TooLarge | Unusable:
        return await bench.fit(data, max_bytes=max_bytes, wanted=wanted, shrink=shrink)

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


class _Bench:
    """The worker of one batch: started when first needed, replaced after a picture ended it."""

    def __init__(self, timeout_s: float, *, killed: bool) -> None:
        self._timeout_s = timeout_s
        self._worker: WorkerProcess | None = None
        self._killed = killed
        self.cleared = asyncio.Event()

    async def fit(
        self, data: bytes, *, max_bytes: int, wanted: OutputFormat | None, shrink: bool
    ) -> Prepared | TooLarge | Unusable:
        if len(data) > MAX_PAYLOAD:
            return TooLarge(len(data))
        order = FitOrder(
            max_bytes=max_bytes,
            prefer=None if wanted is None else wanted.value,
            shrink=shrink,
            cpu_s=math.ceil(self._timeout_s),
        )
        try:
            worker = await self._ready_worker()
            fitted = await worker.fit(order, data, timeout_s=self._timeout_s + _SPARE_S)
        except UnusablePicture as error:
            return Unusable(error.reason)
        if fitted is None:
            return TooLarge(len(data))
        # The worker has touched hostile bytes: what it says is judged like any other bytes.
        answer = _look(fitted)
        if not isinstance(answer, Prepared):
            return Unusable(Reason.DAMAGED)
        return replace(answer, reencoded=True)

    async def _ready_worker(self) -> WorkerProcess:
        if self._worker is None or not self._worker.usable:
            self._worker = None if self._killed else await WorkerProcess.start()
        if self._worker is None or self._killed:
            raise UnusablePicture(Reason.NO_WORKER)
        return self._worker

    def kill(self) -> None:
        """Make the picture under way fail, and those after it."""
        self._killed = True
        if self._worker is not None:
            self._worker.kill()

    async def close(self) -> None:
        """End the worker, if there is one, and wait until it is gone."""
        try:
            if self._worker is not None:
                await self._worker.stop()
        finally:
            self.cleared.set()


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
    if max(size) > MAX_SIDE or size[0] * size[1] > MAX_PIXELS:
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
