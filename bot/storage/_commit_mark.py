"""The rows by which PostgreSQL tells, after a lost connection, whether a commit came about.

`bot.storage._postgres` says when they are written and read.
"""

from typing import Final

MAKE_MARKS: Final = (
    "CREATE TABLE IF NOT EXISTS commit_mark ("
    "slot BIGINT NOT NULL PRIMARY KEY, number BIGINT NOT NULL, touched_at TIMESTAMPTZ NOT NULL)"
)
FORGET_MARKS: Final = "DELETE FROM commit_mark WHERE touched_at < now() - INTERVAL '30 days'"
WRITE_MARK: Final = (
    "INSERT INTO commit_mark (slot, number, touched_at) VALUES ($1, $2, now()) "
    "ON CONFLICT (slot) DO UPDATE SET number = excluded.number, touched_at = excluded.touched_at"
)
READ_MARK: Final = (
    "INSERT INTO commit_mark (slot, number, touched_at) VALUES ($1, 0, now()) "
    "ON CONFLICT (slot) DO UPDATE SET touched_at = excluded.touched_at RETURNING number"
)
