"""How the process logs: lines for people, or JSON objects for collectors. Owns no secrets.

Interaction tokens stand in the URLs that discord.py and aiohttp may log, so those are masked.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Final

_TOKENS: Final = re.compile(r"(/(?:webhooks|interactions)/\d+/)[\w.~-]+")


def mask(text: str) -> str:
    """Return `text` without the interaction tokens in its URLs."""
    return _TOKENS.sub(r"\1…", text)


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00Z INFO bot.app: text`."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        return mask(super().format(record))

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 - logging's names
        """UTC, to the second."""
        return _time(record, "seconds")


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        entry = {
            "time": _time(record, "milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": mask(record.getMessage()),
        }
        if record.exc_info:
            entry["exception"] = mask(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


def _time(record: logging.LogRecord, precision: str) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")


def set_up_logging(kind: str, level: str) -> None:
    """Send every logger's records to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    text = TextFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonFormatter() if kind == "json" else text)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # At DEBUG the drivers log whole statements, prompts included.
    for noisy in ("discord", "aiohttp", "aiosqlite", "asyncpg"):
        logging.getLogger(noisy).setLevel(max(root.level, logging.WARNING))
    # It warns at each start that voice will not work, which nobody expects of a picture bot.
    logging.getLogger("discord.client").addFilter(lambda record: "voice" not in record.getMessage())
