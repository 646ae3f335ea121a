"""Sentences on what a guild's rules keep somebody from, and on the rules themselves."""

from typing import Final

from bot.errors import ChannelNotAllowed, PromptBlocked
from bot.policy import Effect, ModelNotAllowed, ModelRule, Reach
from cogs.ui.text import Explanation, plain

_MOST_CHANNELS: Final = 5
_FOUND_SHOWN: Final = 100

PRIVATE_NOT_ALLOWED: Final = Explanation(
    "Private results are switched off in this server",
    "Ask again with `private: False`, and everybody here sees the picture; or use the bot "
    "elsewhere.",
)
POLICY_CHANGED: Final = Explanation(
    "The rules of this server are being changed", "Nothing was sent. Try again in a minute."
)


def where(rule: ModelRule) -> str:
    """Say for whom or where a rule is."""
    match rule.reach:
        case Reach.GUILD:
            return "in this server"
        case Reach.CHANNEL:
            return f"in <#{rule.subject_id}>"
        case Reach.ROLE:
            return f"for <@&{rule.subject_id}>"


def rule_line(rule: ModelRule) -> str:
    """Say what is set, in a line."""
    names = f"`{rule.pattern}`"
    match rule.effect:
        case Effect.ALLOW:
            return f"{names} allowed {where(rule)}"
        case Effect.DENY:
            return f"{names} denied {where(rule)}"
        case Effect.AGE_RESTRICTED:
            return f"{names} in age-restricted channels only"


def why_not(rule: ModelRule) -> str:
    """Say in a sentence what a rule keeps people from."""
    match rule.effect:
        case Effect.ALLOW:
            return f"Only models that are allowed by name may be used {where(rule)}."
        case Effect.DENY:
            return f"An admin has denied `{rule.pattern}` {where(rule)}."
        case Effect.AGE_RESTRICTED:
            return f"`{rule.pattern}` may be used in age-restricted channels only."


def explain_model(error: ModelNotAllowed) -> Explanation:
    """Name the model, and the rule."""
    why = "" if error.rule is None else f" {why_not(error.rule)}"
    if not error.model:
        return Explanation(
            "No model that you may use here can do this", f"Ask an admin of this server.{why}"
        )
    todo = " Use one of these?" if error.alternatives else ""
    return Explanation(
        "You can't use this model here", f"{plain(error.model, most=100)} is kept back.{why}{todo}"
    )


def explain_channel(error: ChannelNotAllowed) -> Explanation:
    """Name the channels in which pictures are made."""
    named = ", ".join(f"<#{channel}>" for channel in error.channels[:_MOST_CHANNELS])
    more = len(error.channels) - _MOST_CHANNELS
    if more > 0:
        named += f" and {more} more"
    return Explanation("No pictures are made in this channel", f"Go to {named}.")


def explain_prompt(error: PromptBlocked) -> Explanation:
    """Show what is blocked, which is the person's own words."""
    whose = "The operator of this bot does" if error.by_operator else "This server does"
    found = plain(error.found, most=_FOUND_SHOWN)
    return Explanation(
        "The prompt has something that is blocked",
        f"{whose} not allow “{found}” in prompts. Say it in another way.",
    )
