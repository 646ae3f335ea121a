"""Read what is set for one person in one place: two statements, inside the hold's transaction.

So a rule, a block or a pause binds every hold that begins after its commit.
"""

from typing import Final

from bot.quotas import Defaults, Grant, Rule, Rules, Scope, Target, Window, ZoneChange
from bot.requests import NO_GUILD, Actor
from bot.storage._buckets import subject_of
from bot.storage.rows import Row, Tx

_RULES: Final = (
    "SELECT scope, subject, period, amount FROM spending_rule WHERE guild_id IN (0, $1) "
    "AND (scope NOT IN ('member', 'channel', 'person') OR subject IN ($2, $3, $4))"
)
_STATE: Final = (
    "SELECT 'zone' AS kind, 0 AS number, changed_at AS at, zone AS told "
    "FROM guild_zone WHERE guild_id = $1 "
    "UNION ALL SELECT 'grant', amount, granted_at, '' "
    "FROM spending_grant WHERE guild_id = $1 AND subject = $2 "
    "UNION ALL SELECT 'block', 0, blocked_at, reason "
    "FROM blocked_member WHERE guild_id = $1 AND subject = $2 "
    "UNION ALL SELECT 'guild', confirm_above, paused_at, CAST(policy_version AS TEXT) "
    "FROM guild WHERE id = $1 "
    "UNION ALL SELECT 'bot', 0, paused_at, '' FROM guild WHERE id = 0 AND $1 <> 0"
)
"""The bot's own pause is that of guild 0."""


async def read_rules(tx: Tx, actor: Actor, *, secret: bytes, defaults: Defaults) -> Rules:
    """Read everything that concerns `actor` where they are."""
    member = subject_of(secret, Scope.MEMBER, actor)
    set_rules = await tx.fetch(
        _RULES,
        actor.guild_id,
        member,
        str(actor.channel_id),
        subject_of(secret, Scope.PERSON, actor),
    )
    state: dict[str, list[Row]] = {}
    for row in await tx.fetch(_STATE, actor.guild_id, member):
        state.setdefault(row.text("kind"), []).append(row)
    (guild,) = state.get("guild") or (None,)
    (everywhere,) = state.get("bot") or (None,)
    (block,) = state.get("block") or (None,)
    paused = guild is not None and guild.maybe_integer("at") is not None
    stopped = everywhere is not None and everywhere.maybe_integer("at") is not None
    here = Scope.BOT if actor.guild_id == NO_GUILD else Scope.GUILD
    return Rules(
        defaults=defaults,
        rules=tuple(_rule(row) for row in set_rules),
        grants=tuple(Grant(r.integer("number"), r.integer("at")) for r in state.get("grant", ())),
        zones=tuple(ZoneChange(r.integer("at"), r.text("told")) for r in state.get("zone", ())),
        blocked=None if block is None else block.text("told"),
        paused=Scope.BOT if stopped else here if paused else None,
        confirm_above=None if guild is None else guild.maybe_integer("number"),
        policy_version=0 if guild is None else int(guild.text("told")),
    )


def _rule(row: Row) -> Rule:
    target = Target(row.text("scope"))
    role_id = int(row.text("subject")) if target is Target.ROLE else 0
    return Rule(target, Window(row.text("period")), row.integer("amount"), role_id)
