"""The worker touches hostile bytes, so its answers are believed as far as they make sense."""

import io
import json

import pytest

from bot.images._wire import (
    FitOrder,
    InputOrder,
    MaskOrder,
    Order,
    PreviewOrder,
    Reply,
    pack_order,
    pack_reply,
    parse_reply,
    read_order,
)
from bot.workers import PREFIX, BrokenStream, unpack_prefix
from bot.workers._frames import MAX_HEADER

GOOD = {"refused": None, "too_large": False, "coverage": 0.5, "covers": None}


@pytest.mark.parametrize(
    "order",
    [
        FitOrder(max_bytes=1, cpu_s=2, prefer="webp", shrink=True),
        InputOrder(max_bytes=1, cpu_s=2),
        MaskOrder(max_bytes=1, cpu_s=2, width=3, height=4, area=None, invert=True),
        PreviewOrder(max_bytes=1, cpu_s=2, picture_bytes=3),
    ],
)
def test_an_order_arrives_as_it_was_sent(order: Order) -> None:
    stream = io.BytesIO(pack_order(order, 5) + b"bytes" + pack_order(order, 5) + b"cut")
    assert read_order(stream) == (order, b"bytes")
    assert read_order(stream) is None


@pytest.mark.parametrize(
    "reply",
    [
        Reply(),
        Reply(refused="damaged"),
        Reply(too_large=True),
        Reply(coverage=1.0, covers="everything"),
    ],
)
def test_a_reply_arrives_as_it_was_sent(reply: Reply) -> None:
    frame = pack_reply(reply, 7)
    assert unpack_prefix(frame[: PREFIX.size], max_payload=7) == (len(frame) - PREFIX.size, 7)
    assert parse_reply(frame[PREFIX.size :]) == reply


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\xff",
        b"[" * 4_000,
        b"[]",
        b"{}",
        json.dumps(GOOD | {"coverage": 1.01}).encode(),
        json.dumps(GOOD | {"coverage": float("nan")}).encode(),
        json.dumps(GOOD | {"coverage": "0.5"}).encode(),
        json.dumps(GOOD | {"covers": "half"}).encode(),
        json.dumps(GOOD | {"refused": 7}).encode(),
        json.dumps(GOOD | {"too_large": 0}).encode(),
    ],
)
def test_a_reply_that_makes_no_sense_breaks_the_stream(header: bytes) -> None:
    assert parse_reply(json.dumps(GOOD).encode()) == Reply(coverage=0.5)
    with pytest.raises(BrokenStream):
        parse_reply(header)


@pytest.mark.parametrize("sizes", [(MAX_HEADER + 1, 0), (1, 101)])
def test_a_frame_larger_than_agreed_breaks_the_stream(sizes: tuple[int, int]) -> None:
    with pytest.raises(BrokenStream):
        unpack_prefix(PREFIX.pack(*sizes), max_payload=100)
