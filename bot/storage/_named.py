"""Where people and guilds are named apart from their jobs, and how they are forgotten there."""

from collections import Counter
from typing import Final

from bot.ids import MOST_ID, last_id_of
from bot.storage._erasing import Erasable, Order, mark
from bot.storage.rows import Tx, first

_ACTED: Final = (
    ("guild", "paused_by", "paused_at"),
    ("guild_zone", "changed_by", "changed_at"),
    ("spending_rule", "set_by", "set_at"),
    ("spending_grant", "granted_by", "granted_at"),
    ("blocked_member", "blocked_by", "blocked_at"),
    ("model_rule", "set_by", "set_at"),
    ("picture_channel", "set_by", "set_at"),
    ("blocked_phrase", "set_by", "set_at"),
    ("digest", "set_by", "set_at"),
    ("rule_change", "changed_by", "changed_at"),
)
"""Where it stands who has changed something, and when; guilds first, as whoever changes a rule
does."""
_CONCERNED: Final = (
    ("spending_rule", "set_at"),
    ("spending_grant", "granted_at"),
    ("blocked_member", "blocked_at"),
    ("rule_change", "changed_at"),
)
"""Where `user_id` only shows whom a rule is for; the rule itself goes by the keyed hash."""
_ID: Final = "id"
"""Instead of a time: an id that the bot has made tells when that was."""
_OWNED: Final = (
    ("offer", _ID),
    ("tray_picture", "added_at"),
    ("paint_link", "created_at"),
    ("mask", _ID),
    ("preference", "changed_at"),
    ("promise", "expires_at"),
)
"""What exists for one person's convenience only, and is deleted."""
_OF_GUILD: Final = (
    ("spending_rule", "set_at", "AND by_operator = 0"),
    ("spending_grant", "granted_at", ""),
    ("blocked_member", "blocked_at", ""),
    ("model_rule", "set_at", ""),
    ("picture_channel", "set_at", ""),
    ("blocked_phrase", "set_at", ""),
    ("digest", "set_at", ""),
    ("rule_change", "changed_at", "AND by_operator = 0"),
    ("preference", "changed_at", ""),
    ("paint_link", "created_at", ""),
)
"""What is set in a guild. What the operator has set or mended there is not the guild's."""


async def begin(order: Order, tx: Tx, *, everything: bool) -> Counter[str]:
    """Write the marker, and forget what is not about money: few rows, and nothing waits for it.

    Without `everything`, only what was there when the erasure was asked for, in earlier days.
    """
    order = await mark(tx, order)
    until = MOST_ID if everything else order.asked_ms
    changed = Counter[str]()
    if order.kind is Erasable.GUILD:
        await _forget_guild(tx, order, until, changed, everything=everything)
    else:
        await _forget_person(tx, order, until, changed)
    return +changed


async def _forget_person(tx: Tx, order: Order, until: int, changed: Counter[str]) -> None:
    for table, column, time in _ACTED:
        found = await tx.fetch(
            f"UPDATE {table} SET {column} = $2 WHERE {column} = $1 AND {time} <= $3 "
            f"RETURNING {column}",
            order.subject_id,
            order.tombstone,
            until,
        )
        changed[table] += len(found)
    for table, time in _CONCERNED:
        found = await tx.fetch(
            f"UPDATE {table} SET user_id = NULL WHERE user_id = $1 AND {time} <= $2 "
            "RETURNING user_id",
            order.subject_id,
            until,
        )
        changed[table] += len(found)
    for table, time in _OWNED:
        bound = min(MOST_ID, last_id_of(until)) if time == _ID else until
        found = await tx.fetch(
            f"DELETE FROM {table} WHERE user_id = $1 AND {time} <= $2 RETURNING user_id",
            order.subject_id,
            bound,
        )
        changed[table] += len(found)


async def _forget_guild(
    tx: Tx, order: Order, until: int, changed: Counter[str], *, everything: bool
) -> None:
    """Delete what a guild has set; its time zones stay, since its sums were counted in them.

    Its row has no time. When an erasure is repeated on an older copy of the database, the row is
    an older one, too, if anything else is.
    """
    guild_id = order.subject_id
    await tx.fetch("UPDATE guild SET id = id WHERE id = $1", guild_id)  # before any rule
    for table, time, which in _OF_GUILD:
        found = await tx.fetch(
            f"DELETE FROM {table} WHERE guild_id = $1 AND {time} <= $2 {which} RETURNING guild_id",
            guild_id,
            until,
        )
        changed[table] += len(found)
    named = await tx.fetch(
        "UPDATE rule_change SET user_id = NULL WHERE guild_id = $1 AND changed_at <= $2 "
        "AND user_id IS NOT NULL RETURNING id",
        guild_id,
        until,
    )
    changed["rule_change"] += len(named)
    zones = await tx.fetch(
        "UPDATE guild_zone SET changed_by = $2 WHERE guild_id = $1 AND changed_by > 0 "
        "AND changed_at <= $3 RETURNING guild_id",
        guild_id,
        order.tombstone,
        until,
    )
    changed["guild_zone"] += len(zones)
    asked = await first(
        tx,
        "SELECT job_id FROM charge WHERE guild_id = $1 AND created_at <= $2 AND user_id > 0 "
        "LIMIT 1",
        guild_id,
        until,
    )
    if everything or +changed or asked is not None:
        row = await tx.fetch(
            "UPDATE guild SET paused_at = NULL, paused_by = NULL, manager_role = NULL, "
            "alert_channel = NULL, log_channel = NULL, confirm_above = NULL, "
            "default_model = NULL, private_off = 0, retention_days = NULL, "
            "policy_version = policy_version + 1 WHERE id = $1 RETURNING id",
            guild_id,
        )
        changed["guild"] += len(row)


async def named_people(tx: Tx) -> list[int]:
    """List every person who is named anywhere, each once."""
    found = set(await _steps(tx, "job", "user_id"))
    found.update(await _steps(tx, "usage_month", "user_id"))
    columns = [(table, column) for table, column, _ in _ACTED]
    columns += [(table, "user_id") for table, _ in (*_CONCERNED, *_OWNED)]
    for table, column in columns:
        rows = await tx.fetch(f"SELECT DISTINCT {column} AS id FROM {table} WHERE {column} > 0")
        found.update(row.integer("id") for row in rows)
    return sorted(found)


async def named_guilds(tx: Tx) -> list[int]:
    """List every guild that is named anywhere, each once."""
    found = set(await _steps(tx, "charge", "guild_id"))
    rows = await tx.fetch("SELECT id FROM guild WHERE id > 0")
    found.update(row.integer("id") for row in rows)
    for table, _, _ in _OF_GUILD:
        rows = await tx.fetch(f"SELECT DISTINCT guild_id AS id FROM {table} WHERE guild_id > 0")
        found.update(row.integer("id") for row in rows)
    return sorted(found)


async def _steps(tx: Tx, table: str, column: str) -> list[int]:
    """List the positive values of a column that begins an index, one step of it for each."""
    rows = await tx.fetch(
        f"WITH RECURSIVE step (id) AS (SELECT MIN({column}) FROM {table} WHERE {column} > 0 "
        f"UNION ALL SELECT (SELECT MIN({column}) FROM {table} WHERE {column} > step.id) "
        "FROM step WHERE step.id IS NOT NULL) SELECT id FROM step WHERE id IS NOT NULL"
    )
    return [row.integer("id") for row in rows]
