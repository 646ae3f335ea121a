"""Everything that is kept about a person, for themselves, as plain records for JSON.

What others have written about them is left to those (the reason of a block), and so are the ids of
those who did. Times are ISO 8601 in UTC, money is US dollars as text.
"""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeAlias

from bot.money import MICROS_PER_USD
from bot.storage._forget import marks
from bot.storage.rows import Reader, Row, Tx

Record: TypeAlias = Mapping[str, Any]

_PAGE: Final = 200
"""Jobs in memory at a time."""


class PersonalData:
    """Reads it, page by page. Every method may raise `LedgerUnavailable`."""

    def __init__(self, db: Reader) -> None:
        self._db = db

    async def of(self, user_id: int) -> AsyncIterator[list[Record]]:
        """Yield records, each with what it is about in `kind`."""
        yield await self._db.read(partial(_small_things, user_id))
        after = (0, 0)
        while page := await self._db.read(partial(_jobs, user_id, after)):
            last, records = page
            yield records
            after = last


async def _small_things(user_id: int, tx: Tx) -> list[Record]:
    """Everything but the jobs: few rows."""
    return [
        *await _settings(tx, user_id),
        *await _put_aside(tx, user_id),
        *await _rules_about(tx, user_id),
        *await _rules_by(tx, user_id),
        *await _months(tx, user_id),
    ]


async def _settings(tx: Tx, user_id: int) -> list[Record]:
    rows = await tx.fetch("SELECT * FROM preference WHERE user_id = $1 ORDER BY guild_id", user_id)
    return [
        {
            "kind": "settings",
            "server": _id(row.integer("guild_id")),
            "model": row.maybe_text("model"),
            "size": row.maybe_text("size"),
            "quality": row.maybe_text("quality"),
            "format": row.maybe_text("output_format"),
            "private": _maybe_bool(row.maybe_integer("is_private")),
            "changed": _time(row.integer("changed_at")),
        }
        for row in rows
    ]


async def _put_aside(tx: Tx, user_id: int) -> list[Record]:
    """What is kept for a while: the tray, painted masks, links to the painter, offers, and answers.

    Tokens, by which whoever has them could act as the bot, are not in it.
    """
    records = list[Record]()
    for row in await tx.fetch("SELECT * FROM tray_picture WHERE user_id = $1 ORDER BY id", user_id):
        picture = json.loads(row.text("source"))
        added = _time(row.integer("added_at"))
        records.append({"kind": "tray picture", "added": added, "picture": picture})
    for row in await tx.fetch(
        "SELECT id, LENGTH(data) AS bytes, expires_at FROM mask WHERE user_id = $1 ORDER BY id",
        user_id,
    ):
        records.append(
            {
                "kind": "painted mask",
                "mask": _id(row.integer("id")),
                "bytes": row.integer("bytes"),
                "kept_until": _time(row.integer("expires_at")),
            }
        )
    for row in await tx.fetch("SELECT * FROM paint_link WHERE user_id = $1 ORDER BY id", user_id):
        draft = row.text("draft")
        records.append(
            {
                "kind": "link to the mask painter",
                "server": _id(row.integer("guild_id")),
                "channel": _id(row.integer("channel_id")),
                "made": _time(row.integer("created_at")),
                "kept_until": _time(row.integer("expires_at")),
                "request": json.loads(draft) if draft else None,
            }
        )
    for row in await tx.fetch("SELECT * FROM offer WHERE user_id = $1 ORDER BY id", user_id):
        records.append(
            {
                "kind": "offer of a button",
                "kept_until": _time(row.integer("expires_at")),
                "requests": json.loads(row.text("content"))["requests"],
            }
        )
    for row in await tx.fetch(
        "SELECT channel_id, is_private, expires_at FROM promise WHERE user_id = $1 "
        "ORDER BY message_id",
        user_id,
    ):
        records.append(
            {
                "kind": "answer that you wait for",
                "channel": _id(row.integer("channel_id")),
                "private": bool(row.integer("is_private")),
                "kept_until": _time(row.integer("expires_at")),
            }
        )
    return records


async def _rules_about(tx: Tx, user_id: int) -> list[Record]:
    """Limits, grants and blocks that name the person, without who made them, or why."""
    records: list[Record] = [
        {
            "kind": "limit for you",
            "server": _id(row.integer("guild_id")),
            "per": row.text("period"),
            "usd": _usd(row.integer("amount")),
            "set": _time(row.integer("set_at")),
        }
        for row in await tx.fetch(
            "SELECT * FROM spending_rule WHERE user_id = $1 ORDER BY id", user_id
        )
    ]
    records += [
        {
            "kind": "extra for you",
            "server": _id(row.integer("guild_id")),
            "usd": _usd(row.integer("amount")),
            "granted": _time(row.integer("granted_at")),
        }
        for row in await tx.fetch(
            "SELECT * FROM spending_grant WHERE user_id = $1 ORDER BY id", user_id
        )
    ]
    records += [
        {
            "kind": "block",
            "server": _id(row.integer("guild_id")),
            "since": _time(row.integer("blocked_at")),
        }
        for row in await tx.fetch(
            "SELECT * FROM blocked_member WHERE user_id = $1 ORDER BY guild_id", user_id
        )
    ]
    return records


async def _rules_by(tx: Tx, user_id: int) -> list[Record]:
    """What the person has changed for others, as somebody who manages a server."""
    rows = await tx.fetch("SELECT * FROM rule_change WHERE changed_by = $1 ORDER BY id", user_id)
    return [
        {
            "kind": "change that you made",
            "server": _id(row.integer("guild_id")),
            "time": _time(row.integer("changed_at")),
            "what": row.text("what"),
            "for": row.text("target") or None,
            "before": row.maybe_text("before"),
            "after": row.maybe_text("after"),
            "reason": row.text("reason") or None,
        }
        for row in rows
    ]


async def _months(tx: Tx, user_id: int) -> list[Record]:
    rows = await tx.fetch(
        "SELECT * FROM usage_month WHERE user_id = $1 ORDER BY month, guild_id", user_id
    )
    return [
        {
            "kind": "sum of a month",
            "month": row.text("month"),
            "server": _id(row.integer("guild_id")),
            "pictures": row.integer("pictures"),
            "usd": _usd(row.integer("spent")),
        }
        for row in rows
    ]


async def _jobs(
    user_id: int, after: tuple[int, int], tx: Tx
) -> tuple[tuple[int, int], list[Record]] | None:
    """Read a page of jobs with their charges, oldest first; None after the last."""
    rows = await tx.fetch(
        "SELECT job.*, prompt, job_input.content AS inputs FROM job "
        "LEFT JOIN prompt ON prompt.job_id = job.id "
        "LEFT JOIN job_input ON job_input.job_id = job.id "
        "WHERE user_id = $1 AND created_at >= $2 AND (created_at > $2 OR job.id > $3) "
        f"ORDER BY created_at, job.id LIMIT {_PAGE}",
        user_id,
        *after,
    )
    if not rows:
        return None
    jobs = [row.integer("id") for row in rows]
    charges = dict[int, list[Record]]()
    for row in await tx.fetch(
        "SELECT charge.*, (SELECT MIN(url) FROM job_output WHERE charge_id = charge.id) AS url "
        f"FROM charge WHERE job_id IN ({marks(len(jobs))}) ORDER BY job_id, place",
        *jobs,
    ):
        charges.setdefault(row.integer("job_id"), []).append(_charge(row))
    records = [_job(row, charges.get(row.integer("id"), [])) for row in rows]
    return (rows[-1].integer("created_at"), rows[-1].integer("id")), records


def _job(row: Row, charges: list[Record]) -> Record:
    inputs = row.maybe_text("inputs")
    return {
        "kind": "job",
        "job": _id(row.integer("id")),
        "time": _time(row.integer("created_at")),
        "server": _id(row.integer("guild_id")),
        "channel": _id(row.integer("channel_id")),
        "command": row.text("command"),
        "private": bool(row.integer("is_private")),
        "prompt": row.maybe_text("prompt"),
        "size": row.text("size"),
        "quality": row.text("quality"),
        "format": row.text("output_format"),
        "made_from": None if inputs is None else json.loads(inputs),
        "delivery": row.text("delivery"),
        "message": _link(row),
        "charges": charges,
    }


def _charge(row: Row) -> Record:
    actual = row.maybe_integer("actual")
    role = row.maybe_integer("limit_role")
    return {
        "model": row.text("model"),
        "state": row.text("state"),
        "held_usd": _usd(row.integer("held")),
        "spent_usd": None if actual is None else _usd(actual),
        "pictures": row.integer("pictures"),
        "role_of_the_limit": None if role is None else str(role),
        "reason": row.text("reason") or None,
        "result": row.maybe_text("url"),
    }


def _link(row: Row) -> str | None:
    channel, message = row.maybe_integer("message_channel"), row.maybe_integer("message_id")
    if channel is None or message is None:
        return None
    return f"https://discord.com/channels/{row.integer('guild_id') or '@me'}/{channel}/{message}"


def _id(number: int) -> str | None:
    """An id as text, which nothing rounds; None for what is in no server, or everywhere."""
    return str(number) if number else None


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")


def _usd(micros: int) -> str:
    return f"{micros // MICROS_PER_USD}.{micros % MICROS_PER_USD:06d}"


def _maybe_bool(value: int | None) -> bool | None:
    return None if value is None else bool(value)
