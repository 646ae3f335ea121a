"""Reads a bot's SQLite file beside the bot, as an auditor would: for tests and scripts."""

import sqlite3
from pathlib import Path


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

    def charges(self) -> list[dict[str, object]]:
        """Every charge, oldest first."""
        return self.rows("SELECT * FROM charge ORDER BY id")
