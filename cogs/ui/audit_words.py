"""The trail of changed rules in words: who, when, what, from what to what.

People by mention, erased ones as somebody. In a guild's own trail the operator is only called so:
who that is, is nobody's business there.
"""

from typing import Final

from bot.money import format_usd
from bot.policy import Effect, ModelRule, Reach
from bot.quotas import UTC_ZONE, Target, Window
from bot.requests import NO_GUILD
from bot.storage import Kind, RuleChange, Who
from cogs.ui.limits import PER
from cogs.ui.policy_errors import rule_line
from cogs.ui.standing import whom
from cogs.ui.text import plain

SOMEBODY: Final = "somebody (erased)"
_MOST_NAME: Final = 100
_MOST_REASON: Final = 150

KINDS: Final = {
    Kind.LIMIT: "Limits",
    Kind.GRANT: "Grants",
    Kind.BLOCK: "Blocked people",
    Kind.PAUSE: "Pauses",
    Kind.TIMEZONE: "Time zone",
    Kind.MODELS: "Models",
    Kind.CHANNELS: "Channels of pictures",
    Kind.BLOCKLIST: "Blocked words",
    Kind.PRIVATE: "Private results",
    Kind.DEFAULT_MODEL: "Default model",
    Kind.MANAGERS: "Managers",
    Kind.ALERTS: "Channel of alerts",
    Kind.LOG: "Log channel",
    Kind.CONFIRM: "Confirmations",
    Kind.RETENTION: "How long prompts are kept",
    Kind.DIGEST: "Digests",
    Kind.CHARGE: "Charges settled by hand",
}
"""Every kind of change, as menus call it."""


def line(change: RuleChange, *, place: str | None = None) -> str:
    """Tell one change; with `place`, its guild, to whoever may read of several."""
    operator = change.by_operator and place is None
    who = "The operator" if operator else _person(change.changed_by)
    where = f" · {place}" if place else ""
    return f"{told(change)}\n-# <t:{change.changed_ms // 1000}:f> · {who}{where}"


def told(change: RuleChange) -> str:
    """Say what was changed, from what to what, and why where that was asked for."""
    sentence = _sentence(change)
    return f"{sentence}: {plain(change.reason, most=_MOST_REASON)}" if change.reason else sentence


def _sentence(change: RuleChange) -> str:
    match change.what:
        case Kind.LIMIT | Kind.GRANT | Kind.CONFIRM | Kind.CHARGE:
            return _of_money(change)
        case Kind.MODELS | Kind.CHANNELS | Kind.BLOCKLIST | Kind.PRIVATE | Kind.DEFAULT_MODEL:
            return _of_models(change)
        case Kind.BLOCK:
            person = _person(change.user_id or 0)
            return f"Blocked {person}" if change.after == "on" else f"Unblocked {person}"
        case Kind.PAUSE:
            where = " everywhere" if change.guild_id == NO_GUILD else ""
            return f"Paused pictures{where}" if change.after == "on" else f"Ended the pause{where}"
        case Kind.TIMEZONE:
            return f"Time zone: {_name(change.before, UTC_ZONE)} → {_name(change.after, UTC_ZONE)}"
        case _:
            return _of_options(change)


def _of_options(change: RuleChange) -> str:
    match change.what:
        case Kind.MANAGERS:
            return f"Managers: {_mention('@&', change.before)} → {_mention('@&', change.after)}"
        case Kind.ALERTS:
            return f"Channel of alerts: {_channel(change.before)} → {_channel(change.after)}"
        case Kind.LOG:
            return f"Log channel: {_channel(change.before)} → {_channel(change.after)}"
        case Kind.RETENTION:
            return f"Prompts are kept: {_days(change.before)} → {_days(change.after)}"
        case Kind.DIGEST:
            return f"Digest: {_digest(change.before)} → {_digest(change.after)}"
        case _:  # another process of a newer version may have written it
            return f"{_name(change.what)}: {_name(change.before)} → {_name(change.after)}"


def _of_money(change: RuleChange) -> str:
    match change.what:
        case Kind.LIMIT:
            limit = f"Limit {PER[change.window or Window.TOTAL]} ({_for_whom(change)})"
            return f"{limit}: {_usd(change.before)} → {_usd(change.after)}"
        case Kind.GRANT:
            return f"Gave {_person(change.user_id or 0)} {_usd(change.after)} extra, once"
        case Kind.CHARGE:
            state, _, amount = (change.before or "").partition(" ")
            before = f"{state} {_usd(amount)}" if amount.isdigit() and int(amount) else state
            return f"Settled charge {change.subject_id} by hand: {before} → {_usd(change.after)}"
        case _:
            never = "nobody is asked"
            before, after = (
                never if above is None else f"above {_usd(above)}"
                for above in (change.before, change.after)
            )
            return f"Confirmations: {before} → {after}"


def _for_whom(change: RuleChange) -> str:
    target = change.target or Target.GUILD
    if target in {Target.MEMBER, Target.PERSON} and change.user_id is None:
        return SOMEBODY
    who = Who(target, change.guild_id, change.user_id or change.subject_id or 0)
    return whom(who, change.window or Window.TOTAL)


def _of_models(change: RuleChange) -> str:
    added = change.after is not None
    match change.what:
        case Kind.MODELS:
            return f"Models: {_rule(change)}{'' if added else ' no more'}"
        case Kind.CHANNELS if change.subject_id is None:
            many = (change.before or "").count(",") + 1
            return f"Pictures are made in every channel again ({many} had been named)"
        case Kind.CHANNELS:
            here = f"<#{change.subject_id}>"
            return f"Pictures are made in {here}" if added else f"{here} is named no more"
        case Kind.BLOCKLIST:
            phrase = f"“{_name(change.after or change.before)}”"
            return f"Blocked {phrase} in prompts" if added else f"{phrase} is blocked no more"
        case Kind.PRIVATE:
            return f"Private results: {_name(change.before)} → {_name(change.after)}"
        case _:
            own = "the bot's own"
            return f"Default model: {_name(change.before, own)} → {_name(change.after, own)}"


def _rule(change: RuleChange) -> str:
    """The line of a list, as it is told elsewhere."""
    effect, _, pattern = (change.after or change.before or "").partition(" ")
    reaches = {Target.ROLE: Reach.ROLE, Target.CHANNEL: Reach.CHANNEL}
    reach = reaches.get(change.target or Target.GUILD, Reach.GUILD)
    if effect not in set(Effect):
        return _name(f"{effect} {pattern}")
    return rule_line(ModelRule(reach, change.subject_id or 0, Effect(effect), pattern))


def _person(user_id: int) -> str:
    return f"<@{user_id}>" if user_id > 0 else SOMEBODY


def _channel(channel_id: str | None) -> str:
    return _mention("#", channel_id)


def _days(days: str | None) -> str:
    if days is None:
        return "as the operator has set"
    return "until somebody erases them" if days == "0" else f"{_name(days)} days"


def _digest(digest: str | None) -> str:
    """Tell a digest, which is written down as its period and its channel."""
    period, _, channel_id = (digest or "").partition(" ")
    return f"each {_name(period)} in {_channel(channel_id)}" if channel_id else "none"


def _mention(sign: str, subject_id: str | None) -> str:
    return "none" if subject_id is None else f"<{sign}{subject_id}>"


def _name(text: str | None, otherwise: str = "nothing") -> str:
    return otherwise if text is None else plain(text, most=_MOST_NAME)


def _usd(amount: str | None) -> str:
    return format_usd(int(amount)) if amount and amount.isdigit() else "nothing"
