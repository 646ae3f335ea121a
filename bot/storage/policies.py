"""The rules that people set: who may spend how much, where, and who is blocked or paused.

Every change and its line in the audit trail commit together. Whoever calls has checked that the
person may make it. What the rules mean is `bot.quotas`; holds read them by `_rules`.
"""

from functools import partial

from bot.clock import Clock
from bot.errors import InvalidOption
from bot.ids import make_id
from bot.money import MAX_MICROS, Micros
from bot.quotas import UTC_ZONE, Defaults, Scope, Target, Window, ZoneChange, known_zones, window_at
from bot.requests import NO_GUILD, Actor
from bot.storage._alert_claims import give_back, mark_told, renew, untold
from bot.storage._audit import Change, read_trail, record_change
from bot.storage._buckets import subject_of
from bot.storage._budgets import Watch
from bot.storage._spikes import SpikeWatch
from bot.storage._standing import Question, read_standing
from bot.storage._today import read_zones
from bot.storage.policy_models import (
    BlockedMember,
    Crossing,
    GuildConfig,
    Kind,
    Option,
    SetLimit,
    Spike,
    Standing,
    Trail,
    TrailPage,
    Who,
)
from bot.storage.rows import Row, Store, Tx, first


class Policies:
    """Reads and changes rules. Every method may raise `LedgerUnavailable`.

    `guild_id` is always the guild in which the command was typed, or `NO_GUILD` for the operator's
    rules for everywhere; `by` is the user who changes something.
    """

    def __init__(self, db: Store, *, clock: Clock, secret: bytes, defaults: Defaults) -> None:
        """`secret` and `defaults`: the same as the ledger's."""
        self._db = db
        self._clock = clock
        self._secret = secret
        self._defaults = defaults

    @property
    def defaults(self) -> Defaults:
        """What holds where nobody has set anything."""
        return self._defaults

    async def set_limit(
        self, who: Who, window: Window, amount: Micros | None, *, by: int
    ) -> Micros | None:
        """Set a limit, or remove it (None); returns what was set before.

        Raises:
            ValueError: an amount beyond reason, or a window or target that has no such limit.
        """
        _check(who, window, amount)
        return await self._db.write(partial(self._set_limit, who, window, amount, by))

    async def _set_limit(
        self, who: Who, window: Window, amount: Micros | None, by: int, tx: Tx
    ) -> Micros | None:
        now = self._clock.now_ms()
        subject = self._subject(who)
        await _lock_guild(tx, who.guild_id)
        key = (who.guild_id, who.target.value, subject, window.value)
        row = await first(
            tx,
            "SELECT amount FROM spending_rule "
            "WHERE guild_id = $1 AND scope = $2 AND subject = $3 AND period = $4",
            *key,
        )
        before = row.integer("amount") if row else None
        if before == amount:
            return before
        if amount is None:
            await tx.fetch(
                "DELETE FROM spending_rule "
                "WHERE guild_id = $1 AND scope = $2 AND subject = $3 AND period = $4",
                *key,
            )
        else:
            await tx.fetch(
                "INSERT INTO spending_rule (id, guild_id, scope, subject, period, user_id, amount, "
                "by_operator, set_by, set_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
                "ON CONFLICT (guild_id, scope, subject, period, by_operator) DO UPDATE "
                "SET amount = excluded.amount, set_by = excluded.set_by, set_at = excluded.set_at, "
                "user_id = excluded.user_id",
                make_id(self._clock),
                *key,
                who.id if who.target in _PEOPLE else None,
                amount,
                int(who.target.is_operators),
                by,
                now,
            )
        change = Change(Kind.LIMIT, who.guild_id, by, who=who, window=window)
        await record_change(tx, change, before=before, after=amount, clock=self._clock)
        return before

    async def limits(self, guild_id: int) -> list[SetLimit]:
        """List what is set for a guild, the operator's ceiling for it included.

        With `NO_GUILD`, the operator's rules for everywhere.
        """

        async def run(tx: Tx) -> list[SetLimit]:
            rows = await tx.fetch(
                "SELECT * FROM spending_rule WHERE guild_id = $1 ORDER BY scope, period, id",
                guild_id,
            )
            return [_set_limit(row) for row in rows]

        return await self._db.read(run)

    async def grant(
        self, guild_id: int, user_id: int, amount: Micros, *, reason: str, by: int
    ) -> None:
        """Give a member `amount` extra, once, in the windows that run now."""
        if not 0 < amount <= MAX_MICROS:
            raise ValueError(f"cannot grant {amount} micro-USD")
        await self._db.write(
            partial(self._grant, Who.member(guild_id, user_id), amount, reason, by)
        )

    async def _grant(self, who: Who, amount: Micros, reason: str, by: int, tx: Tx) -> None:
        await tx.fetch(
            "INSERT INTO spending_grant (id, guild_id, subject, user_id, amount, reason, "
            "granted_by, granted_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            make_id(self._clock),
            who.guild_id,
            self._subject(who),
            who.id,
            amount,
            reason,
            by,
            self._clock.now_ms(),
        )
        change = Change(Kind.GRANT, who.guild_id, by, who=who, reason=reason)
        await record_change(tx, change, before=None, after=amount, clock=self._clock)

    async def block(self, guild_id: int, user_id: int, *, reason: str, by: int) -> bool:
        """Block a member in this guild; False when they are blocked already."""
        return await self._db.write(partial(self._block, Who.member(guild_id, user_id), reason, by))

    async def _block(self, who: Who, reason: str, by: int, tx: Tx) -> bool:
        inserted = await tx.fetch(
            "INSERT INTO blocked_member (guild_id, subject, user_id, reason, blocked_by, "
            "blocked_at) VALUES ($1, $2, $3, $4, $5, $6) "
            "ON CONFLICT (guild_id, subject) DO NOTHING RETURNING guild_id",
            who.guild_id,
            self._subject(who),
            who.id,
            reason,
            by,
            self._clock.now_ms(),
        )
        if inserted:
            change = Change(Kind.BLOCK, who.guild_id, by, who=who, reason=reason)
            await record_change(tx, change, before="off", after="on", clock=self._clock)
        return bool(inserted)

    async def unblock(
        self, guild_id: int, user_id: int, *, by: int, by_operator: bool = False
    ) -> bool:
        """Lift a member's block in this guild; False when there is none.

        `by_operator`: it is not one of the guild's own managers who does it.
        """
        who = Who.member(guild_id, user_id)
        change = Change(Kind.BLOCK, guild_id, by, who=who, by_operator=by_operator)
        return await self._db.write(partial(self._unblock, who, change))

    async def _unblock(self, who: Who, change: Change, tx: Tx) -> bool:
        deleted = await tx.fetch(
            "DELETE FROM blocked_member WHERE guild_id = $1 AND subject = $2 RETURNING guild_id",
            who.guild_id,
            self._subject(who),
        )
        if deleted:
            await record_change(tx, change, before="on", after="off", clock=self._clock)
        return bool(deleted)

    async def blocked(self, guild_id: int) -> list[BlockedMember]:
        """List who is blocked in a guild, newest first."""

        async def run(tx: Tx) -> list[BlockedMember]:
            rows = await tx.fetch(
                "SELECT user_id, reason, blocked_by, blocked_at FROM blocked_member "
                "WHERE guild_id = $1 ORDER BY blocked_at DESC",
                guild_id,
            )
            return [
                BlockedMember(
                    row.maybe_integer("user_id"),
                    row.text("reason"),
                    row.integer("blocked_by"),
                    row.integer("blocked_at"),
                )
                for row in rows
            ]

        return await self._db.read(run)

    async def pause(self, guild_id: int, *, by: int) -> bool:
        """Take no new jobs in a guild (with `NO_GUILD`: anywhere); False when paused already."""
        return await self._db.write(partial(self._pause, guild_id, by, on=True))

    async def resume(self, guild_id: int, *, by: int) -> bool:
        """End a pause; False when there is none."""
        return await self._db.write(partial(self._pause, guild_id, by, on=False))

    async def _pause(self, guild_id: int, by: int, tx: Tx, *, on: bool) -> bool:
        await _lock_guild(tx, guild_id)
        changed = await tx.fetch(
            "UPDATE guild SET paused_at = $2, paused_by = $3 "
            f"WHERE id = $1 AND paused_at IS {'NULL' if on else 'NOT NULL'} RETURNING id",
            guild_id,
            self._clock.now_ms() if on else None,
            by if on else None,
        )
        if changed:
            before, after = ("off", "on") if on else ("on", "off")
            change = Change(Kind.PAUSE, guild_id, by)
            await record_change(tx, change, before=before, after=after, clock=self._clock)
        return bool(changed)

    async def configure(
        self, guild_id: int, option: Option, value: int | None, *, by: int
    ) -> int | None:
        """Set one option of a guild, or remove it (None); returns what was set before."""
        return await self._db.write(partial(self._configure, guild_id, option, value, by))

    async def _configure(
        self, guild_id: int, option: Option, value: int | None, by: int, tx: Tx
    ) -> int | None:
        await _lock_guild(tx, guild_id)
        (row,) = await tx.fetch(f"SELECT {option.value} FROM guild WHERE id = $1", guild_id)
        before = row.maybe_integer(option.value)
        if before != value:
            await tx.fetch(f"UPDATE guild SET {option.value} = $2 WHERE id = $1", guild_id, value)
            change = Change(Kind(option.value), guild_id, by)
            await record_change(tx, change, before=before, after=value, clock=self._clock)
        return before

    async def config(self, guild_id: int) -> GuildConfig:
        """Return what a guild has set for itself."""
        return await self._db.read(partial(_read_config, guild_id))

    async def set_timezone(self, guild_id: int, zone: str, *, by: int) -> int:
        """Choose the time zone (an IANA name) of a guild's days, weeks and months.

        Returns from when on its days follow it (epoch ms): from the end of the running day, so
        that nobody gets a fresh allowance by it; at once where nothing has been counted yet.

        Raises:
            InvalidOption: no such time zone.
        """
        if zone not in known_zones():
            raise InvalidOption(
                "timezone", zone, "a name such as Europe/Berlin or America/New_York"
            )
        return await self._db.write(partial(self._set_timezone, guild_id, zone, by))

    async def _set_timezone(self, guild_id: int, zone: str, by: int, tx: Tx) -> int:
        now = self._clock.now_ms()
        await _lock_guild(tx, guild_id)
        changes = await read_zones(tx, guild_id)
        counted = await first(
            tx,
            "SELECT id FROM bucket WHERE scope = 'guild' AND subject = $1 LIMIT 1",
            str(guild_id),
        )
        fresh = not changes and counted is None
        before = changes[-1].zone if changes else None
        if before != zone:
            await tx.fetch(
                "INSERT INTO guild_zone (guild_id, changed_at, zone, changed_by) "
                "VALUES ($1, $2, $3, $4) ON CONFLICT (guild_id, changed_at) "
                "DO UPDATE SET zone = excluded.zone, changed_by = excluded.changed_by",
                guild_id,
                0 if fresh else now,
                zone,
                by,
            )
            change = Change(Kind.TIMEZONE, guild_id, by)
            await record_change(tx, change, before=before, after=zone, clock=self._clock)
        return now if fresh else window_at(Window.DAY, now, changes).end_ms

    async def zones(self, guild_id: int) -> list[ZoneChange]:
        """Return every time zone that a guild has had, oldest first, for `window_at`."""
        return await self._db.read(lambda tx: read_zones(tx, guild_id))

    async def standing(self, actor: Actor, *, price: Micros = 0, count: int = 1) -> Standing:
        """Tell how every limit stands for `actor`, without spending anything.

        `price` is the highest price of one picture of the job in question, of `count` pictures.
        """
        question = Question(actor, price, count, self._clock.now_ms())
        return await self._db.read(
            lambda tx: read_standing(tx, question, secret=self._secret, defaults=self._defaults)
        )

    async def trail(self, wanted: Trail) -> TrailPage:
        """Read who changed which rule, newest first."""
        return await self._db.read(partial(read_trail, wanted))

    async def told(self, claimed: Crossing | Spike) -> None:
        """Write down that a threshold is told, or can't be: nobody claims it any more."""
        await self._db.write(
            partial(mark_told, claimed.bucket_id, claimed.percent, self._clock.now_ms())
        )

    async def renew(self, claimed: Crossing | Spike) -> bool:
        """Begin the ten minutes anew, once; False when they were over, and others tell it."""
        now_ms, since_ms = self._clock.now_ms(), claimed.claimed_ms
        return await self._db.write(
            partial(renew, claimed.bucket_id, claimed.percent, since_ms, now_ms)
        )

    async def untold(self) -> list[int]:
        """List jobs that reached thresholds which a process claimed, and did not tell in time."""
        return await self._db.read(partial(untold, self._clock.now_ms()))

    async def crossed(self, job_id: int) -> list[Crossing]:
        """Claim the thresholds of pooled budgets that a job has reached, each once a window.

        Whoever gets one has ten minutes to tell it, and to call `told` or `give_back`.
        """
        watch = Watch(job_id, self._clock.now_ms(), self._secret, self._defaults)
        if not await self._db.read(watch.find):
            return []
        return await self._db.write(watch.claim)

    async def spiked(self, job_id: int) -> Spike | None:
        """Claim that a job's member spends far more than usually today, once a day; likewise."""
        watch = SpikeWatch(job_id, self._clock.now_ms())
        if await self._db.read(watch.find) is None:
            return None
        return await self._db.write(watch.claim)

    async def give_back(self, claimed: Crossing | Spike) -> None:
        """Forget that something was claimed, because it could not be told; a later job may."""
        await self._db.write(partial(give_back, claimed.bucket_id, claimed.percent))

    def _subject(self, who: Who) -> str:
        """Name whom a rule is for; people by the keyed hash that their counters have."""
        match who.target:
            case Target.MEMBER:
                return subject_of(self._secret, Scope.MEMBER, Actor(who.id, who.guild_id, 0))
            case Target.PERSON:
                return subject_of(self._secret, Scope.PERSON, Actor(who.id, NO_GUILD, 0))
            case Target.ROLE | Target.CHANNEL:
                return str(who.id)
            case _:
                return ""


_PEOPLE = frozenset({Target.MEMBER, Target.PERSON})
_NAMED = frozenset({*_PEOPLE, Target.ROLE, Target.CHANNEL})
_IN_NO_GUILD = frozenset({Target.ANY_GUILD, Target.PERSON, Target.DM, Target.BOT})


def _check(who: Who, window: Window, amount: Micros | None) -> None:
    """Refuse what the rules have no meaning for; commands never ask for it."""
    if window is Window.OPEN:
        raise ValueError("open jobs are limited by a setting")
    if amount is not None and not 0 <= amount <= MAX_MICROS:
        raise ValueError(f"not an amount: {amount}")
    if (who.guild_id == NO_GUILD) is not (who.target in _IN_NO_GUILD):
        raise ValueError(f"a rule for {who.target} in guild {who.guild_id}")
    if bool(who.id) is not (who.target in _NAMED):
        raise ValueError(f"a rule for {who.target} with id {who.id}")


async def _lock_guild(tx: Tx, guild_id: int) -> None:
    """Make a guild's row, or keep others out of it until this change is done.

    Who changes a rule reads what it was before; of two that change one rule, the second must see
    what the first has made of it. (SQLite has one writer anyway.)
    """
    await tx.fetch(
        "INSERT INTO guild (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = excluded.id",
        guild_id,
    )


async def _read_config(guild_id: int, tx: Tx) -> GuildConfig:
    row = await first(tx, "SELECT * FROM guild WHERE id = $1", guild_id)
    zones = await read_zones(tx, guild_id)
    zone = zones[-1].zone if zones else UTC_ZONE
    if row is None:
        return GuildConfig(zone=zone)
    return GuildConfig(
        zone=zone,
        alert_channel=row.maybe_integer("alert_channel"),
        log_channel=row.maybe_integer("log_channel"),
        manager_role=row.maybe_integer("manager_role"),
        confirm_above=row.maybe_integer("confirm_above"),
        retention_days=row.maybe_integer("retention_days"),
        paused_ms=row.maybe_integer("paused_at"),
        paused_by=row.maybe_integer("paused_by"),
    )


def _set_limit(row: Row) -> SetLimit:
    target = Target(row.text("scope"))
    if target in _PEOPLE:
        subject_id = row.maybe_integer("user_id") or 0
    else:
        subject_id = int(row.text("subject") or 0)
    return SetLimit(
        who=Who(target, row.integer("guild_id"), subject_id),
        window=Window(row.text("period")),
        amount=row.integer("amount"),
        set_by=row.integer("set_by"),
        set_ms=row.integer("set_at"),
    )
