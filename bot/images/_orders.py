"""Which order is carried out by what. Runs in the worker only."""

from bot.images import _encode, _inputs, _masks
from bot.images._wire import FitOrder, InputOrder, MaskOrder, Order, PreviewOrder, Reply


def carry_out(order: Order, data: bytes) -> tuple[Reply, bytes]:
    """Return what became of `order`, and the bytes that were made.

    Raises:
        UnusablePicture: the bytes cannot be decoded.
    """
    match order:
        case FitOrder():
            return _reply(_encode.fit(order, data))
        case InputOrder():
            return _reply(_inputs.take_in(order, data))
        case MaskOrder():
            return _masks.make(order, data)
        case PreviewOrder():
            return _reply(_masks.preview(order, data))
    raise TypeError(type(order))


def _reply(made: bytes | None) -> tuple[Reply, bytes]:
    return Reply(too_large=made is None), made or b""
