"""From everything that is set to the limits that apply to one person, in one place, now.

A member's own limit is, for each window by itself: the override for them, else the most generous
of their roles', else the guild's default, else (for the day) the bot's. Everything pooled binds
everybody, admins and operators included. 0 is a limit.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from msgspec import Struct

from bot.money import Micros
from bot.quotas._limits import Limit, Scope, Target
from bot.quotas._windows import SPANS, Window, ZoneChange, window_at
from bot.requests import NO_GUILD, Actor

_SET: Final = (*SPANS, Window.IMAGE)
"""The windows that people can set limits for."""


class Defaults(Struct, frozen=True):
    """What holds where nobody has set anything; never unlimited. Micro-USD and jobs."""

    member_day: Micros = 500_000
    guild_month: Micros = 10_000_000
    bot_month: Micros = 25_000_000
    dm_day: Micros = 0
    open_jobs: int = 3


class Rule(Struct, frozen=True):
    """One limit as it was set."""

    target: Target
    window: Window
    amount: Micros
    role_id: int = 0
    """The role that it is for; 0 for other targets."""


class Grant(Struct, frozen=True):
    """`amount` extra for a member, in the windows that ran at `granted_ms` (epoch ms)."""

    amount: Micros
    granted_ms: int


class Rules(Struct, frozen=True):
    """Everything that is set and concerns one person in one place.

    `rules` has no rule of another member, channel or guild; those of roles may be of any.
    """

    defaults: Defaults
    rules: tuple[Rule, ...] = ()
    grants: tuple[Grant, ...] = ()
    zones: tuple[ZoneChange, ...] = ()
    """Every time zone that the guild has had."""
    blocked: str | None = None
    """Why the member is blocked in this guild; None when they are not."""
    paused: Scope | None = None
    """`Scope.GUILD` or `Scope.BOT`: where nothing new is made."""
    confirm_above: Micros | None = None
    """Dearer jobs ask before anything is held."""
    policy_version: int = 0
    """How often the guild's rules on models were changed."""


def limits_for(rules: Rules, actor: Actor, *, now_ms: int) -> tuple[Limit, ...]:
    """Return every limit that applies to `actor` now.

    At most one for each scope and window. Those of `Window.IMAGE` judge the highest price of one
    picture and are no counters; that of `Window.OPEN` counts jobs.
    """
    in_guild = actor.guild_id != NO_GUILD
    limits = [*_members(rules, actor, now_ms)] if in_guild else [*_outside(rules)]
    if in_guild:
        limits += _set(rules, Scope.CHANNEL, (Target.CHANNEL,))
        limits += _set(rules, Scope.GUILD, (Target.GUILD,))
        month = {Window.MONTH: rules.defaults.guild_month}
        limits += _set(rules, Scope.CEILING, (Target.CEILING, Target.ANY_GUILD), month)
    limits += _set(rules, Scope.PERSON, (Target.PERSON,))
    limits += _set(rules, Scope.BOT, (Target.BOT,), {Window.MONTH: rules.defaults.bot_month})
    return tuple(limits)


def _outside(rules: Rules) -> Iterator[Limit]:
    """The limits of one person outside guilds."""
    yield from _set(rules, Scope.DM, (Target.DM,), {Window.DAY: rules.defaults.dm_day})
    yield Limit(Scope.DM, Window.OPEN, rules.defaults.open_jobs)


def _members(rules: Rules, actor: Actor, now_ms: int) -> Iterator[Limit]:
    """A member's own limits, with what they were granted."""
    default = {Window.DAY: rules.defaults.member_day}
    for window in _SET:
        found = _own(rules, window, actor.role_ids)
        if found is not None:
            role_id = found.role_id or None
            yield _granted(
                Limit(Scope.MEMBER, window, found.amount, role_id, found.target), rules, now_ms
            )
        elif window in default:
            yield _granted(Limit(Scope.MEMBER, window, default[window]), rules, now_ms)
    yield Limit(Scope.MEMBER, Window.OPEN, rules.defaults.open_jobs)


def _own(rules: Rules, window: Window, role_ids: Collection[int]) -> Rule | None:
    """The rule that a member's own limit for `window` comes from."""
    set_here = [rule for rule in rules.rules if rule.window is window]
    for rule in set_here:
        if rule.target is Target.MEMBER:
            return rule
    held = [r for r in set_here if r.target is Target.ROLE and r.role_id in role_ids]
    if held:
        return max(held, key=lambda rule: (rule.amount, -rule.role_id))
    return next((rule for rule in set_here if rule.target is Target.DEFAULT), None)


def _granted(limit: Limit, rules: Rules, now_ms: int) -> Limit:
    """Add what was granted within the running window; a price is no window."""
    if limit.window is Window.IMAGE or not rules.grants:
        return limit
    bounds = window_at(limit.window, now_ms, rules.zones)
    extra = sum(
        grant.amount
        for grant in rules.grants
        if bounds.start_ms <= grant.granted_ms < bounds.end_ms
    )
    return Limit(
        limit.scope, limit.window, limit.amount + extra, limit.role_id, limit.source, extra
    )


def _set(
    rules: Rules,
    scope: Scope,
    targets: tuple[Target, ...],
    default: Mapping[Window, Micros] | None = None,
) -> Iterator[Limit]:
    """The limits of a scope: for each window by the first of `targets` that has one."""
    by_key = {(rule.target, rule.window): rule for rule in rules.rules}
    for window in _SET:
        found = None
        if by_key:  # almost nobody has set anything, and every job asks
            found = next((by_key[t, window] for t in targets if (t, window) in by_key), None)
        if found is not None:
            yield Limit(scope, window, found.amount, source=found.target)
        elif default is not None and window in default:
            yield Limit(scope, window, default[window])
