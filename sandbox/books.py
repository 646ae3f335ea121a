"""Reads a bot's SQLite file beside the bot, as an auditor would: for tests and scripts."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

_LOOK_AGAIN_S: Final = 0.02


class Books:
    """The database, read beside the bot as an auditor would."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self, sql: str, *values: object) -> list[dict[str, object]]:
        """Rows as dictionaries."""
        connection = sqlite3.connect(self._path)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(sql, values)]
        finally:
            connection.close()

    def change(self, sql: str) -> None:
        """Change something behind the bot's back."""
        connection = sqlite3.connect(self._path)
        try:
            with connection:
                connection.execute(sql)
        finally:
            connection.close()

    def write(self, sql: str, *values: object) -> None:
        """Change something behind the bot's back, as a broken disk or an older version might."""
        connection = sqlite3.connect(self._path)
        try:
            with connection:
                connection.execute(sql, values)
        finally:
            connection.close()

    def charges(self) -> list[dict[str, object]]:
        """Every charge, oldest first."""
        return self.rows("SELECT * FROM charge ORDER BY id")

    async def until(
        self, is_true: Callable[[list[dict[str, object]]], bool], timeout: float = 10
    ) -> None:
        """Wait until `is_true` of the charges (TimeoutError with what they are).

        SQLite tells other processes nothing of its commits, so this looks again and again.
        """
        try:
            async with asyncio.timeout(timeout):
                while not is_true(self.charges()):  # noqa: ASYNC110 - see above
                    await asyncio.sleep(_LOOK_AGAIN_S)
        except TimeoutError:
            states = [(row["id"], row["state"]) for row in self.charges()]
            raise TimeoutError(f"the charges stayed {states}") from None
