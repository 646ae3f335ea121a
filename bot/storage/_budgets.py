"""Which thresholds of pooled budgets a job has reached, each claimed once in its window."""

from typing import Final

from msgspec import Struct

from bot.money import Micros
from bot.quotas import FOREVER_MS, Defaults, Limit, Scope, Target, Window, limits_for
from bot.requests import NO_GUILD, Actor
from bot.storage._alert_claims import CLAIM_MS, claim
from bot.storage._buckets import Pins
from bot.storage._rules import read_rules
from bot.storage.policy_models import THRESHOLDS, Crossing
from bot.storage.rows import Row, Tx, first, placeholders

_FULL: Final = 100
_NEARLY: Final = 80
"""Percent from which on a budget that can't pay for one more such picture counts as used up."""


class Watch(Struct, frozen=True):
    """A job that has ended, whose budgets are looked at."""

    job_id: int
    now_ms: int
    secret: bytes
    defaults: Defaults

    async def find(self, tx: Tx) -> list[Crossing]:
        """Find thresholds that are reached and not told yet in the windows that still run."""
        job = await first(
            tx,
            "SELECT guild_id, channel_id, user_id, ceiling, pins FROM job WHERE id = $1",
            self.job_id,
        )
        if job is None:
            return []
        actor = Actor(job.integer("user_id"), job.integer("guild_id"), job.integer("channel_id"))
        rules = await read_rules(tx, actor, secret=self.secret, defaults=self.defaults)
        pooled = {
            (limit.scope, limit.window): limit
            for limit in limits_for(rules, actor, now_ms=self.now_ms)
            if limit.scope.is_pooled and limit.amount
        }
        pins = Pins.read(job.text("pins"))
        last = len(pins.money)
        rows = await tx.fetch(
            "SELECT bucket.id, scope, period, settled, end_at, "
            "(SELECT COALESCE(MAX(percent), 0) FROM budget_alert "
            "WHERE bucket_id = bucket.id "
            f"AND (told_at IS NOT NULL OR sent_at > ${last + 2})) AS told "
            f"FROM bucket WHERE id IN {placeholders(1, last)} AND end_at > ${last + 1} "
            "AND scope IN ('channel', 'guild', 'ceiling', 'bot')",
            *pins.money,
            self.now_ms,
            self.now_ms - CLAIM_MS,
        )
        crossings = []
        for row in rows:
            limit = pooled.get((Scope(row.text("scope")), Window(row.text("period"))))
            if limit is None:
                continue
            percent = reached(row.integer("settled"), limit.amount, price=job.integer("ceiling"))
            if percent > row.integer("told"):
                crossings.append(await self._crossing(tx, row, limit, actor, percent))
        return crossings

    async def claim(self, tx: Tx) -> list[Crossing]:
        """Find them and write down who tells them: of many that try, one gets each."""
        claimed = []
        for crossing in await self.find(tx):
            won = await claim(
                tx, crossing.bucket_id, crossing.percent, job_id=self.job_id, now_ms=self.now_ms
            )
            if won:
                claimed.append(crossing)
        return claimed

    async def _crossing(
        self, tx: Tx, row: Row, limit: Limit, actor: Actor, percent: int
    ) -> Crossing:
        guild = await first(tx, "SELECT alert_channel FROM guild WHERE id = $1", actor.guild_id)
        end_ms = row.integer("end_at")
        return Crossing(
            bucket_id=row.integer("id"),
            scope=limit.scope,
            window=limit.window,
            percent=percent,
            amount=limit.amount,
            spent=row.integer("settled"),
            resets_at_ms=None if end_ms == FOREVER_MS else end_ms,
            guild_id=actor.guild_id,
            channel_id=actor.channel_id,
            alert_channel=guild.maybe_integer("alert_channel") if guild else None,
            set_by=await _setter(tx, limit, actor),
            claimed_ms=self.now_ms,
        )


def reached(spent: Micros, amount: Micros, *, price: Micros) -> int:
    """Return the highest threshold that `spent` of `amount` has reached, 0 for none.

    A budget that is nearly spent and can't pay for one more picture at `price` is used up: holds
    keep spending below the limit, so that it would hardly ever reach it.
    """
    percent = spent * 100 // amount
    if percent >= _NEARLY and amount - spent < price:
        return _FULL
    return max((threshold for threshold in THRESHOLDS if percent >= threshold), default=0)


async def _setter(tx: Tx, limit: Limit, actor: Actor) -> int | None:
    """Return who set a pooled budget; None for the bot's default, and for who has been erased."""
    if limit.source is None:
        return None
    everywhere = limit.source in {Target.ANY_GUILD, Target.BOT}
    row = await first(
        tx,
        "SELECT set_by FROM spending_rule "
        "WHERE guild_id = $1 AND scope = $2 AND subject = $3 AND period = $4",
        NO_GUILD if everywhere else actor.guild_id,
        limit.source.value,
        str(actor.channel_id) if limit.scope is Scope.CHANNEL else "",
        limit.window.value,
    )
    set_by = row.integer("set_by") if row else 0
    return set_by if set_by > 0 else None  # below: a tombstone
