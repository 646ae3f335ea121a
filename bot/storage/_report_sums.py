"""Adding up a guild's charges: from the roll-ups where those suffice, else from the raw rows.

Both come to the same, to the micro-dollar. Roll-ups know whole days and whole months only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.quotas import Window, ZoneChange, window_at
from bot.storage.report_models import Group, Outcomes, Part, Stretch, Sums
from bot.storage.rows import Row, Tx

_ALIVE: Final = "CASE WHEN user_id < 0 THEN 0 ELSE user_id END"
"""Tombstones are negative: the erased are one line, as there is nothing to tell them apart by."""
_RAW_KEYS: Final = {
    Group.MEMBER: _ALIVE,
    Group.ROLE: "COALESCE(limit_role, 0)",
    Group.MODEL: "model",
    Group.CHANNEL: "channel_id",
    Group.COMMAND: "command",
    Group.DAY: "(SELECT day_label FROM job WHERE job.id = job_id)",
}
_TEXT_KEYS: Final = frozenset({Group.MODEL, Group.COMMAND, Group.DAY})
_RAW_SUMS: Final = (
    "COUNT(*) AS charges, CAST(COALESCE(SUM(pictures), 0) AS BIGINT) AS pictures, "
    "CAST(COALESCE(SUM(actual), 0) AS BIGINT) AS spent"
)
_ROLLED_SUMS: Final = (
    "CAST(COALESCE(SUM(charges), 0) AS BIGINT) AS charges, "
    "CAST(COALESCE(SUM(pictures), 0) AS BIGINT) AS pictures, "
    "CAST(COALESCE(SUM(spent), 0) AS BIGINT) AS spent"
)
_IN_STRETCH: Final = "guild_id = $1 AND created_at >= $2 AND created_at < $3"
_COUNTED: Final = f"{_IN_STRETCH} AND actual IS NOT NULL"
_SENT: Final = "closed_at IS NOT NULL AND NOT (state = 'released' AND prior_state = 'held')"


@dataclass(frozen=True, slots=True)
class Labels:
    """Whole days or months that follow each other, as the roll-ups name them."""

    first: str
    last: str


def whole(window: Window, stretch: Stretch, zones: Sequence[ZoneChange]) -> Labels | None:
    """Return the days or months that a stretch consists of; None when it cuts one in two.

    Labels sort as they follow each other, whatever zones a guild has had.
    """
    if stretch.start_ms >= stretch.end_ms:
        return None
    first = window_at(window, stretch.start_ms, zones)
    last = window_at(window, stretch.end_ms - 1, zones)
    if first.start_ms != stretch.start_ms or last.end_ms != stretch.end_ms:
        return None
    return Labels(first.label, last.label)


@dataclass(frozen=True, slots=True)
class Adder:
    """Adds up the charges of one guild, within one transaction."""

    tx: Tx
    guild_id: int
    zones: Sequence[ZoneChange]
    """Every time zone that the guild has had."""

    async def parts(self, stretch: Stretch, group: Group) -> tuple[Part, ...]:
        """Return the sums by what they are listed by: dearest first, days in their order."""
        rows = await self._rolled_up(stretch, group)
        if rows is None:
            rows = await self._raw(stretch, group)
        parts = [_part(row, group) for row in rows]
        if group is Group.DAY:
            return tuple(sorted(parts, key=lambda part: part.key))
        return tuple(sorted(parts, key=lambda part: (-part.sums.spent, str(part.key))))

    async def total(self, stretch: Stretch) -> Sums:
        """Return the sums of everything: whole days from the roll-up, the rest from raw rows."""
        if stretch.start_ms >= stretch.end_ms:
            return Sums()
        head, days, tail = self._cut(stretch)
        sums = Sums()
        if days is not None:
            (row,) = await self.tx.fetch(
                f"SELECT {_ROLLED_SUMS} FROM usage_day "
                "WHERE guild_id = $1 AND day >= $2 AND day <= $3",
                *(self.guild_id, days.first, days.last),
            )
            sums += _sums(row)
        for rest in (head, tail):
            if rest.start_ms < rest.end_ms:
                (row,) = await self.tx.fetch(
                    f"SELECT {_RAW_SUMS} FROM charge WHERE {_COUNTED}", *self._within(rest)
                )
                sums += _sums(row)
        return sums

    async def outcomes(self, stretch: Stretch) -> Outcomes:
        """Return what became of everything; from the raw rows, as the roll-ups know only money."""
        (row,) = await self.tx.fetch(
            "SELECT COALESCE(SUM(CASE WHEN place = 0 THEN 1 ELSE 0 END), 0) AS jobs, "
            f"COALESCE(SUM(CASE WHEN {_SENT} THEN 1 ELSE 0 END), 0) AS finished, "
            "COALESCE(SUM(CASE WHEN state = 'settled' AND pictures > 0 THEN 1 ELSE 0 END), 0) "
            "AS succeeded, "
            "CAST(COALESCE(SUM(CASE WHEN closed_at IS NULL THEN held ELSE 0 END), 0) AS BIGINT) "
            f"AS pending FROM charge WHERE {_IN_STRETCH}",
            *self._within(stretch),
        )
        return Outcomes(
            jobs=row.integer("jobs"),
            finished=row.integer("finished"),
            succeeded=row.integer("succeeded"),
            pending=row.integer("pending"),
        )

    def whole_days(self, stretch: Stretch) -> Labels | None:
        """Return the days that lie in a stretch as a whole; None when there are none."""
        return self._cut(stretch)[1]

    async def _rolled_up(self, stretch: Stretch, group: Group) -> list[Row] | None:
        """Read a roll-up; None when none has what is asked for."""
        if group is Group.MEMBER:
            months = whole(Window.MONTH, stretch, self.zones)
            if months is None:
                return None
            # A month at a time follows the table's own order, so that only the months' sums are
            # gathered by member.
            return await self.tx.fetch(
                f"SELECT {_ALIVE} AS key, {_ROLLED_SUMS} FROM ("
                f"SELECT user_id, {_ROLLED_SUMS} FROM usage_month "
                "WHERE guild_id = $1 AND month >= $2 AND month <= $3 GROUP BY month, user_id"
                ") AS months GROUP BY 1 HAVING SUM(charges) <> 0",
                *(self.guild_id, months.first, months.last),
            )
        days = whole(Window.DAY, stretch, self.zones)
        if days is None or group not in {Group.DAY, Group.MODEL}:
            return None
        return await self.tx.fetch(
            f"SELECT {group.value} AS key, {_ROLLED_SUMS} FROM usage_day "
            "WHERE guild_id = $1 AND day >= $2 AND day <= $3 "
            "GROUP BY 1 HAVING SUM(charges) <> 0",
            *(self.guild_id, days.first, days.last),
        )

    async def _raw(self, stretch: Stretch, group: Group) -> list[Row]:
        return await self.tx.fetch(
            f"SELECT {_RAW_KEYS[group]} AS key, {_RAW_SUMS} FROM charge "
            f"WHERE {_COUNTED} GROUP BY 1",
            *self._within(stretch),
        )

    def _within(self, stretch: Stretch) -> tuple[int, int, int]:
        return self.guild_id, stretch.start_ms, stretch.end_ms

    def _cut(self, stretch: Stretch) -> tuple[Stretch, Labels | None, Stretch]:
        """Cut a stretch into what comes before its first whole day, its days, and what is left."""
        first = window_at(Window.DAY, stretch.start_ms, self.zones)
        last = window_at(Window.DAY, stretch.end_ms, self.zones)
        from_ms = first.start_ms if first.start_ms == stretch.start_ms else first.end_ms
        if from_ms >= last.start_ms:
            return stretch, None, Stretch(stretch.end_ms, stretch.end_ms)
        return (
            Stretch(stretch.start_ms, from_ms),
            whole(Window.DAY, Stretch(from_ms, last.start_ms), self.zones),
            Stretch(last.start_ms, stretch.end_ms),
        )


def _part(row: Row, group: Group) -> Part:
    key = row.text("key") if group in _TEXT_KEYS else row.integer("key")
    return Part(key, _sums(row))


def _sums(row: Row) -> Sums:
    return Sums(row.integer("charges"), row.integer("pictures"), row.integer("spent"))
