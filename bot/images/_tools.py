"""Make pictures fit for Discord, with the decoding done in another process."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from bot.images._types import Prepared, TooLarge, Unusable
from bot.requests import OutputFormat


class ImageTools:
    """Converts and shrinks pictures in worker processes that it owns."""

    def __init__(self, *, workers: int = 2, timeout_s: float = 40.0) -> None:
        self._workers = workers
        self._timeout_s = timeout_s

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    async def prepare(
        self,
        pictures: Sequence[bytes],
        *,
        per_file: int,
        in_all: int,
        wanted: OutputFormat | None = None,
        shrink: bool = False,
    ) -> list[Prepared | TooLarge | Unusable]:
        """One answer for each picture, in order."""
        raise NotImplementedError
