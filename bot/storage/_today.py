"""What is spent on a day: by a person today, as `/usage` counts it, and by everybody lately."""

from typing import Final

from bot.money import MAX_MICROS, Micros
from bot.quotas import Scope, Window, ZoneChange, window_at
from bot.storage.rows import Tx

_DAY_MS: Final = 86_400_000
_LATELY: Final = 7
"""Days from which is told what the bot spends on one."""


async def read_zones(tx: Tx, guild_id: int) -> list[ZoneChange]:
    """Read every time zone that a guild has had, oldest first; none for direct messages: UTC."""
    rows = await tx.fetch(
        "SELECT changed_at, zone FROM guild_zone WHERE guild_id = $1 ORDER BY changed_at",
        guild_id,
    )
    return [ZoneChange(row.integer("changed_at"), row.text("zone")) for row in rows]


async def spent_today(tx: Tx, user_id: int, guild_id: int, *, now_ms: int) -> Micros:
    """Sum up what a person spent everywhere since the day of `guild_id` began (`NO_GUILD`: UTC).

    Settled and presumed; a job counts on the day on which it was asked for. Whatever stands in the
    rows, they have a sum: settling asks for it, and must not fail for it.
    """
    today = window_at(Window.DAY, now_ms, await read_zones(tx, guild_id))
    (row,) = await tx.fetch(
        "SELECT CAST(COALESCE(SUM(CASE WHEN actual < $3 THEN actual ELSE $3 END), 0) AS BIGINT) "
        "AS total FROM charge WHERE user_id = $1 AND created_at >= $2 AND actual IS NOT NULL",
        user_id,
        today.start_ms,
        MAX_MICROS,
    )
    return row.integer("total")


async def spent_a_day(tx: Tx, *, now_ms: int) -> Micros | None:
    """Return what everybody together has spent on a day lately; see `Ledger.pace`."""
    today = window_at(Window.DAY, now_ms).start_ms
    (row,) = await tx.fetch(
        "SELECT CAST(COALESCE(SUM(settled), 0) AS BIGINT) AS spent, "
        "COALESCE(MIN(start_at), 0) AS since "
        "FROM bucket WHERE scope = $1 AND subject = '' AND period = $2 "
        "AND start_at >= $3 AND start_at < $4",
        Scope.BOT.value,
        Window.DAY.value,
        today - _LATELY * _DAY_MS,
        today,
    )
    if not row.integer("spent"):
        return None
    return -(-row.integer("spent") * _DAY_MS // (today - row.integer("since")))
