"""What `/quota show` tells: every limit of somebody, what is left, which one binds, what is set."""

from typing import Final

from bot.money import format_usd
from bot.policy import Allowance
from bot.requests import NO_GUILD, Actor
from bot.services import Services
from bot.storage import Standing
from cogs.ui.policy_errors import why_not
from cogs.ui.policy_settings import lines_for, shortened
from cogs.ui.standing import binding_line, rule_line, stamp, state_lines
from cogs.ui.text import plain

_MOST_RULES: Final = 20
_MOST_POLICY: Final = 800
"""Characters of the rules on models that concern somebody."""
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
    allowed = await services.policing.allowed(actor)
    why = None if model is None else _kept_from(allowed, services.catalog.require(model).id)
    head = _head(standing, asked, why, of_other=actor.user_id != reader_id)
    concerning = lines_for(allowed) or ["Every model may be used, in every channel."]
    policy = "### Models and prompts\n" + shortened(concerning, most=_MOST_POLICY)
    return [head, policy, await _rules(services, actor.guild_id)]


def _kept_from(allowed: Allowance, model_id: str) -> str | None:
    """Say why a model would not run here, whatever may be spent; None when it would."""
    if not allowed.policy.allows_channel(allowed.actor.channel_id):
        return "No pictures are made in this channel."
    verdict = allowed.verdict(model_id)
    return None if verdict.rule is None else why_not(verdict.rule)


def _head(standing: Standing, asked: str, kept_from: str | None, *, of_other: bool) -> str:
    lines = [f"### <@{standing.actor.user_id}> in <#{standing.actor.channel_id}>"]
    if standing.rules.blocked is not None:
        why = plain(standing.rules.blocked, most=200)
        lines.append(f"**Blocked in this server.** {why}")
    if standing.rules.paused is not None:
        lines.append("**Pictures are paused.** Nothing new is made.")
    lines += state_lines(standing, everything=True)
    lines.append(binding_line(standing, of_other=of_other))
    if asked:
        if kept_from is not None:
            lines.append(f"{asked}, but it would be refused: {kept_from} Nothing was spent.")
        else:
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
