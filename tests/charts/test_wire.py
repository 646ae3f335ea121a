"""What draws has read hostile names, so its answers are believed as far as they make sense."""

import json

import pytest
from hypothesis import given, settings

from bot.charts import Chart
from bot.charts._wire import NO_FAULT, chart_bytes, chart_from, cpu_of, fault, fault_of, order
from bot.workers import BrokenStream
from tests.charts.charts import HOSTILE, chart, charts


@settings(max_examples=20, deadline=None)
@given(charts())
def test_a_chart_arrives_as_it_was_sent(sent: Chart) -> None:
    assert chart_from(chart_bytes(sent)) == sent


def test_half_a_character_arrives_as_half_a_character() -> None:
    sent = chart((1,), names=("\ud83d",), title="".join(HOSTILE))
    assert chart_from(chart_bytes(sent)) == sent


def test_an_order_says_how_long_it_may_take() -> None:
    assert cpu_of(json.dumps(order(cpu_s=15)).encode()) == 15


def break_down() -> None:
    raise ValueError("secret name")


def test_a_fault_is_told_without_anybodys_words() -> None:
    with pytest.raises(ValueError, match="secret") as raised:
        break_down()
    told = fault_of(json.dumps(fault(raised.value)).encode())
    assert told is not None
    assert told.startswith("ValueError in break_down")
    assert "secret" not in told


def test_no_fault_is_a_picture() -> None:
    assert fault_of(json.dumps(dict(NO_FAULT)).encode()) is None


@pytest.mark.parametrize(
    "answer", [b"", b"{", b"[]", b"{}", b'{"fault": 1}', b"[" * 4_000, b"\xff"]
)
def test_an_answer_that_is_none_is_a_broken_stream(answer: bytes) -> None:
    with pytest.raises(BrokenStream):
        fault_of(answer)
