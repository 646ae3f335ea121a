"""What `/quota show` tells: every limit of somebody, what is left, which one binds, what is set."""

from typing import Final

from bot.money import format_usd
from bot.requests import NO_GUILD, Actor
from bot.services import Services
from bot.storage import Standing
from cogs.ui.standing import binding_line, rule_line, stamp, state_lines
from cogs.ui.text import plain

_MOST_RULES: Final = 20
_MOST_BLOCKED: Final = 8


async def of_member(
    services: Services, actor: Actor, model: str | None, *, reader_id: int
) -> list[str]:
    """Tell `reader_id` how one person stands, and what is set for everybody.

    Raises:
        RequestError: no such model, or nobody knows what it costs.
    """
    price, asked = 0, ""
    if model is not None:
        found = services.catalog.require(model, images=None)
        price = found.ceiling or 0
        asked = f"One picture by {plain(found.id, most=100)} costs at most {format_usd(price)}"
    standing = await services.policies.standing(actor, price=price)
    head = _head(standing, asked, of_other=actor.user_id != reader_id)
    return [head, await _rules(services, actor.guild_id)]


def _head(standing: Standing, asked: str, *, of_other: bool) -> str:
    lines = [f"### <@{standing.actor.user_id}> in <#{standing.actor.channel_id}>"]
    if standing.rules.blocked is not None:
        why = plain(standing.rules.blocked, most=200)
        lines.append(f"**Blocked in this server.** {why}")
    if standing.rules.paused is not None:
        lines.append("**Pictures are paused.** Nothing new is made.")
    lines += state_lines(standing, everything=True)
    lines.append(binding_line(standing, of_other=of_other))
    if asked:
        fits = "so it could be made now" if standing.fits else "so it would be refused now"
        lines.append(f"{asked}, {fits}. Nothing was spent.")
    return "\n".join(lines)


async def _rules(services: Services, guild_id: int) -> str:
    """What is set in a guild, and who is blocked in it."""
    rules = await services.policies.limits(guild_id)
    blocked = await services.policies.blocked(guild_id) if guild_id != NO_GUILD else []
    lines = ["### Set in this server"]
    for rule in rules[:_MOST_RULES]:
        operators = " (by the operator)" if rule.who.target.is_operators else ""
        lines.append(f"- {rule_line(rule)}{operators}")
    if len(rules) > _MOST_RULES:
        lines.append(f"- and {len(rules) - _MOST_RULES} more")
    if not rules:
        lines.append("Nothing: the bot's own defaults hold.")
    for person in blocked[:_MOST_BLOCKED]:
        who = "somebody whose data was erased" if person.user_id is None else f"<@{person.user_id}>"
        lines.append(f"- Blocked {stamp(person.blocked_ms)}: {who}")
    if len(blocked) > _MOST_BLOCKED:
        lines.append(f"- Blocked: {len(blocked) - _MOST_BLOCKED} more")
    return "\n".join(lines)
