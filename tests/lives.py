"""Processes that tests race, or kill in the middle of whatever they do.

Many are needed, and most of a start is imports: each is forked from one that has them behind it.
A worker's tests share that one, so it imports what any of them needs.
"""

import multiprocessing
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from typing import Final

_WAYS: Final = multiprocessing.get_all_start_methods()
_FORKED: Final = multiprocessing.get_context("forkserver" if "forkserver" in _WAYS else None)
_FORKED.set_forkserver_preload(
    [
        "bot.storage._postgres",
        "tests.faults.spender",
        "tests.storage.dying",
        "tests.storage.racer",
        "tests.storage.spender",
    ]
)


def new_life(target: Callable[..., object], *arguments: object) -> BaseProcess:
    """Return a process that will call `target`, which is a function of one of those modules."""
    return _FORKED.Process(target=target, args=arguments)
