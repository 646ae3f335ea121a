"""Words for alerts: what the operator should see to, and what a guild's managers should know."""

from typing import Final

from bot.cards import (
    Alert,
    BudgetAlert,
    DigestTrouble,
    FailingModel,
    LowBalance,
    ManagerCard,
    OperatorCard,
    SpikeAlert,
    Trouble,
)
from bot.money import Micros, format_usd
from cogs.ui import limits
from cogs.ui.text import Explanation, plain

_LONG: Final = 365


def explain(card: OperatorCard | ManagerCard) -> Explanation:
    """Return what is read, with the remedy where there is one."""
    match card:
        case Alert():
            return _explain_trouble(card.trouble, plain(card.detail))
        case LowBalance():
            return _explain_balance(card)
        case FailingModel():
            return _explain_failing(card)
        case BudgetAlert():
            return limits.explain_budget(card.crossing, guild_name=card.guild_name)
        case SpikeAlert():
            return _explain_spike(card)
        case DigestTrouble():
            return _explain_digest(card)


def in_log(alert: Alert) -> str:
    """Tell it in a line of the log, for operators whom no message reaches."""
    told = _explain_trouble(alert.trouble, alert.detail)
    return f"{told.title}. {told.body}"


def _explain_trouble(trouble: Trouble, detail: str) -> Explanation:
    match trouble:
        case Trouble.BAD_KEY:
            return Explanation(
                "ImageRouter refuses the key",
                "No picture can be made. Make a new key at <https://imagerouter.io/api-keys>, put "
                "it into IMAGEROUTER_API_KEY and restart the bot.",
            )
        case Trouble.NO_CREDITS:
            return Explanation(
                "ImageRouter's balance is used up",
                "No picture can be made. Add credits at <https://imagerouter.io>; nothing needs to "
                "be restarted.",
            )
        case Trouble.OVERRUN:
            return Explanation(
                "A picture cost more than was held for it",
                f"{detail}. The whole cost is recorded as an overrun.",
            )
        case Trouble.LEDGER:
            return Explanation(
                "The database can't be written",
                "Nothing is generated meanwhile. Check the disk's space and the bot's log.",
            )


def _explain_balance(card: LowBalance) -> Explanation:
    told = [f"**{format_usd(card.left)}** of credits {'are' if card.left > 0 else 'is'} left."]
    if card.a_day:
        pace = f"Lately the bot has spent about {format_usd(_cents(card.a_day))} a day"
        told.append(f"{pace}{_lasts(card.left, card.a_day)}.")
    told.append(
        "Add credits at <https://imagerouter.io>; nothing needs to be restarted. You are told when "
        f"it falls below {format_usd(card.below)} (`LOW_BALANCE_USD`), once until it is above "
        "again."
    )
    return Explanation("ImageRouter's balance is low", " ".join(told))


def _lasts(left: Micros, a_day: Micros) -> str:
    """Say how long it lasts; nothing where nothing is left."""
    days = max(0, left) // a_day
    if left <= 0:
        return ""
    if days > _LONG:
        return ", so this lasts for more than a year"
    match days:
        case 0:
            return ", so this lasts for less than a day"
        case 1:
            return ", so this lasts for about a day"
        case _:
            return f", so this lasts for about {days} days"


def _cents(amount: Micros) -> Micros:
    """Round up to whole cents: what is told with "about" needs no more."""
    return -(-amount // 10_000) * 10_000


def _explain_failing(card: FailingModel) -> Explanation:
    tries = f"In the last hour {card.failed} of {card.tries} tries with **{plain(card.model)}**"
    told = [
        f"{tries} brought no picture; what the providers' rules have refused is not counted.",
        "Its provider is probably down. People are told so, and are offered other models.",
    ]
    if card.is_default:
        told.append("It is the bot's default: if it lasts, name another one in `DEFAULT_MODEL`.")
    told.append("You are told of it again only after it has worked in between.")
    return Explanation("A model hardly brings any pictures", " ".join(told))


def _explain_digest(card: DigestTrouble) -> Explanation:
    where = f" of {plain(card.guild_name, most=100)}" if card.guild_name else ""
    return Explanation(
        "The digest can't be posted",
        f"The digest{where} belongs into <#{card.channel_id}>, which is gone, or the bot may not "
        "post there: it has to see the channel and send messages. It is tried again every hour, "
        "and you are told once. `/config digest` names another channel, or ends it.",
    )


def _explain_spike(card: SpikeAlert) -> Explanation:
    spike = card.spike
    where = f"in {plain(card.guild_name, most=100)}" if card.guild_name else "here"
    return Explanation(
        "A member spends more than usually",
        f"<@{spike.user_id}> has spent **{format_usd(spike.spent)}** {where} today. Usually it is "
        f"about {format_usd(spike.usual)} on a day with pictures (the median of {spike.days} such "
        "days in the last 30). Their limits hold as ever: `/quota show` tells them, `/quota set` "
        "changes them, `/quota block` stops everything. This is told once a day of each member.",
    )
