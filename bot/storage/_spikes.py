"""Members who spend far more today than they usually do, each claimed once in that day.

"Usual" is the median of the days on which they spent anything, of the last 30; a few days tell
nothing yet, and cents alarm nobody. The counters of the days are keyed by a hash, so that being
erased changes nothing about it.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from bot.money import Micros
from bot.storage._alert_claims import CLAIM_MS, claim
from bot.storage._buckets import WORTH_A_LOOK, Pins
from bot.storage.policy_models import Spike
from bot.storage.rows import Row, Tx, first, placeholders

TIMES: Final = 5
FEWEST_DAYS: Final = 5
"""Days with spending from which on something is usual."""
_BACK_MS: Final = 30 * 86_400_000
_PERCENT: Final = TIMES * 100
"""How it is written down that it was told: as a threshold of the day's counter."""


def usual(days: Sequence[Micros]) -> Micros | None:
    """Return the median of what was spent on days (the upper one of two); None of too few."""
    spent = sorted(day for day in days if day > 0)
    return spent[len(spent) // 2] if len(spent) >= FEWEST_DAYS else None


class SpikeWatch(Struct, frozen=True):
    """A job that has ended, whose member's day is looked at."""

    job_id: int
    now_ms: int

    async def find(self, tx: Tx) -> Spike | None:
        """Find out whether the running day of a member is unusual, and was not told yet."""
        job = await first(tx, "SELECT guild_id, user_id, pins FROM job WHERE id = $1", self.job_id)
        if job is None or job.integer("user_id") < 0:
            return None
        day = await self._day(tx, Pins.read(job.text("pins")))
        if day is None or day.integer("settled") < WORTH_A_LOOK:
            return None
        spent = await self._days_before(tx, day)
        norm = usual(spent)
        if norm is None or day.integer("settled") <= TIMES * norm:
            return None
        guild_id = job.integer("guild_id")
        guild = await first(tx, "SELECT alert_channel FROM guild WHERE id = $1", guild_id)
        return Spike(
            bucket_id=day.integer("id"),
            guild_id=guild_id,
            user_id=job.integer("user_id"),
            spent=day.integer("settled"),
            usual=norm,
            days=len(spent),
            alert_channel=guild.maybe_integer("alert_channel") if guild else None,
            set_by=await _manager(tx, guild_id),
            claimed_ms=self.now_ms,
            percent=_PERCENT,
        )

    async def claim(self, tx: Tx) -> Spike | None:
        """Find it and write down who tells it: of many that try, one gets it."""
        spike = await self.find(tx)
        if spike is None:
            return None
        won = await claim(
            tx, spike.bucket_id, spike.percent, job_id=self.job_id, now_ms=self.now_ms
        )
        return spike if won else None

    async def _day(self, tx: Tx, pins: Pins) -> Row | None:
        """Return the member's counter of the day, if that still runs and was not told of."""
        count = len(pins.money)
        return await first(
            tx,
            f"SELECT id, subject, start_at, settled FROM bucket "
            f"WHERE id IN {placeholders(1, count)} AND scope = 'member' AND period = 'day' "
            f"AND end_at > ${count + 1} AND NOT EXISTS (SELECT 1 FROM budget_alert "
            f"WHERE bucket_id = bucket.id AND percent = ${count + 2} "
            f"AND (told_at IS NOT NULL OR sent_at > ${count + 3}))",
            *pins.money,
            self.now_ms,
            _PERCENT,
            self.now_ms - CLAIM_MS,
        )

    async def _days_before(self, tx: Tx, day: Row) -> list[Micros]:
        rows = await tx.fetch(
            "SELECT settled FROM bucket WHERE scope = 'member' AND subject = $1 "
            "AND period = 'day' AND start_at >= $2 AND start_at < $3 AND settled > 0",
            day.text("subject"),
            day.integer("start_at") - _BACK_MS,
            day.integer("start_at"),
        )
        return [row.integer("settled") for row in rows]


async def _manager(tx: Tx, guild_id: int) -> int | None:
    """Return who has set a limit in a guild last; None where nobody has, or is known any more."""
    row = await first(
        tx,
        "SELECT set_by FROM spending_rule WHERE guild_id = $1 AND by_operator = 0 AND set_by > 0 "
        "ORDER BY set_at DESC, id DESC LIMIT 1",
        guild_id,
    )
    return row.integer("set_by") if row else None
