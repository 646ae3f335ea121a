"""What the bot and the process that draws say to each other, in frames of `bot.workers`."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from msgspec import to_builtins

from bot.charts._types import Chart, Series
from bot.workers import BrokenStream

NO_FAULT: Final[Mapping[str, object]] = MappingProxyType({"fault": None})
"""The header of an answer whose picture follows."""
MAX_CHART: Final = 16 * 1024 * 1024
MAX_PICTURE: Final = 8 * 1024 * 1024
"""Bytes; more is a broken stream."""


def chart_bytes(chart: Chart) -> bytes:
    """Write a chart down; names with half a character in them included."""
    return json.dumps(to_builtins(chart)).encode()


def chart_from(data: bytes) -> Chart:
    """Read what `chart_bytes` wrote."""
    fields: dict[str, Any] = json.loads(data)
    return Chart(
        title=fields["title"],
        days=tuple(fields["days"]),
        series=tuple(Series(one["name"], tuple(one["spent"])) for one in fields["series"]),
        top=tuple((name, amount) for name, amount in fields["top"]),
        budget=fields["budget"],
        forecast=fields["forecast"],
        days_gone=fields["days_gone"],
    )


def order(*, cpu_s: int) -> Mapping[str, object]:
    """Return the header of an order: seconds of processor time that it may take."""
    return {"cpu_s": cpu_s}


def cpu_of(header: bytes) -> int:
    """Read what `order` wrote."""
    return int(json.loads(header)["cpu_s"])


def fault(error: Exception) -> Mapping[str, object]:
    """Return the header of an answer without a picture: what went wrong, in nobody's words."""
    trace, place = error.__traceback__, "?"
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return {"fault": f"{type(error).__name__} in {place}"}


def fault_of(header: bytes) -> str | None:
    """Read what `fault` wrote; None when there is a picture.

    Raises:
        BrokenStream: it is no answer.
    """
    try:
        told = json.loads(header)
    except (ValueError, RecursionError) as error:
        raise BrokenStream from error
    match told:
        case {"fault": str() as text}:
            return text
        case {"fault": None}:
            return None
    raise BrokenStream
