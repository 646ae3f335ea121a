"""What guilds set about models: lists, channels, private results, blocked phrases, the default.

Every change, its line in the audit trail and the guild's new `policy_version` commit together. What
the rules mean is `bot.policy`; that a job was judged by the latest is checked in the hold.
"""

from functools import partial
from typing import Final

from bot.clock import Clock
from bot.errors import InvalidOption
from bot.policy import Effect, ModelPolicy, ModelRule, Reach
from bot.storage._audit import Change, record_change
from bot.storage.policy_models import Kind, Who
from bot.storage.rows import Store, Transaction, Tx, Value, first

MOST_RULES: Final = 100
MOST_CHANNELS: Final = 100
MOST_PHRASES: Final = 200


class ModelPolicies:
    """Reads and changes what guilds set. Every method may raise `LedgerUnavailable`.

    `by` is the user who changes something; whoever calls has checked that they may. A change that
    changes nothing leaves no trace.
    """

    def __init__(self, db: Store, *, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def read(self, guild_id: int) -> ModelPolicy:
        """Return everything that a guild has set, as of one moment."""
        return await self._db.read(partial(_read, guild_id))

    async def add_rule(self, guild_id: int, rule: ModelRule, *, by: int) -> bool:
        """Add a line to a list; False when it is there already.

        Raises:
            InvalidOption: the guild has as many lines as it may have.
        """
        keys = {"guild_id": guild_id, **_columns(rule)}
        change = Change(Kind.MODELS, guild_id, by, who=_whom(guild_id, rule))
        adding = partial(self._add, "model_rule", keys, change, _told(rule), MOST_RULES)
        return await self._db.write(partial(self._changing, guild_id, adding))

    async def remove_rule(self, guild_id: int, rule: ModelRule, *, by: int) -> bool:
        """Remove a line from a list; False when there is none."""
        keys = {"guild_id": guild_id, **_columns(rule)}
        change = Change(Kind.MODELS, guild_id, by, who=_whom(guild_id, rule))
        removing = partial(self._remove, "model_rule", keys, change, _told(rule))
        return await self._db.write(partial(self._changing, guild_id, removing))

    async def add_channel(self, guild_id: int, channel_id: int, *, by: int) -> bool:
        """Let pictures be made in a channel; those that are not named are closed by the first.

        Raises:
            InvalidOption: the guild has named as many channels as it may.
        """
        keys: dict[str, Value] = {"guild_id": guild_id, "channel_id": channel_id}
        change = Change(Kind.CHANNELS, guild_id, by, who=Who.channel(guild_id, channel_id))
        adding = partial(self._add, "picture_channel", keys, change, "on", MOST_CHANNELS)
        return await self._db.write(partial(self._changing, guild_id, adding))

    async def remove_channel(self, guild_id: int, channel_id: int, *, by: int) -> bool:
        """Take a channel off that list; False when it is not on it."""
        keys: dict[str, Value] = {"guild_id": guild_id, "channel_id": channel_id}
        change = Change(Kind.CHANNELS, guild_id, by, who=Who.channel(guild_id, channel_id))
        removing = partial(self._remove, "picture_channel", keys, change, "on")
        return await self._db.write(partial(self._changing, guild_id, removing))

    async def clear_channels(self, guild_id: int, *, by: int) -> bool:
        """Let pictures be made everywhere; False when they may already."""

        async def clear(tx: Tx) -> bool:
            gone = await tx.fetch(
                "DELETE FROM picture_channel WHERE guild_id = $1 RETURNING channel_id", guild_id
            )
            if gone:
                before = ", ".join(sorted(str(row.integer("channel_id")) for row in gone))
                change = Change(Kind.CHANNELS, guild_id, by)
                await record_change(tx, change, before=before, after=None, clock=self._clock)
            return bool(gone)

        return await self._db.write(partial(self._changing, guild_id, clear))

    async def add_phrase(self, guild_id: int, phrase: str, *, by: int) -> bool:
        """Block a phrase in prompts; False when it is blocked already.

        Raises:
            InvalidOption: the guild has blocked as many phrases as it may.
        """
        keys: dict[str, Value] = {"guild_id": guild_id, "phrase": phrase}
        change = Change(Kind.BLOCKLIST, guild_id, by)
        adding = partial(self._add, "blocked_phrase", keys, change, phrase, MOST_PHRASES)
        return await self._db.write(partial(self._changing, guild_id, adding))

    async def remove_phrase(self, guild_id: int, phrase: str, *, by: int) -> bool:
        """Block a phrase no more; False when it is not blocked."""
        keys: dict[str, Value] = {"guild_id": guild_id, "phrase": phrase}
        change = Change(Kind.BLOCKLIST, guild_id, by)
        removing = partial(self._remove, "blocked_phrase", keys, change, phrase)
        return await self._db.write(partial(self._changing, guild_id, removing))

    async def allow_private(self, guild_id: int, *, allowed: bool, by: int) -> bool:
        """Let people ask for private results, or not; False when it is so already."""

        async def switch(tx: Tx) -> bool:
            changed = await tx.fetch(
                "UPDATE guild SET private_off = $2 WHERE id = $1 AND private_off <> $2 "
                "RETURNING id",
                guild_id,
                int(not allowed),
            )
            if changed:
                before, after = ("off", "on") if allowed else ("on", "off")
                change = Change(Kind.PRIVATE, guild_id, by)
                await record_change(tx, change, before=before, after=after, clock=self._clock)
            return bool(changed)

        return await self._db.write(partial(self._changing, guild_id, switch))

    async def set_default(self, guild_id: int, model_id: str | None, *, by: int) -> str | None:
        """Choose the guild's default model, or none; returns what it was before."""

        async def choose(tx: Tx) -> str | None:
            await _lock(tx, guild_id)
            (row,) = await tx.fetch("SELECT default_model FROM guild WHERE id = $1", guild_id)
            before = row.maybe_text("default_model")
            if before != model_id:
                await tx.fetch(
                    "UPDATE guild SET default_model = $2 WHERE id = $1", guild_id, model_id
                )
                change = Change(Kind.DEFAULT_MODEL, guild_id, by)
                await record_change(tx, change, before=before, after=model_id, clock=self._clock)
                await _raise_version(tx, guild_id)
            return before

        return await self._db.write(choose)

    async def _changing(self, guild_id: int, change: Transaction[bool], tx: Tx) -> bool:
        """Run a change with the guild's row locked; raise its version if it changed anything."""
        await _lock(tx, guild_id)
        changed = await change(tx)
        if changed:
            await _raise_version(tx, guild_id)
        return changed

    async def _add(
        self, table: str, keys: dict[str, Value], change: Change, told: str, most: int, tx: Tx
    ) -> bool:
        columns = {**keys, "set_by": change.by, "set_at": self._clock.now_ms()}
        marks = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
        inserted = await tx.fetch(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) "
            f"ON CONFLICT ({', '.join(keys)}) DO NOTHING RETURNING guild_id",
            *columns.values(),
        )
        if not inserted:
            return False
        (row,) = await tx.fetch(
            f"SELECT COUNT(*) AS many FROM {table} WHERE guild_id = $1", change.guild_id
        )
        if row.integer("many") > most:
            raise InvalidOption(change.what, told, f"at most {most} entries in all; remove some")
        await record_change(tx, change, before=None, after=told, clock=self._clock)
        return True

    async def _remove(
        self, table: str, keys: dict[str, Value], change: Change, told: str, tx: Tx
    ) -> bool:
        where = " AND ".join(f"{name} = ${number}" for number, name in enumerate(keys, 1))
        gone = await tx.fetch(
            f"DELETE FROM {table} WHERE {where} RETURNING guild_id", *keys.values()
        )
        if gone:
            await record_change(tx, change, before=told, after=None, clock=self._clock)
        return bool(gone)


async def _lock(tx: Tx, guild_id: int) -> None:
    """Make a guild's row, or keep others out of it until this change is done."""
    await tx.fetch(
        "INSERT INTO guild (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = excluded.id",
        guild_id,
    )


async def _raise_version(tx: Tx, guild_id: int) -> None:
    await tx.fetch("UPDATE guild SET policy_version = policy_version + 1 WHERE id = $1", guild_id)


def _columns(rule: ModelRule) -> dict[str, Value]:
    return {
        "reach": rule.reach.value,
        "subject_id": rule.subject_id,
        "effect": rule.effect.value,
        "pattern": rule.pattern,
    }


def _told(rule: ModelRule) -> str:
    return f"{rule.effect.value} {rule.pattern}"


def _whom(guild_id: int, rule: ModelRule) -> Who | None:
    match rule.reach:
        case Reach.ROLE:
            return Who.role(guild_id, rule.subject_id)
        case Reach.CHANNEL:
            return Who.channel(guild_id, rule.subject_id)
        case Reach.GUILD:
            return None


async def _read(guild_id: int, tx: Tx) -> ModelPolicy:
    guild = await first(
        tx,
        "SELECT policy_version, default_model, private_off, log_channel FROM guild WHERE id = $1",
        guild_id,
    )
    if guild is None:
        return ModelPolicy()
    told = ModelPolicy(
        version=guild.integer("policy_version"),
        private_allowed=not guild.integer("private_off"),
        default_model=guild.maybe_text("default_model"),
        log_channel=guild.maybe_integer("log_channel"),
    )
    if not told.version:
        return told  # nothing was ever set, which spares most guilds the rest
    rules = await tx.fetch("SELECT * FROM model_rule WHERE guild_id = $1", guild_id)
    channels = await tx.fetch(
        "SELECT channel_id FROM picture_channel WHERE guild_id = $1", guild_id
    )
    phrases = await tx.fetch(
        "SELECT phrase FROM blocked_phrase WHERE guild_id = $1 ORDER BY phrase", guild_id
    )
    found = (
        ModelRule(
            Reach(row.text("reach")),
            row.integer("subject_id"),
            Effect(row.text("effect")),
            row.text("pattern"),
        )
        for row in rules
    )
    return ModelPolicy(
        version=told.version,
        rules=tuple(sorted(found, key=lambda rule: rule.order)),
        channels=frozenset(row.integer("channel_id") for row in channels),
        private_allowed=told.private_allowed,
        default_model=told.default_model,
        blocked_phrases=tuple(row.text("phrase") for row in phrases),
        log_channel=told.log_channel,
    )
