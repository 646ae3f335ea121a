"""Large answers are parsed beside the event loop, which has heartbeats of its own to keep."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import ParamSpec, TypeVar

import pytest

from bot.imagerouter import ImageRouter, ImageRouterError
from sandbox.imagerouter import ImageRouterServer
from sandbox.imagerouter.faults import Fault

_P = ParamSpec("_P")
_T = TypeVar("_T")

LARGE = 1_900_000
"""Bytes: just below what an answer may have."""


class Counting(ThreadPoolExecutor):
    """A pool that remembers how much was given to it."""

    given = 0

    def submit(
        self, work: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> "Future[_T]":
        assert threading.current_thread() is threading.main_thread()
        self.given += 1
        return super().submit(work, *args, **kwargs)


@pytest.fixture
def pool() -> Counting:
    """The pool of the running loop's threads; the loop ends it."""
    return Counting(max_workers=2)


def hostile(size: int) -> bytes:
    """JSON of about `size` bytes that is as much work as it can be: lists in a list."""
    return b'{"data": [' + b"[],[]," * (size // 6) + b"0]}"


@pytest.mark.parametrize(("size", "threads"), [(1_000, 0), (LARGE, 1)])
async def test_a_large_answer_to_a_generation_is_parsed_in_a_thread(
    size: int, threads: int, pool: Counting, server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.add(Fault(after_heartbeats=hostile(size)))
    asyncio.get_running_loop().set_default_executor(pool)
    with pytest.raises(ImageRouterError):
        await router.generate(model="papercut/fold-mini", prompt="a paper boat")

    assert pool.given == threads


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(("size", "threads"), [(1_000, 0), (LARGE, 1)])
async def test_a_large_answer_to_a_question_is_parsed_in_a_thread(
    size: int,
    threads: int,
    status: int,
    pool: Counting,
    server: ImageRouterServer,
    router: ImageRouter,
) -> None:
    server.faults.add(Fault(status=status, body=hostile(size)), on="auth")
    asyncio.get_running_loop().set_default_executor(pool)
    with suppress(ImageRouterError):  # what is made of it does not matter here
        await router.check_key()

    assert pool.given == threads


@pytest.mark.parametrize(("size", "threads"), [(1_000, 0), (LARGE, 1)])
async def test_a_large_picture_is_put_together_in_a_thread(
    size: int, threads: int, pool: Counting, server: ImageRouterServer, router: ImageRouter
) -> None:
    server.faults.add(Fault(picture=b"\x89PNG\r\n\x1a\n" + bytes(size)))
    answer = await router.generate(model="papercut/fold-mini", prompt="a paper boat")
    address = answer.pictures[0].url
    assert address is not None
    asyncio.get_running_loop().set_default_executor(pool)
    await router.download(address, max_bytes=2 * LARGE)

    assert pool.given == threads
