"""How long guilds keep words and links to pictures, and which guilds the bot has left.

What is kept no longer is deleted a few jobs at a time, so that nobody's hold waits for it, and a
guild remembers how far that is done. Money stays, and so does who spent it. Whether a guild was
left at all is for `bot.keeping` to find out.
"""

from collections import Counter
from functools import partial
from typing import Final

from msgspec import Struct

from bot.clock import Clock
from bot.storage._forget import forget_words
from bot.storage._named import named_guilds
from bot.storage.rows import Store, Tx, first

DAY_MS: Final = 86_400_000
_CHARGES_AT_ONCE: Final = 40


class Kept(Struct, frozen=True):
    """How a guild keeps what was asked for in it; 0 is what was asked for outside guilds."""

    guild_id: int
    days: int | None
    """None: as the operator says; 0: for good."""


class Retention:
    """Deletes what is kept no longer. Every method may raise `LedgerUnavailable`."""

    def __init__(self, db: Store, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def kept(self) -> list[Kept]:
        """List every guild in which something was asked for, and how long each keeps it."""

        async def run(tx: Tx) -> list[Kept]:
            rows = await tx.fetch("SELECT id, retention_days FROM guild")
            days = {row.integer("id"): row.maybe_integer("retention_days") for row in rows}
            return [Kept(each, days.get(each)) for each in (0, *await named_guilds(tx))]

        return await self._db.read(run)

    async def sweep(self, guild_id: int, *, days: int) -> Counter[str]:
        """Delete the words and links of all jobs of a guild that are older than `days`.

        Returns how many rows were changed, by table. Goes on where it was when it is cut off.
        """
        before_ms = self._clock.now_ms() - days * DAY_MS
        changed = Counter[str]()
        while True:
            more, some = await self._db.write(partial(_sweep_some, guild_id, before_ms))
            changed += some
            if not more:
                return changed

    async def leave(self, guild_id: int, *, again: bool = False) -> bool:
        """Note that the bot has left a guild; False when that is noted already.

        `again`: count from now on.
        """
        now = self._clock.now_ms()
        unless_known = "" if again else "WHERE guild.left_at IS NULL "

        async def run(tx: Tx) -> bool:
            return bool(
                await tx.fetch(
                    "INSERT INTO guild (id, left_at) VALUES ($1, $2) "
                    "ON CONFLICT (id) DO UPDATE SET left_at = excluded.left_at "
                    f"{unless_known}RETURNING id",
                    guild_id,
                    now,
                )
            )

        return await self._db.write(run)

    async def come_back(self, guild_id: int) -> bool:
        """Note that the bot is in a guild (again); False when nothing else was noted."""

        async def run(tx: Tx) -> bool:
            return bool(
                await tx.fetch(
                    "UPDATE guild SET left_at = NULL WHERE id = $1 AND left_at IS NOT NULL "
                    "RETURNING id",
                    guild_id,
                )
            )

        return await self._db.write(run)

    async def left(self) -> dict[int, int]:
        """Return since when the bot is gone from which guilds (epoch ms)."""

        async def run(tx: Tx) -> dict[int, int]:
            rows = await tx.fetch("SELECT id, left_at FROM guild WHERE left_at IS NOT NULL")
            return {row.integer("id"): row.integer("left_at") for row in rows}

        return await self._db.read(run)

    async def last_asked(self, guild_id: int) -> int:
        """Return when something was asked for in a guild last (epoch ms); 0 for never."""

        async def run(tx: Tx) -> int:
            row = await first(
                tx,
                "SELECT created_at FROM charge WHERE guild_id = $1 "
                "ORDER BY created_at DESC LIMIT 1",
                guild_id,
            )
            return row.integer("created_at") if row else 0

        return await self._db.read(run)


async def _sweep_some(guild_id: int, before_ms: int, tx: Tx) -> tuple[bool, Counter[str]]:
    """Go through a few charges in the order of time; returns whether there are more.

    All charges of one moment belong together. A job that has not ended holds up those after it,
    until the next time: so old a one is about to be closed.
    """
    guild = await first(tx, "SELECT retained_from FROM guild WHERE id = $1", guild_id)
    start = guild.integer("retained_from") if guild else 0
    last = await first(
        tx,
        "SELECT created_at FROM charge WHERE guild_id = $1 AND created_at >= $2 "
        f"AND created_at < $3 ORDER BY created_at LIMIT 1 OFFSET {_CHARGES_AT_ONCE - 1}",
        guild_id,
        start,
        before_ms,
    )
    end = before_ms if last is None else last.integer("created_at") + 1
    if end <= start:
        return False, Counter()
    rows = await tx.fetch(
        "SELECT DISTINCT job.id AS id, charge.created_at AS created_at, "
        "CASE WHEN delivery <> 'open' AND open_charges = 0 THEN 1 ELSE 0 END AS ended "
        "FROM charge JOIN job ON job.id = job_id "
        "WHERE charge.guild_id = $1 AND charge.created_at >= $2 AND charge.created_at < $3",
        guild_id,
        start,
        end,
    )
    running = [row.integer("created_at") for row in rows if not row.integer("ended")]
    jobs = sorted({row.integer("id") for row in rows if row.integer("ended")})
    changed = await forget_words(tx, jobs) if jobs else Counter[str]()
    await tx.fetch(
        "INSERT INTO guild (id, retained_from) VALUES ($1, $2) "
        "ON CONFLICT (id) DO UPDATE SET retained_from = excluded.retained_from",
        guild_id,
        min(running, default=end),
    )
    return last is not None and not running, changed
