"""Log lines: for people or for collectors, and never with an interaction's token."""

import json
import logging

import pytest

from bot.logs import JsonFormatter, TextFormatter

TOKEN = "aW50ZXJhY3Rpb24.to-ken_~1"
ADDRESS = f"https://discord.com/api/v10/webhooks/123456/{TOKEN}/messages/7"
CALLBACK = f"/interactions/42/{TOKEN}/callback"


def record(message: str, *arguments: object, error: Exception | None = None) -> logging.LogRecord:
    """A log record, with the trace of `error` if there is one."""
    trace = None if error is None else (type(error), error, error.__traceback__)
    return logging.LogRecord("bot.x", logging.WARNING, __file__, 1, message, arguments, trace)


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter("%(levelname)s %(message)s")])
@pytest.mark.parametrize("address", [ADDRESS, CALLBACK])
def test_no_token_is_logged_wherever_its_address_stands(
    formatter: logging.Formatter, address: str
) -> None:
    for entry in (
        record(f"PATCH {address} failed"),
        record("%s answered %d", address, 500),
        record("it broke", error=RuntimeError(f"cannot reach {address}")),
    ):
        line = formatter.format(entry)
        assert TOKEN not in line
        assert "WARNING" in line


def test_a_json_line_is_one_line_with_time_level_logger_and_message() -> None:
    line = JsonFormatter().format(record("two\nlines with “quotes”", error=ValueError("why")))
    assert "\n" not in line
    entry = json.loads(line)
    assert (entry["level"], entry["logger"]) == ("WARNING", "bot.x")
    assert entry["message"] == "two\nlines with “quotes”"
    assert "ValueError: why" in entry["exception"]
    assert entry["time"].endswith("Z")
