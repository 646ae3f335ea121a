"""What people want where a command does not say, and which models they and their guilds use.

Owns the table `preference`. Which of it holds for a job is decided by `bot.preferences`.
"""

from typing import Final

from msgspec import Struct

from bot.clock import Clock
from bot.requests import NO_GUILD, OutputFormat, Quality
from bot.storage.rows import Row, Store, Tx
from bot.wishes import Wish, Wishes, WishValue

EVERYWHERE: Final = NO_GUILD
"""The guild of what holds wherever nothing else is set."""

_COLUMNS: Final = {
    Wish.MODEL: "model",
    Wish.SIZE: "size",
    Wish.QUALITY: "quality",
    Wish.FORMAT: "output_format",
    Wish.PRIVATE: "is_private",
}
_MOST_MODELS: Final = 25


class SetWishes(Struct, frozen=True):
    """What a person has set: in one guild, and everywhere."""

    here: Wishes
    everywhere: Wishes


class PreferenceStore:
    """The table, and what the jobs say. Every method may raise `LedgerUnavailable`."""

    def __init__(self, db: Store, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def get(self, user_id: int, guild_id: int) -> SetWishes:
        """Return what a person has set for a guild and for everywhere."""

        async def run(tx: Tx) -> SetWishes:
            rows = await tx.fetch(
                "SELECT * FROM preference WHERE user_id = $1 AND guild_id IN ($2, $3)",
                user_id,
                guild_id,
                EVERYWHERE,
            )
            found = {row.integer("guild_id"): _wishes(row) for row in rows}
            everywhere = found.get(EVERYWHERE, Wishes())
            here = Wishes() if guild_id == EVERYWHERE else found.get(guild_id, Wishes())
            return SetWishes(here, everywhere)

        return await self._db.read(run)

    async def set(self, user_id: int, guild_id: int, option: Wish, value: WishValue) -> None:
        """Set one option of a person's; None removes it. The others stay as they are."""
        column, now = _COLUMNS[option], self._clock.now_ms()
        stored = int(value) if isinstance(value, bool) else value

        async def run(tx: Tx) -> None:
            await tx.fetch(
                f"INSERT INTO preference (user_id, guild_id, {column}, changed_at) "
                "VALUES ($1, $2, $3, $4) ON CONFLICT (user_id, guild_id) "
                f"DO UPDATE SET {column} = excluded.{column}, changed_at = excluded.changed_at",
                user_id,
                guild_id,
                stored,
                now,
            )

        await self._db.write(run)

    async def clear(self, user_id: int, guild_id: int) -> None:
        """Remove all that a person has set for a guild, or for everywhere."""

        async def run(tx: Tx) -> None:
            await tx.fetch(
                "DELETE FROM preference WHERE user_id = $1 AND guild_id = $2", user_id, guild_id
            )

        await self._db.write(run)

    async def privacy(self) -> dict[tuple[int, int], bool]:
        """Return who has said, by person and guild, whether their results are private."""

        async def run(tx: Tx) -> dict[tuple[int, int], bool]:
            rows = await tx.fetch(
                "SELECT user_id, guild_id, is_private FROM preference WHERE is_private IS NOT NULL"
            )
            return {
                (row.integer("user_id"), row.integer("guild_id")): bool(row.integer("is_private"))
                for row in rows
            }

        return await self._db.read(run)

    async def used_by(self, user_id: int, *, jobs: int) -> list[str]:
        """Return the models of a person's newest pictures, newest first, repeated as used."""

        async def run(tx: Tx) -> list[str]:
            rows = await tx.fetch(
                "SELECT model FROM charge WHERE user_id = $1 "
                "ORDER BY created_at DESC, place LIMIT $2",
                user_id,
                jobs,
            )
            return [row.text("model") for row in rows]

        return await self._db.read(run)

    async def used_in(self, guild_id: int, *, since_day: str) -> list[str]:
        """Return the models that a guild has used most since a day (`2026-11-28`), best first."""

        async def run(tx: Tx) -> list[str]:
            rows = await tx.fetch(
                "SELECT name AS model FROM usage_day WHERE guild_id = $1 AND kind = 'model' "
                "AND day >= $2 GROUP BY name HAVING SUM(charges) > 0 "
                "ORDER BY SUM(charges) DESC, name LIMIT $3",
                guild_id,
                since_day,
                _MOST_MODELS,
            )
            return [row.text("model") for row in rows]

        return await self._db.read(run)


def _wishes(row: Row) -> Wishes:
    quality, kind = row.maybe_text("quality"), row.maybe_text("output_format")
    private = row.maybe_integer("is_private")
    return Wishes(
        model=row.maybe_text("model"),
        size=row.maybe_text("size"),
        quality=None if quality is None else Quality(quality),
        output_format=None if kind is None else OutputFormat(kind),
        private=None if private is None else bool(private),
    )
