"""Blocking work beside the event loop that has an end, whatever becomes of those who wait for it.

`asyncio.to_thread` forgets its thread when the caller is cancelled: a file that is closed or a
folder that is deleted meanwhile belongs to two at once. What is run here is over when it returns.
"""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


async def aside(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Do `work` in a thread; a cancelled caller is let go only once `work` is over.

    For work that ends by itself soon: the reading, writing and deleting of files.
    """
    future = asyncio.get_running_loop().run_in_executor(None, partial(work, *args, **kwargs))
    try:
        await asyncio.wait({future})
    except asyncio.CancelledError:
        while not future.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({future})
        future.exception()  # nobody is left to be told
        raise
    return future.result()
