"""What setting a limit comes to: what really binds, who could raise it, how far a pool reaches."""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bot.money import MICROS_PER_USD, Micros, format_usd
from bot.quotas import Limit, Scope, Target, Window
from bot.requests import NO_GUILD, Actor
from bot.services import Services
from bot.storage import Standing, Who
from cogs.ui.limits import PER, amount_of, name_limit, who_can_raise
from cogs.ui.standing import stamp, tighter, whom

_SCOPES: Final = {
    Target.MEMBER: Scope.MEMBER,
    Target.ROLE: Scope.MEMBER,
    Target.DEFAULT: Scope.MEMBER,
    Target.CHANNEL: Scope.CHANNEL,
    Target.GUILD: Scope.GUILD,
    Target.CEILING: Scope.CEILING,
    Target.PERSON: Scope.PERSON,
    Target.DM: Scope.DM,
    Target.BOT: Scope.BOT,
}
_DAYS: Final = {Window.WEEK: 7, Window.MONTH: 30, Window.TOTAL: 30}
_CENT: Final = MICROS_PER_USD // 100


class Consequences(Struct, frozen=True):
    """What is said after a limit was set."""

    text: str
    daily: tuple[Who, Micros] | None = None
    """A pooled limit for the day that may be added, and a fair amount for it."""


class Setting(Struct, frozen=True):
    """A limit that has just been set (None: removed), and what was set before."""

    who: Who
    window: Window
    amount: Micros | None
    before: Micros | None
    role_ids: tuple[int, ...] = ()
    """Of the member whom it is for."""


async def consequences(services: Services, made: Setting, *, channel_id: int) -> Consequences:
    """Read how things stand now, and say what the setting comes to."""
    who = made.who
    actor = Actor(
        user_id=who.id if who.target in {Target.MEMBER, Target.PERSON} else 0,
        guild_id=who.guild_id,
        channel_id=who.id if who.target is Target.CHANNEL else channel_id,
        role_ids=(who.id,) if who.target is Target.ROLE else made.role_ids,
    )
    standing = await services.policies.standing(actor)
    lines = [_headline(made), *_binding(made, standing)]
    if made.window is Window.IMAGE and made.amount is not None:
        lines.append(_models(services, made.amount))
    lines += _full_days(made, standing)
    return Consequences("\n".join(lines), _daily(made, standing))


def _headline(made: Setting) -> str:
    person = whom(made.who, made.window)
    per = PER[made.window]
    was = "" if made.before is None else f" It was {format_usd(made.before)}."
    if made.amount is None:
        gone = "No limit of its own any more" if made.before is not None else "Nothing was set"
        return f"### {gone}\n**{per}** · {person}.{was}"
    kept = " Nothing has changed." if made.before == made.amount else was
    return f"### Set\n**{format_usd(made.amount)} {per}** · {person}.{kept}"


def _binding(made: Setting, standing: Standing) -> list[str]:
    """Which limit really binds, who could raise it, and how far it is used."""
    scope = _SCOPES.get(made.who.target)
    if scope is None:
        return ["It holds in every server for which `/operator guild` sets nothing else."]
    own = next(
        (h for h in standing.limits if h.limit.scope is scope and h.limit.window is made.window),
        None,
    )
    if own is None:
        return ["Nothing is limited by this now; the other limits go on."]
    lines = []
    if made.amount is None:
        lines.append(f"Now {amount_of(own.limit)} holds instead.")
    others = [h for h in standing.limits if h is not own and not _of_the_channel(made, h.limit)]
    if (first := tighter(own.limit, others)) is not None:
        told = name_limit(first).replace("your own limit", "each member's limit")
        lines.append(f"**But {told} ends first**, so that is what binds. {who_can_raise(first)}")
    else:
        lines.append("This is what binds: nothing tighter is set.")
    if own.used:
        since = "" if own.resets_at_ms is None else f", and a new one begins {stamp(own.ends_ms)}"
        lines.append(f"{format_usd(own.used)} of it is used already{since}.")
    if own.limit.amount == 0:
        lines.append("Nothing can be made within it, but with free models.")
    return lines


def _of_the_channel(made: Setting, limit: Limit) -> bool:
    """Whether a limit is only about the channel in which the command was typed."""
    return limit.scope is Scope.CHANNEL and made.who.target is not Target.CHANNEL


def _models(services: Services, amount: Micros) -> str:
    priced = [m for m in services.catalog.models if m.ceiling is not None]
    fitting = sum((m.ceiling or 0) <= amount for m in priced)
    return f"{fitting} of {len(priced)} models cost no more; the others are refused."


def _full_days(made: Setting, standing: Standing) -> list[str]:
    """How many days of members who use all of their own a pool holds."""
    each = _amount(standing, Scope.MEMBER, Window.DAY)
    if made.amount is None or made.window is Window.IMAGE or not each:
        return []
    if made.who.target in {Target.DEFAULT, Target.ROLE} and made.window is Window.DAY:
        pools = [h.limit for h in standing.limits if _is_pool(h.limit)]
    elif made.who.target in {Target.CHANNEL, Target.GUILD, Target.CEILING}:
        scope = _SCOPES[made.who.target]
        pools = [Limit(scope, made.window, made.amount)]
        narrower = [h for h in standing.limits if _is_pool(h.limit)]
        if (first := tighter(pools[0], narrower)) is not None and first.window is not Window.DAY:
            pools = [first]
    else:
        return []
    if not pools:
        return []
    pool = min(pools, key=lambda limit: limit.amount)
    days = f"**{pool.amount // each:,}** full member-days, for everybody together"
    return [f"{amount_of(pool)} at {format_usd(each)} a day: {days}."]


def _is_pool(limit: Limit) -> bool:
    """Whether it is a budget of the server that lasts longer than a day."""
    return limit.scope in {Scope.GUILD, Scope.CEILING} and limit.window in _DAYS


def _amount(standing: Standing, scope: Scope, window: Window) -> Micros | None:
    limits = (h.limit for h in standing.limits)
    return next((i.amount for i in limits if i.scope is scope and i.window is window), None)


def _daily(made: Setting, standing: Standing) -> tuple[Who, Micros] | None:
    """Propose a limit for the day where a pool could be emptied on its first one."""
    who = made.who
    if who.target not in {Target.CHANNEL, Target.GUILD} or who.guild_id == NO_GUILD:
        return None
    if made.window not in _DAYS or not made.amount:
        return None
    if _amount(standing, _SCOPES[who.target], Window.DAY) is not None:
        return None
    fair = -(-made.amount // _DAYS[made.window])
    return replace(who), -(-fair // _CENT) * _CENT
