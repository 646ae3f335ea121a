"""Answers in pieces: the same result as from the whole, with pictures lifted out."""

import base64
import itertools
import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.imagerouter._json import (
    LONG_STRING_BYTES,
    AnswerReader,
    JsonValue,
    LongString,
    NotJson,
    TooLong,
    decode_base64,
    parse_json,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def read(body: bytes, *cuts: int, picture_limit: int = 10_000_000) -> JsonValue:
    reader = AnswerReader(limit=1_000_000, picture_limit=picture_limit)
    edges = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(edges):
        reader.feed(body[start:end])
    return reader.finish()


def read_behind(body: bytes, *cuts: int) -> JsonValue:
    """Read a document that comes behind a long string, so that all its strings are looked at."""
    long = b'{"long": "' + b"A" * LONG_STRING_BYTES + b'", "rest": '
    value = read(long + body + b"}", *(len(long) + cut for cut in cuts))
    assert isinstance(value, dict)
    return value["rest"]


@given(JSON, st.lists(st.integers(0, 10_000), max_size=12), st.booleans())
def test_any_document_in_any_pieces_is_the_same_document(
    value: JsonValue, cuts: list[int], ascii_only: bool
) -> None:
    body = b"   " + json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "replace")
    assert read(body, *cuts) == parse_json(body)
    assert read_behind(body, *cuts) == parse_json(body)


def test_backslashes_may_be_cut_anywhere() -> None:
    value = {'a"\\': ['\\"', "\\\\", '\\\\"\\', '"', 'x\\"y', "\n\\"], "b": "\\"}
    body = json.dumps(value).encode()
    for cut in range(len(body)):
        assert read(body, cut) == value
        assert read(body, cut, cut + 1) == value
        assert read_behind(body, cut) == value
        assert read_behind(body, cut, cut + 1) == value
    assert read(body, *range(len(body))) == value
    assert read_behind(body, *range(len(body))) == value

    # And what comes behind is still known for what it is.
    picture = os.urandom(40_000)
    text = base64.b64encode(picture).decode()
    body = json.dumps({"a": 'x"y', "b": text}).encode()
    long = read(body, body.index(b'\\"') + 1)
    assert isinstance(long, dict)
    assert isinstance(long["b"], LongString)
    assert long["b"].data == picture


@settings(max_examples=45)
@given(
    st.integers(0, 5),
    st.lists(st.integers(0, 90_000), max_size=8),
    st.sampled_from(["", "data:image/png;base64,"]),
    st.sampled_from(
        [
            "plain",
            "escaped",
            "escaped in capitals",
            "lines",
            "escaped lines",
            "url-safe",
            "unpadded",
        ]
    ),
)
def test_a_long_picture_is_decoded_however_it_is_cut_and_written(
    extra: int, cuts: list[int], prefix: str, style: str
) -> None:
    picture = os.urandom(LONG_STRING_BYTES + extra)
    text = base64.b64encode(picture).decode()
    if style == "escaped":
        text = text.replace("/", "\\/").replace("=", "\\u003d")
    elif style == "escaped in capitals":  # as .NET does
        text = text.replace("+", "\\u002B").replace("/", "\\u002F").replace("=", "\\u003D")
    elif style == "escaped lines":
        text = "\\u000d\\u000A".join(text[at : at + 76] for at in range(0, len(text), 76))
    elif style == "lines":
        text = "\\n".join(text[at : at + 76] for at in range(0, len(text), 76))
    elif style == "url-safe":
        text = text.replace("+", "-").replace("/", "_")
    elif style == "unpadded":
        text = text.rstrip("=")
    body = f'  {{"a": "\\"", "data": [{{"b64_json": "{prefix}{text}"}}], "cost": 0.1}}'.encode()
    value = read(body, *cuts)
    assert isinstance(value, dict)
    items = value["data"]
    assert isinstance(items, list)
    assert isinstance(items[0], dict)
    long = items[0]["b64_json"]
    assert isinstance(long, LongString)
    assert long.data == picture


def test_a_long_text_that_is_no_base64_keeps_its_beginning() -> None:
    page = "<html>\\n<p>" + "Überlast " * 20_000
    value = read(('{"error": "' + page + '"}').encode())
    assert isinstance(value, dict)
    long = value["error"]
    assert isinstance(long, LongString)
    assert long.data is None
    assert long.text.startswith("<html> <p>Überlast")


def test_a_string_above_the_limit_is_dropped_and_the_rest_is_read() -> None:
    text = base64.b64encode(bytes(200_000)).decode()
    value = read(f'{{"x": "{text}", "cost": 1}}'.encode(), picture_limit=100_000)
    assert isinstance(value, dict)
    assert isinstance(value["x"], LongString)
    assert value["x"].data is None
    assert value["cost"] == 1


def test_no_answer_can_point_at_another_strings_bytes() -> None:
    text = base64.b64encode(os.urandom(50_000)).decode()
    value = read(f'["{text}", "long-0:0", "long-{"0" * 32}:0"]'.encode())
    assert isinstance(value, list)
    assert value[1:] == ["long-0:0", f"long-{'0' * 32}:0"]


def test_what_is_too_large_besides_strings_is_cut_off() -> None:
    reader = AnswerReader(limit=1000, picture_limit=1000)
    with pytest.raises(TooLong):
        reader.feed(b"[" + b"1," * 1000)


def test_blanks_are_not_kept() -> None:
    reader = AnswerReader(limit=10, picture_limit=10)
    for _ in range(1000):
        reader.feed(b"   \n")
    reader.feed(b"[1]")
    assert reader.finish() == [1]


@pytest.mark.parametrize("body", [b"", b"  ", b"{", b"[" * 100_000, b'{"a": 1} x', b"\xff\xfe"])
def test_what_is_no_json_is_told(body: bytes) -> None:
    with pytest.raises(NotJson):
        read(body)


@pytest.mark.parametrize("text", ["", "####", "data:image/png;base64,", "a"])
def test_what_is_no_base64_is_nothing(text: str) -> None:
    assert decode_base64(text) is None
