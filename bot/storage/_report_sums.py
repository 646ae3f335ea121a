"""Adding up a guild's charges: from the roll-ups where those suffice, else from the raw rows.

Both come to the same, to the micro-dollar. Roll-ups know whole days and whole months only.
"""

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Final, TypeAlias

from msgspec import Struct

from bot.quotas import Window, ZoneChange, window_at
from bot.storage._charges import OUTCOMES, SUMS
from bot.storage.report_models import Group, Outcomes, Part, Stretch, Sums
from bot.storage.rows import Row, Tx

_PlainRows: TypeAlias = list[tuple[object, ...]]
"""Of a key and `SUMS`."""
_KEY: Final = 0
_SPENT: Final = 3
_ALIVE: Final = "CASE WHEN user_id < 0 THEN 0 ELSE user_id END"
"""Tombstones are negative: the erased are one line, as there is nothing to tell them apart by."""
_RAW_KEYS: Final = {
    Group.MEMBER: _ALIVE,
    Group.ROLE: "COALESCE(limit_role, 0)",
    Group.MODEL: "model",
    Group.CHANNEL: "CASE WHEN guild_id = 0 THEN 0 ELSE channel_id END",
    Group.COMMAND: "command",
    Group.DAY: "(SELECT day_label FROM job WHERE job.id = job_id)",
}
_DAYS: Final = "usage_day WHERE guild_id = $1 AND kind = $2 AND day >= $3 AND day <= $4"
_EVERYTHING: Final = Group.COMMAND.value
"""The kind of a day's rows that are the fewest, and add up to everything as each kind does."""
_ROLLED_KEYS: Final = {
    Group.ROLE: "CAST(name AS BIGINT)",
    Group.MODEL: "name",
    Group.CHANNEL: "CAST(name AS BIGINT)",
    Group.COMMAND: "name",
    Group.DAY: "day",
}
_TEXT_KEYS: Final = frozenset({Group.MODEL, Group.COMMAND, Group.DAY})
_RAW_SUMS: Final = (
    "COUNT(*) AS charges, CAST(COALESCE(SUM(pictures), 0) AS BIGINT) AS pictures, "
    "CAST(COALESCE(SUM(actual), 0) AS BIGINT) AS spent"
)


def _added(names: Sequence[str]) -> str:
    """Write the sums of a roll-up's columns."""
    return ", ".join(f"CAST(COALESCE(SUM({name}), 0) AS BIGINT) AS {name}" for name in names)


_ROLLED_SUMS: Final = _added(SUMS)
_MEMBERS_OF_A_MONTH: Final = (
    f"SELECT user_id AS key, {', '.join(SUMS)} FROM usage_month "
    "WHERE guild_id = $1 AND month = $2 AND user_id > 0 AND charges <> 0 UNION ALL "
    f"SELECT 0, {_ROLLED_SUMS} FROM usage_month "
    "WHERE guild_id = $1 AND month = $2 AND user_id <= 0 GROUP BY guild_id HAVING SUM(charges) <> 0"
)
"""Of what most reports are about there is one row a member: only the erased are to be added up."""
_IN_STRETCH: Final = "guild_id = $1 AND created_at >= $2 AND created_at < $3"
_COUNTED: Final = f"{_IN_STRETCH} AND actual IS NOT NULL"
_SENT: Final = "closed_at IS NOT NULL AND NOT (state = 'released' AND prior_state = 'held')"
_RAW_OUTCOMES: Final = (
    "COALESCE(SUM(CASE WHEN place = 0 AND "
    "(SELECT open_charges FROM job WHERE job.id = job_id) = 0 THEN 1 ELSE 0 END), 0) AS jobs, "
    f"COALESCE(SUM(CASE WHEN {_SENT} THEN 1 ELSE 0 END), 0) AS finished, "
    "COALESCE(SUM(CASE WHEN state = 'settled' AND pictures > 0 THEN 1 ELSE 0 END), 0) AS succeeded"
)
_ROLLED_OUTCOMES: Final = _added(OUTCOMES)


class Labels(Struct, frozen=True):
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


class Adder(Struct, frozen=True):
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
        rows.sort(key=itemgetter(_KEY))
        if group is not Group.DAY:
            rows.sort(key=itemgetter(_SPENT), reverse=True)
        return tuple(_parts(rows, str if group in _TEXT_KEYS else int))

    async def total(self, stretch: Stretch) -> Sums:
        """Return the sums of everything: whole days from the roll-up, the rest from raw rows."""
        days, rests = self._cut(stretch)
        sums = Sums()
        if days is not None:
            (row,) = await self.tx.fetch(
                f"SELECT {_ROLLED_SUMS} FROM {_DAYS}", *self._of(_EVERYTHING, days)
            )
            sums += _sums(row)
        for rest in rests:
            (row,) = await self.tx.fetch(
                f"SELECT {_RAW_SUMS} FROM charge WHERE {_COUNTED}", *self._within(rest)
            )
            sums += _sums(row)
        return sums

    async def outcomes(self, stretch: Stretch) -> Outcomes:
        """Return what became of everything: whole days from the roll-up, and what is open."""
        days, rests = self._cut(stretch)
        # The pluses keep the planners to the index of what is open, which is short.
        (row,) = await self.tx.fetch(
            "SELECT COUNT(DISTINCT CASE WHEN state <> 'unknown' THEN job_id END) AS jobs, "
            "CAST(COALESCE(SUM(held), 0) AS BIGINT) AS pending FROM charge WHERE closed_at IS NULL "
            "AND +guild_id = $1 AND +created_at >= $2 AND +created_at < $3",
            *self._within(stretch),
        )
        outcomes = Outcomes(row.integer("jobs"), pending=row.integer("pending"))
        if days is not None:
            (row,) = await self.tx.fetch(
                f"SELECT {_ROLLED_OUTCOMES} FROM {_DAYS}", *self._of(_EVERYTHING, days)
            )
            outcomes += _outcomes(row)
        for rest in rests:
            (row,) = await self.tx.fetch(
                f"SELECT {_RAW_OUTCOMES} FROM charge WHERE {_IN_STRETCH}", *self._within(rest)
            )
            outcomes += _outcomes(row)
        return outcomes

    def whole_days(self, stretch: Stretch) -> Labels | None:
        """Return the days that lie in a stretch as a whole; None when there are none."""
        return self._cut(stretch)[0]

    async def _rolled_up(self, stretch: Stretch, group: Group) -> _PlainRows | None:
        """Read a roll-up; None when none has what is asked for."""
        if group is Group.MEMBER:
            months = whole(Window.MONTH, stretch, self.zones)
            if months is None:
                return None
            if months.first == months.last:
                return await self.tx.fetch_tuples(_MEMBERS_OF_A_MONTH, self.guild_id, months.first)
            return await self.tx.fetch_tuples(
                f"SELECT {_ALIVE} AS key, {_ROLLED_SUMS} FROM usage_month "
                "WHERE guild_id = $1 AND month >= $2 AND month <= $3 "
                "GROUP BY 1 HAVING SUM(charges) <> 0",
                *(self.guild_id, months.first, months.last),
            )
        days = whole(Window.DAY, stretch, self.zones)
        if days is None:
            return None
        return await self.tx.fetch_tuples(
            f"SELECT {_ROLLED_KEYS[group]} AS key, {_ROLLED_SUMS} FROM {_DAYS} "
            "GROUP BY 1 HAVING SUM(charges) <> 0",
            *self._of(_EVERYTHING if group is Group.DAY else group.value, days),
        )

    async def _raw(self, stretch: Stretch, group: Group) -> _PlainRows:
        return await self.tx.fetch_tuples(
            f"SELECT {_RAW_KEYS[group]} AS key, {_RAW_SUMS} FROM charge "
            f"WHERE {_COUNTED} GROUP BY 1",
            *self._within(stretch),
        )

    def _within(self, stretch: Stretch) -> tuple[int, int, int]:
        return self.guild_id, stretch.start_ms, stretch.end_ms

    def _of(self, kind: str, days: Labels) -> tuple[int, str, str, str]:
        return self.guild_id, kind, days.first, days.last

    def _cut(self, stretch: Stretch) -> tuple[Labels | None, list[Stretch]]:
        """Cut a stretch into its whole days, and what is left before and after them."""
        if stretch.start_ms >= stretch.end_ms:
            return None, []
        first = window_at(Window.DAY, stretch.start_ms, self.zones)
        last = window_at(Window.DAY, stretch.end_ms, self.zones)
        from_ms = first.start_ms if first.start_ms == stretch.start_ms else first.end_ms
        if from_ms >= last.start_ms:
            return None, [stretch]
        rests = (Stretch(stretch.start_ms, from_ms), Stretch(last.start_ms, stretch.end_ms))
        return (
            whole(Window.DAY, Stretch(from_ms, last.start_ms), self.zones),
            [rest for rest in rests if rest.start_ms < rest.end_ms],
        )


def _parts(rows: _PlainRows, of_key: type[int] | type[str]) -> Iterator[Part]:
    for key, charges, pictures, spent in rows:
        if not (
            isinstance(key, of_key)
            and isinstance(charges, int)
            and isinstance(pictures, int)
            and isinstance(spent, int)
        ):
            raise TypeError(f"sums hold something else than a key and numbers: {key!r}")
        yield Part(key, Sums(charges, pictures, spent))


def _sums(row: Row) -> Sums:
    return Sums(row.integer("charges"), row.integer("pictures"), row.integer("spent"))


def _outcomes(row: Row) -> Outcomes:
    return Outcomes(row.integer("jobs"), row.integer("finished"), row.integer("succeeded"))
