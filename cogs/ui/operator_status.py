"""What `/operator status` tells: the whole bot's budgets, each guild's, and what is set."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

import discord

from bot.imagerouter import ImageRouterError
from bot.money import format_usd
from bot.quotas import Scope, Window
from bot.requests import NO_GUILD, Actor
from bot.services import Services
from bot.storage import Standing
from cogs.ui.standing import bar, rule_line, state_line
from cogs.ui.text import plain

_log = logging.getLogger(__name__)

_MOST_GUILDS: Final = 20
_MOST_RULES: Final = 15
_BALANCE_SECONDS: Final = 5


async def tell(services: Services, guilds: Sequence[discord.Guild]) -> list[str]:
    """Tell it in a few texts."""
    nobody = Actor(user_id=0, guild_id=NO_GUILD, channel_id=0)
    everywhere = await services.policies.standing(nobody)
    return [
        "\n".join([*_bot(everywhere, len(guilds)), f"ImageRouter: {await _balance(services)}"]),
        "\n".join(await _guilds(services, guilds)),
        "\n".join(await _rules(services)),
    ]


def _bot(standing: Standing, guilds: int) -> list[str]:
    month = standing.tallies[Scope.BOT, Window.MONTH]
    day = standing.tallies[Scope.BOT, Window.DAY]
    lines = [f"### Easel in {guilds} server{'' if guilds == 1 else 's'}"]
    if standing.rules.paused is not None:
        lines.append("**Paused everywhere.** `/operator resume` ends it.")
    lines.append(
        f"Spent {format_usd(day.spent)} today and {format_usd(month.spent)} this month (UTC); "
        f"{format_usd(month.held)} is set aside."
    )
    lines += [state_line(h) for h in standing.limits if h.limit.scope is Scope.BOT]
    return lines


async def _balance(services: Services) -> str:
    try:
        async with asyncio.timeout(_BALANCE_SECONDS):
            checked = await services.router.check_key()
    except (ImageRouterError, TimeoutError) as error:
        _log.info("The balance could not be read: %r", error)
        return "can't be reached just now."
    if checked.balance is None:
        return "tells no balance."
    return f"{format_usd(checked.balance)} of credits are left."


async def _guilds(services: Services, guilds: Sequence[discord.Guild]) -> list[str]:
    """The month of each guild, those with the most spent first."""
    found = []
    for guild in guilds:
        standing = await services.policies.standing(Actor(0, guild.id, 0))
        found.append((standing.tallies[Scope.CEILING, Window.MONTH].used, guild, standing))
    found.sort(key=lambda one: (-one[0], one[1].id))
    lines = ["### This month"]
    for used, guild, standing in found[:_MOST_GUILDS]:
        months = [
            h
            for h in standing.limits
            if h.limit.scope is Scope.CEILING and h.limit.window is Window.MONTH
        ]
        told = [f"{bar(h.left, h.limit.amount)} " for h in months]
        of = [f" of {format_usd(h.limit.amount)}" for h in months]
        paused = " · paused" if standing.rules.paused is Scope.GUILD else ""
        name = plain(guild.name, most=80)
        lines.append(f"{''.join(told)}**{name}** {format_usd(used)}{''.join(of)}{paused}")
    if len(found) > _MOST_GUILDS:
        lines.append(f"-# and {len(found) - _MOST_GUILDS} more that spent less")
    return lines


async def _rules(services: Services) -> list[str]:
    rules = await services.policies.limits(NO_GUILD)
    lines = ["### Set by operators", *(f"- {rule_line(rule)}" for rule in rules[:_MOST_RULES])]
    if len(rules) > _MOST_RULES:
        lines.append(f"- and {len(rules) - _MOST_RULES} more")
    if not rules:
        lines.append("Nothing: the bot's settings hold.")
    return lines
