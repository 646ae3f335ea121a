"""Words for limits: whose they are, over which time, and why something was refused by one.

Used by refusals, `/quota show`, `/usage` and alerts, so that a limit is called the same everywhere.
"""

from typing import Final

from bot.money import Micros, format_usd
from bot.quotas import (
    Blocked,
    Limit,
    NeedsConfirmation,
    Paused,
    PictureTooDear,
    QuotaExceeded,
    Scope,
    Window,
)
from bot.storage import Crossing
from cogs.ui.text import Explanation, plain

PER: Final = {
    Window.DAY: "a day",
    Window.WEEK: "a week",
    Window.MONTH: "a month",
    Window.TOTAL: "in all",
    Window.IMAGE: "for one picture",
    Window.OPEN: "at once",
}
"""How an amount is said in each window: `$0.50 a day`."""

_WHOSE: Final = {
    Scope.MEMBER: "your own limit of {}",
    Scope.CHANNEL: "this channel's limit of {}",
    Scope.GUILD: "this server's limit of {}",
    Scope.CEILING: "the operator's limit of {} for this server",
    Scope.DM: "the operator's limit of {} outside this bot's servers",
    Scope.PERSON: "the operator's limit of {} for you",
    Scope.BOT: "the operator's limit of {} for everybody together",
}

_ANEW: Final = {
    Window.DAY: "A new day begins",
    Window.WEEK: "A new week begins",
    Window.MONTH: "A new month begins",
}


def amount_of(limit: Limit) -> str:
    """Say how much a limit allows: `$0.50 a day`, `3 jobs at once`."""
    if limit.window is Window.OPEN:
        return f"{limit.amount} job{'' if limit.amount == 1 else 's'} at once"
    return f"{format_usd(limit.amount)} {PER[limit.window]}"


def name_limit(limit: Limit) -> str:
    """Name a limit to the person whom it binds: `your own limit of $0.50 a day`."""
    name = _WHOSE[limit.scope].format(amount_of(limit))
    more = []
    if limit.role_id is not None:
        more.append(f"with <@&{limit.role_id}>")
    if limit.granted:
        more.append(f"with {format_usd(limit.granted)} extra")
    return f"{name} ({', '.join(more)})" if more else name


def who_can_raise(limit: Limit) -> str:
    """Say who could raise a limit."""
    if limit.window is Window.OPEN or limit.scope.is_operators:
        return "Only the operator of this bot can raise it."
    return "An admin of this server can raise it."


def is_off(limit: Limit) -> bool:
    """Whether it is what keeps pictures off outside the bot's servers."""
    money = limit.window is not Window.OPEN
    return limit.scope is Scope.DM and limit.amount == 0 and money


def explain_exceeded(error: QuotaExceeded) -> Explanation:
    """Explain that a limit would be passed: which one, what is left, needed, and until when."""
    limit = error.limit
    if limit.window is Window.OPEN:
        jobs = "one of your jobs" if limit.amount == 1 else f"{limit.amount} of your jobs"
        return Explanation(
            "You have enough on the way already",
            f"At most {jobs} may wait or run at once. Try again when one is done.",
        )
    if is_off(limit):
        return Explanation(
            "Pictures are off here",
            "The operator of this bot pays for none in direct messages, groups, and servers that "
            "don't have it. Free models still work; for the others, go to a server that has it.",
        )
    needs = _price(error.about, error.needed)
    told = [
        f"This would go over **{name_limit(limit)}**.",
        f"**{format_usd(error.left)}** is left, and this needs {needs}.",
    ]
    if error.resets_at_ms is not None:
        told.append(f"{_ANEW[limit.window]} <t:{-(-error.resets_at_ms // 1000)}:R>.")
    told.append(who_can_raise(limit))
    return Explanation("That would go over a limit", " ".join(told))


def _price(about: Micros | None, most: Micros, *, mark: str = "") -> str:
    """Say what a job costs: usually, where anybody knows, and at most; once where both are one."""
    if about == most:
        return f"{mark}{format_usd(most)}{mark}"
    usually = "" if about is None else f"about {format_usd(about)}, "
    return f"{usually}at most {mark}{format_usd(most)}{mark}"


def explain_too_dear(error: PictureTooDear) -> Explanation:
    """Explain that one picture may cost more than is allowed."""
    return Explanation(
        "This model is too dear here",
        f"One picture of it may cost {format_usd(error.price)}, which is over "
        f"**{name_limit(error.limit)}**. Pick a cheaper model. {who_can_raise(error.limit)}",
    )


def explain_blocked(error: Blocked) -> Explanation:
    """Explain a block."""
    said = f" They said: {plain(error.reason, most=200)}" if error.reason.strip() else ""
    return Explanation(
        "You can't make pictures in this server",
        f"An admin has blocked you here, and can lift it again.{said}",
    )


def explain_paused(error: Paused) -> Explanation:
    """Explain a pause."""
    if error.scope is Scope.GUILD:
        return Explanation(
            "Pictures are paused in this server",
            "An admin has paused them. What runs already is finished. Try again later.",
        )
    return Explanation(
        "Pictures are paused",
        "The operator of this bot has paused them everywhere. What runs already is finished. Try "
        "again later.",
    )


def ask_confirmation(error: NeedsConfirmation) -> Explanation:
    """Ask before something dear."""
    return Explanation(
        "Shall this be made?",
        f"It costs {_price(error.about, error.needed, mark='**')}. This server asks before "
        f"anything that may cost more than {format_usd(error.above)}. Nothing is held yet.",
    )


def explain_budget(crossing: Crossing, *, guild_name: str = "") -> Explanation:
    """Say how much of a pooled budget is spent, to whoever minds it."""
    where = plain(guild_name, most=100) if guild_name else "this server"
    whose = {
        Scope.CHANNEL: f"<#{crossing.channel_id}>",
        Scope.GUILD: where,
        Scope.CEILING: where,
    }.get(crossing.scope, "everybody together")
    amount = f"{format_usd(crossing.amount)} {PER[crossing.window]}"
    spent = f"{format_usd(crossing.spent)} of {amount} for {whose} is spent."
    if crossing.scope is Scope.CEILING:
        spent += " The operator of this bot has set this budget."
    if crossing.resets_at_ms is not None:
        spent += f" {_ANEW[crossing.window]} <t:{-(-crossing.resets_at_ms // 1000)}:R>."
    if crossing.percent < 100:  # noqa: PLR2004 - percent
        return Explanation(f"{crossing.percent}% of a budget is spent", spent)
    return Explanation(
        "A budget is used up", f"{spent} What is left does not pay for another such picture."
    )
