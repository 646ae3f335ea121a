"""What the panel of `/setup` says: what is set, and what it means. Its menus: `setup_panel`."""

from typing import Final

import discord
from msgspec import Struct

from bot.money import Micros, format_usd
from bot.quotas import Defaults, Target, Window
from bot.requests import NO_GUILD
from bot.services import Services
from bot.storage import GuildConfig, SetLimit
from cogs.ui.standing import rule_line

_MOST_SHOWN: Final = 8
"""Roles, and channels, with something of their own that are named."""

HEAD: Final = """\
### Set up pictures
Everything works as it is. Change what you like, in any order; each change holds at once, and only \
you see this.\
"""
FOOT: Final = "-# Finer rules: `/quota set`. All of them: `/quota show`. The rest: `/config`."


class Overview(Struct, frozen=True):
    """Everything that the panel shows of one guild."""

    limits: tuple[SetLimit, ...]
    config: GuildConfig
    defaults: Defaults
    any_ceiling: tuple[SetLimit, ...] = ()
    """What the operator has set for every guild without a ceiling of its own."""

    def amount(self, target: Target, window: Window) -> Micros | None:
        """What is set; None where nothing is."""
        for rule in (*self.limits, *self.any_ceiling):
            if rule.who.target is target and rule.window is window:
                return rule.amount
        return None

    @property
    def ceiling(self) -> Micros:
        """What the operator lets this guild spend a month."""
        for target in (Target.CEILING, Target.ANY_GUILD):
            if (amount := self.amount(target, Window.MONTH)) is not None:
                return amount
        return self.defaults.guild_month

    def of(self, target: Target, window: Window) -> list[SetLimit]:
        """All rules of a kind."""
        return [r for r in self.limits if r.who.target is target and r.window is window]


async def read_overview(services: Services, guild_id: int) -> Overview:
    """Read what is set for a guild."""
    policies = services.policies
    everywhere = await policies.limits(NO_GUILD)
    return Overview(
        limits=tuple(await policies.limits(guild_id)),
        config=await policies.config(guild_id),
        defaults=policies.defaults,
        any_ceiling=tuple(r for r in everywhere if r.who.target is Target.ANY_GUILD),
    )


def budget_text(overview: Overview) -> str:
    """The shared budget for the month."""
    amount = overview.amount(Target.GUILD, Window.MONTH)
    ceiling = format_usd(overview.ceiling)
    if amount is None:
        told = f"not set, so the operator's {ceiling} a month is what there is"
    elif amount > overview.ceiling:
        told = (
            f"{format_usd(amount)} a month, but the operator allows {ceiling} a month, and "
            "that binds: only the operator can raise it"
        )
    else:
        told = f"{format_usd(amount)} a month"
    return f"**Server budget:** {told}\n-# What everybody here may spend together."


def each_text(overview: Overview) -> str:
    """What a member may spend by themselves."""
    amount = overview.amount(Target.DEFAULT, Window.DAY)
    if amount is None:
        told = f"{format_usd(overview.defaults.member_day)} a day, which is the bot's own default"
    else:
        told = f"{format_usd(amount)} a day"
    each = overview.defaults.member_day if amount is None else amount
    pool = overview.amount(Target.GUILD, Window.MONTH)
    pool = overview.ceiling if pool is None else min(pool, overview.ceiling)
    note = "What one member may spend by themselves."
    if each:
        note += f" The budget holds {pool // each:,} full member-days."
    return f"**Each member:** {told}\n-# {note}"


def roles_text(overview: Overview) -> str:
    """Roles with an amount of their own."""
    told = _listed(overview.of(Target.ROLE, Window.DAY)) or "none yet"
    note = "Choose a role, such as your boosters, and type what each of its holders may spend."
    return f"**Roles with more (or less):** {told}\n-# {note}"


def prices_text(overview: Overview) -> str:
    """Channels with a highest price."""
    told = _listed(overview.of(Target.CHANNEL, Window.IMAGE)) or "none yet"
    note = "Choose a channel, and type the highest price of one picture there."
    return f"**Highest price in a channel:** {told}\n-# {note}"


def _listed(rules: list[SetLimit]) -> str:
    named = [rule_line(rule) for rule in rules[:_MOST_SHOWN]]
    if len(rules) > _MOST_SHOWN:
        named.append(f"and {len(rules) - _MOST_SHOWN} more")
    return "; ".join(named)


def zone_text(config: GuildConfig) -> str:
    """The time zone."""
    return (
        f"**Time zone:** {config.zone}\n-# Days, weeks and months begin at its midnight. One that "
        "is not in the menu: `/config timezone`."
    )


def alerts_text(config: GuildConfig, guild: discord.Guild | None) -> str:
    """Where alerts go."""
    note = (
        "When 50, 80 and 100% of a shared budget are spent, or a member spends far more than "
        "usually, it is said there."
    )
    if config.alert_channel is None:
        told = "by direct message to whoever set the budget"
    else:
        told = f"<#{config.alert_channel}>"
        if not can_post(guild, config.alert_channel):
            note = "The bot may not post there: let it see the channel and send messages."
    return f"**Alerts:** {told}\n-# {note}"


def can_post(guild: discord.Guild | None, channel_id: int) -> bool:
    """Whether the bot may post in a channel of a guild, as far as it knows."""
    channel = guild.get_channel_or_thread(channel_id) if guild is not None else None
    if guild is None or channel is None:
        return False
    allowed = channel.permissions_for(guild.me)
    return allowed.view_channel and allowed.send_messages
