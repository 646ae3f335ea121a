"""The mark that a transaction function runs, by which a nested call is refused on every engine."""

from contextvars import ContextVar, Token
from typing import Final

_inside: Final[ContextVar[bool]] = ContextVar("inside_a_transaction", default=False)


class Inside:
    """Marks what runs in its `with` block as part of a transaction function."""

    __slots__ = ("_token",)
    _token: Token[bool]

    def __enter__(self) -> None:
        self._token = _inside.set(True)

    def __exit__(self, *_: object) -> None:
        _inside.reset(self._token)


def refuse_nested() -> None:
    """Raise a `RuntimeError` inside a transaction function: it would wait for itself."""
    if _inside.get():
        raise RuntimeError("a transaction function may await only its tx, no other transaction")
