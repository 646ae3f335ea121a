"""What a person has spent today: since midnight where they are, as `/usage` counts it."""

from bot.money import Micros
from bot.quotas import Window, ZoneChange, window_at
from bot.storage.rows import Tx


async def read_zones(tx: Tx, guild_id: int) -> list[ZoneChange]:
    """Read every time zone that a guild has had, oldest first; none for direct messages: UTC."""
    rows = await tx.fetch(
        "SELECT changed_at, zone FROM guild_zone WHERE guild_id = $1 ORDER BY changed_at",
        guild_id,
    )
    return [ZoneChange(row.integer("changed_at"), row.text("zone")) for row in rows]


async def spent_today(tx: Tx, user_id: int, guild_id: int, *, now_ms: int) -> Micros:
    """Sum up what a person spent everywhere since the day of `guild_id` began (`NO_GUILD`: UTC).

    Settled and presumed; a job counts on the day on which it was asked for.
    """
    today = window_at(Window.DAY, now_ms, await read_zones(tx, guild_id))
    (row,) = await tx.fetch(
        "SELECT CAST(COALESCE(SUM(actual), 0) AS BIGINT) AS total FROM charge "
        "WHERE user_id = $1 AND created_at >= $2",
        user_id,
        today.start_ms,
    )
    return row.integer("total")
