"""What the books say about a guild: sums, outcomes, its budget, and every charge page by page.

Reads only, in transactions that end soon, so that nobody who spends waits for somebody who reads.
"""

from collections.abc import AsyncIterator
from functools import partial
from typing import Final

from bot.money import Micros
from bot.quotas import Defaults, Scope, ZoneChange, limits_for
from bot.requests import NO_GUILD, Actor
from bot.storage._report_sums import Adder
from bot.storage._rules import read_rules
from bot.storage._today import read_zones
from bot.storage.report_models import Answer, ChargeLine, DayOfModel, Part, Query, Stretch, Sums
from bot.storage.rows import Reader, Row, Tx

PAGE: Final = 1_000
"""Charges that are read in one transaction."""
_LIMIT_S: Final = 30.0
_SOMEBODY: Final = 0
"""No user's id: whose own limits are left out of account."""


class Reports:
    """Answers questions about spending; every method raises `LedgerUnavailable` when it can't."""

    def __init__(self, db: Reader, *, defaults: Defaults) -> None:
        """`defaults` is what holds where nobody has set a rule."""
        self._db = db
        self._defaults = defaults

    async def zones(self, guild_id: int) -> list[ZoneChange]:
        """Return every time zone that a guild has had; its days and months depend on them."""
        return await self._db.read(lambda tx: read_zones(tx, guild_id))

    async def ask(self, query: Query, *, now_ms: int) -> Answer:
        """Answer a question on one snapshot: the parts add up to the total, and both to the ledger.

        Charges that are not settled count as nothing yet; see `Outcomes.pending`.
        """
        return await self._db.read(partial(self._answer, query, now_ms), limit_s=_LIMIT_S)

    async def by_guild(self, month: str) -> list[Part]:
        """Return what each guild has spent in a month (`2026-11`) of its calendar, dearest first.

        The key is the guild's id; `NO_GUILD` is direct messages.
        """

        async def run(tx: Tx) -> list[Part]:
            rows = await tx.fetch(
                "SELECT guild_id AS key, CAST(SUM(charges) AS BIGINT) AS charges, "
                "CAST(SUM(pictures) AS BIGINT) AS pictures, CAST(SUM(spent) AS BIGINT) AS spent "
                "FROM usage_month WHERE month = $1 GROUP BY guild_id ORDER BY 4 DESC, 1",
                month,
            )
            return [
                Part(
                    row.integer("key"),
                    Sums(row.integer("charges"), row.integer("pictures"), row.integer("spent")),
                )
                for row in rows
            ]

        return await self._db.read(run, limit_s=_LIMIT_S)

    async def days_by_model(self, guild_id: int, stretch: Stretch) -> list[DayOfModel]:
        """Return what was spent on each model on each day, in the order of days.

        Days that the stretch cuts in two are left out.
        """

        async def run(tx: Tx) -> list[DayOfModel]:
            days = Adder(tx, guild_id, await read_zones(tx, guild_id)).whole_days(stretch)
            if days is None:
                return []
            rows = await tx.fetch(
                "SELECT day, name AS model, spent FROM usage_day WHERE guild_id = $1 "
                "AND kind = 'model' AND day >= $2 AND day <= $3 AND spent <> 0 ORDER BY day, name",
                *(guild_id, days.first, days.last),
            )
            return [
                DayOfModel(row.text("day"), row.text("model"), row.integer("spent")) for row in rows
            ]

        return await self._db.read(run, limit_s=_LIMIT_S)

    async def charges(
        self, guild_id: int, stretch: Stretch, *, page: int = PAGE
    ) -> AsyncIterator[list[ChargeLine]]:
        """Yield every charge of a stretch, oldest first, `page` at a time.

        Each page is a transaction of its own: a charge that is settled while others are read shows
        how it was when its page was.
        """
        after = (stretch.start_ms, -1)
        while lines := await self._db.read(partial(_page, guild_id, after, stretch.end_ms, page)):
            yield lines
            if len(lines) < page:
                return
            after = (lines[-1].created_ms, lines[-1].id)

    async def _answer(self, query: Query, now_ms: int, tx: Tx) -> Answer:
        adder = Adder(tx, query.guild_id, await read_zones(tx, query.guild_id))
        return Answer(
            total=await adder.total(query.stretch),
            parts=await adder.parts(query.stretch, query.group),
            outcomes=await adder.outcomes(query.stretch),
            spent_before=(await adder.total(query.before)).spent,
            budget=await self._budget(tx, query, now_ms),
        )

    async def _budget(self, tx: Tx, query: Query, now_ms: int) -> Micros | None:
        """Return what everybody in the guild may spend together in such a window, as set now."""
        if query.window is None or query.guild_id == NO_GUILD:
            return None
        actor = Actor(user_id=_SOMEBODY, guild_id=query.guild_id, channel_id=_SOMEBODY)
        rules = await read_rules(tx, actor, secret=b"", defaults=self._defaults)
        shared = {Scope.GUILD, Scope.CEILING}
        return min(
            (
                limit.amount
                for limit in limits_for(rules, actor, now_ms=now_ms)
                if limit.scope in shared and limit.window is query.window
            ),
            default=None,
        )


async def _page(
    guild_id: int, after: tuple[int, int], end_ms: int, size: int, tx: Tx
) -> list[ChargeLine]:
    rows = await tx.fetch(
        "SELECT charge.*, day_label FROM charge JOIN job ON job.id = job_id "
        "WHERE charge.guild_id = $1 AND charge.created_at < $4 "
        "AND (charge.created_at, charge.id) > ($2, $3) "
        "ORDER BY charge.created_at, charge.id LIMIT $5",
        *(guild_id, *after, end_ms, size),
    )
    return [_line(row) for row in rows]


def _line(row: Row) -> ChargeLine:
    return ChargeLine(
        id=row.integer("id"),
        created_ms=row.integer("created_at"),
        day=row.text("day_label"),
        job_id=row.integer("job_id"),
        user_id=max(0, row.integer("user_id")),
        role_id=row.maybe_integer("limit_role") or 0,
        channel_id=row.integer("channel_id"),
        command=row.text("command"),
        model=row.text("model"),
        state=row.text("state"),
        held=row.integer("held"),
        spent=row.maybe_integer("actual"),
        overrun=row.integer("overrun"),
        pictures=row.integer("pictures"),
    )
