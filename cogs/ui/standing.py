"""How limits stand, drawn: bars of what is left, when each begins anew, and which one binds."""

from collections.abc import Iterable
from typing import Final

from bot.money import format_usd
from bot.quotas import Headroom, Limit, Scope, Target, Window
from bot.storage import SetLimit, Standing, Who
from cogs.ui.limits import PER, amount_of, name_limit, who_can_raise

_BLOCKS: Final = 10
_ORDER: Final = (Window.IMAGE, Window.DAY, Window.WEEK, Window.MONTH, Window.TOTAL, Window.OPEN)
"""A limit of a later window is the tighter one whenever its amount is the smaller one."""

_WHOSE: Final = {
    Scope.MEMBER: "own",
    Scope.CHANNEL: "this channel",
    Scope.GUILD: "this server",
    Scope.CEILING: "this server, by the operator",
    Scope.DM: "outside this bot's servers",
    Scope.PERSON: "everywhere, by the operator",
    Scope.BOT: "everybody, by the operator",
}

_FOR: Final = {
    Target.MEMBER: "<@{id}>",
    Target.ROLE: "each holder of <@&{id}>",
    Target.DEFAULT: "each member",
    Target.CHANNEL: "everybody in <#{id}> together",
    Target.GUILD: "everybody in this server together",
    Target.CEILING: "everybody in the server together",
    Target.ANY_GUILD: "each server without a budget of its own",
    Target.PERSON: "<@{id}>, everywhere",
    Target.DM: "each person outside this bot's servers",
    Target.BOT: "everybody everywhere together",
}
_PRICE_FOR: Final = {
    Target.CHANNEL: "in <#{id}>",
    Target.GUILD: "in this server",
    Target.CEILING: "in the server",
    Target.DM: "outside this bot's servers",
    Target.BOT: "everywhere",
}
"""Where a price of one picture is not something that people spend together."""


def whom(who: Who, window: Window) -> str:
    """Say whom a rule is for, as its maker sees it."""
    named = _PRICE_FOR if window is Window.IMAGE and who.target in _PRICE_FOR else _FOR
    if who.target in {Target.MEMBER, Target.PERSON} and not who.id:
        return "somebody whose data was erased"
    return named[who.target].format(id=who.id)


def rule_line(rule: SetLimit) -> str:
    """Say what is set, in a line."""
    return f"**{format_usd(rule.amount)} {PER[rule.window]}** {whom(rule.who, rule.window)}"


def bar(left: int, whole: int) -> str:
    """Draw how much is left: full blocks are free. Only what is wholly free looks so."""
    blocks = 0 if whole <= 0 else min(left, whole) * _BLOCKS // whole
    if left > 0 and blocks == 0:
        blocks = 1
    return f"`{'█' * blocks}{'░' * (_BLOCKS - blocks)}`"


def stamp(at_ms: int) -> str:
    """A moment as Discord shows it in words, never before it has come."""
    return f"<t:{-(-at_ms // 1000)}:R>"


def state_line(state: Headroom) -> str:
    """Draw one limit: its bar, what is left, whose it is, and when it begins anew."""
    limit = state.limit
    whose = _source(limit)
    if limit.window is Window.IMAGE:
        return f"At most {format_usd(limit.amount)} for one picture · {whose}"
    if limit.window is Window.OPEN:
        return f"{state.left} of {limit.amount} jobs may still be started at once"
    line = (
        f"{bar(state.left, limit.amount)} {format_usd(state.left)} left of "
        f"{amount_of(limit)} · {whose}"
    )
    if state.resets_at_ms is not None:
        line += f" · new {stamp(state.resets_at_ms)}"
    return line


def _source(limit: Limit) -> str:
    named = _WHOSE[limit.scope]
    if limit.role_id is not None:
        named += f", with <@&{limit.role_id}>"
    if limit.granted:
        named += f", with {format_usd(limit.granted)} extra"
    return named


def state_lines(standing: Standing, *, everything: bool = False) -> list[str]:
    """Draw every limit that applies, the person's own first.

    The budget of the whole bot is the operator's affair, and is left out unless it is the one that
    binds, or `everything` is asked for.
    """
    binding = standing.binding
    shown = [
        state
        for state in standing.limits
        if everything or state.limit.scope is not Scope.BOT or state == binding
    ]
    shown.sort(key=_place)
    return [state_line(state) for state in shown]


def _place(state: Headroom) -> tuple[bool, int, int]:
    scopes, limit = tuple(Scope), state.limit
    return (limit.window is Window.OPEN, scopes.index(limit.scope), _ORDER.index(limit.window))


def binding_line(standing: Standing, *, of_other: bool = False) -> str:
    """Say which limit ends first for this person here, and who could raise it.

    `of_other`: whoever reads it is not the person whom it is about.
    """
    state = standing.binding
    if state is None:
        return "No limit applies."
    verb = "binds first" if state.fits else "stands in the way"
    name = name_limit(state.limit)
    if of_other:
        name = name.replace("your own", "their own").replace("for you", "for them")
    return f"**{_capital(name)}** {verb}. {who_can_raise(state.limit)}"


def tighter(own: Limit, others: Iterable[Headroom]) -> Limit | None:
    """Find the tightest limit that ends before `own` can, whatever is spent; None when it binds.

    Only what binds everybody whom `own` concerns counts: a member's limit says nothing of a pool.
    """
    before = [
        other.limit
        for other in others
        if other.limit.window is not Window.OPEN
        and _ORDER.index(other.limit.window) >= _ORDER.index(own.window)
        and other.limit.amount < own.amount
        and (other.limit.scope.is_pooled or not own.scope.is_pooled)
        and not (own.scope is Scope.GUILD and other.limit.scope is Scope.CHANNEL)
    ]
    return min(before, key=lambda limit: (limit.amount, _ORDER.index(limit.window)), default=None)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
