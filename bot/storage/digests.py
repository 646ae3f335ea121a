"""Which guilds want a digest, where, and how far it has come. When one is due: `bot.digests`.

A digest is claimed here before it is posted: `covered_until` goes on, and `claim_id` says that it
is not known yet what became of it. Of many processes that try, one gets the claim.
"""

from functools import partial

from msgspec import Struct

from bot.clock import Clock
from bot.ids import make_id
from bot.quotas import Window, ZoneChange
from bot.storage._audit import Change, record_change
from bot.storage._today import read_zones
from bot.storage.policy_models import Kind
from bot.storage.rows import Row, Store, Tx, first


class Claim(Struct, frozen=True):
    """A digest that somebody has begun to post, and of which nobody knows yet that it is there."""

    id: int
    since_ms: int
    covered_before_ms: int
    """How far everything was covered before it."""


class SetDigest(Struct, frozen=True):
    """What a guild has set, and how far it has come."""

    guild_id: int
    window: Window
    channel_id: int
    set_by: int | None
    """None once erased."""
    covered_ms: int
    """Until when everything is reported, or was not wanted yet."""
    reported_ms: int | None
    """The end of the latest period that was posted, or may have been."""
    claim: Claim | None
    lost_label: str | None
    """An earlier period of which nobody knows whether its digest was posted."""
    is_troubled: bool
    """It can't be posted there, and those who mind the guild have been told."""
    try_ms: int
    """Not before that."""
    zones: tuple[ZoneChange, ...]


class DigestStore:
    """Keeps digests. Every method may raise `LedgerUnavailable`."""

    def __init__(self, db: Store, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def set(self, guild_id: int, window: Window, channel_id: int, *, by: int) -> None:
        """Have digests posted from the running window on, or go on in another channel."""
        await self._db.write(partial(self._set, guild_id, window, channel_id, by))

    async def _set(self, guild_id: int, window: Window, channel_id: int, by: int, tx: Tx) -> None:
        now = self._clock.now_ms()
        before = await _lock(tx, guild_id)
        # What ended before another kind was wanted was not wanted. A claim is forgotten with the
        # channel that it was for: posted in a second one, it might be there twice.
        await tx.fetch(
            "INSERT INTO digest "
            "(guild_id, period, channel_id, set_by, set_at, covered_until, try_at) "
            "VALUES ($1, $2, $3, $4, $5, $5, 0) ON CONFLICT (guild_id) DO UPDATE "
            "SET covered_until = CASE WHEN digest.period = excluded.period "
            "THEN digest.covered_until ELSE excluded.covered_until END, "
            "period = excluded.period, channel_id = excluded.channel_id, set_by = excluded.set_by, "
            "set_at = excluded.set_at, "
            "claim_id = NULL, claimed_at = NULL, covered_before = NULL, troubled_at = NULL, "
            "try_at = 0",
            *(guild_id, window.value, channel_id, by, now),
        )
        change = Change(Kind.DIGEST, guild_id, by)
        after = _told(window.value, channel_id)
        if after != before:
            await record_change(tx, change, before=before, after=after, clock=self._clock)

    async def remove(self, guild_id: int, *, by: int) -> bool:
        """Have no more digests posted; False when there were none."""
        return await self._db.write(partial(self._remove, guild_id, by))

    async def _remove(self, guild_id: int, by: int, tx: Tx) -> bool:
        before = await _lock(tx, guild_id)
        if before is None:
            return False
        await tx.fetch("DELETE FROM digest WHERE guild_id = $1", guild_id)
        change = Change(Kind.DIGEST, guild_id, by)
        await record_change(tx, change, before=before, after=None, clock=self._clock)
        return True

    async def get(self, guild_id: int) -> SetDigest | None:
        """Return what one guild has set."""

        async def run(tx: Tx) -> SetDigest | None:
            row = await first(tx, "SELECT * FROM digest WHERE guild_id = $1", guild_id)
            return None if row is None else _digest(row, await read_zones(tx, guild_id))

        return await self._db.read(run)

    async def all(self) -> list[SetDigest]:
        """Return every guild's, with its time zones."""
        return await self._db.read(_read_all)

    async def cover(self, digest: SetDigest, until_ms: int) -> None:
        """Go on without a digest, since there was nothing to report; or back, with the clock."""

        async def run(tx: Tx) -> None:
            await tx.fetch(
                "UPDATE digest SET covered_until = $3 "
                "WHERE guild_id = $1 AND covered_until = $2 AND claim_id IS NULL",
                *(digest.guild_id, digest.covered_ms, until_ms),
            )

        await self._db.write(run)

    async def claim(self, digest: SetDigest, end_ms: int) -> Claim | None:
        """Become the one who posts the digest of what ended at `end_ms`; None: another one is."""
        claim = Claim(make_id(self._clock), self._clock.now_ms(), digest.covered_ms)

        async def run(tx: Tx) -> bool:
            rows = await tx.fetch(
                "UPDATE digest SET claim_id = $5, claimed_at = $6, covered_until = $7, "
                "reported_until = $7, covered_before = $2 "
                "WHERE guild_id = $1 AND covered_until = $2 AND period = $3 AND channel_id = $4 "
                "AND claim_id IS NULL RETURNING guild_id",
                digest.guild_id,
                digest.covered_ms,
                digest.window.value,
                digest.channel_id,
                claim.id,
                claim.since_ms,
                end_ms,
            )
            return bool(rows)

        return claim if await self._db.write(run) else None

    async def posted(self, guild_id: int, claim: Claim) -> None:
        """It is there."""
        await self._end(guild_id, claim, "lost_label = NULL, troubled_at = NULL, try_at = 0")

    async def lost(self, guild_id: int, claim: Claim, label: str) -> None:
        """Nobody knows whether it is there: it is never posted again, and told by the next one."""
        await self._end(guild_id, claim, "lost_label = $3", label)

    async def refused(self, guild_id: int, claim: Claim, *, try_ms: int) -> bool:
        """It can't be posted, and certainly is not there; whether that is to be told of now.

        Whoever has told it calls `told`; where nobody could be, the next time is told.
        """

        async def run(tx: Tx) -> bool:
            found = await first(
                tx,
                "UPDATE digest SET claim_id = NULL, claimed_at = NULL, "
                "covered_until = covered_before, reported_until = covered_before, "
                "covered_before = NULL, try_at = $3 "
                "WHERE guild_id = $1 AND claim_id = $2 RETURNING troubled_at",
                guild_id,
                claim.id,
                try_ms,
            )
            return found is not None and found.maybe_integer("troubled_at") is None

        return await self._db.write(run)

    async def told(self, guild_id: int, channel_id: int) -> None:
        """Those who mind the guild know that it can't be posted in a channel."""
        now = self._clock.now_ms()

        async def run(tx: Tx) -> None:
            await tx.fetch(
                "UPDATE digest SET troubled_at = $3 WHERE guild_id = $1 AND channel_id = $2",
                *(guild_id, channel_id, now),
            )

        await self._db.write(run)

    async def _end(self, guild_id: int, claim: Claim, changes: str, *values: str) -> None:
        async def run(tx: Tx) -> None:
            await tx.fetch(
                "UPDATE digest SET claim_id = NULL, claimed_at = NULL, covered_before = NULL, "
                f"{changes} WHERE guild_id = $1 AND claim_id = $2",
                guild_id,
                claim.id,
                *values,
            )

        await self._db.write(run)


async def _lock(tx: Tx, guild_id: int) -> str | None:
    """Keep others out until this change is done, and return what is set, for the trail."""
    await tx.fetch(
        "INSERT INTO guild (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = excluded.id",
        guild_id,
    )
    row = await first(tx, "SELECT period, channel_id FROM digest WHERE guild_id = $1", guild_id)
    return None if row is None else _told(row.text("period"), row.integer("channel_id"))


def _told(period: str, channel_id: int) -> str:
    return f"{period} {channel_id}"


async def _read_all(tx: Tx) -> list[SetDigest]:
    zones: dict[int, list[ZoneChange]] = {}
    for row in await tx.fetch(
        "SELECT guild_id, changed_at, zone FROM guild_zone "
        "WHERE guild_id IN (SELECT guild_id FROM digest) ORDER BY guild_id, changed_at"
    ):
        change = ZoneChange(row.integer("changed_at"), row.text("zone"))
        zones.setdefault(row.integer("guild_id"), []).append(change)
    rows = await tx.fetch("SELECT * FROM digest ORDER BY guild_id")
    return [_digest(row, zones.get(row.integer("guild_id"), [])) for row in rows]


def _digest(row: Row, zones: list[ZoneChange]) -> SetDigest:
    claim_id, set_by = row.maybe_integer("claim_id"), row.integer("set_by")
    claim = None
    if claim_id is not None:
        claim = Claim(claim_id, row.integer("claimed_at"), row.integer("covered_before"))
    return SetDigest(
        guild_id=row.integer("guild_id"),
        window=Window(row.text("period")),
        channel_id=row.integer("channel_id"),
        set_by=set_by if set_by > 0 else None,  # below: a tombstone
        covered_ms=row.integer("covered_until"),
        reported_ms=row.maybe_integer("reported_until"),
        claim=claim,
        lost_label=row.maybe_text("lost_label"),
        is_troubled=row.maybe_integer("troubled_at") is not None,
        try_ms=row.integer("try_at"),
        zones=tuple(zones),
    )
