"""The mark that a transaction function runs, by which a nested call is refused on every engine."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_inside: Final[ContextVar[bool]] = ContextVar("inside_a_transaction", default=False)


@contextmanager
def inside() -> Iterator[None]:
    """Mark what runs in this block as part of a transaction function."""
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)


def refuse_nested() -> None:
    """Raise a `RuntimeError` inside a transaction function: it would wait for itself."""
    if _inside.get():
        raise RuntimeError("a transaction function may await only its tx, no other transaction")
