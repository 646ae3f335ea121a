"""Who may use which command. Discord hides what people may not use; this checks it again.

Discord's own check can be changed by a server's admins for each command, and clicks and forms have
none at all, so every way in asks here, on what Discord says of the person at that moment.
"""

from enum import Enum, auto

import discord

from cogs.ui.intake import Interaction, services_of


class Needs(Enum):
    """What a person must be to go on."""

    NOTHING = auto()
    MANAGER = auto()
    """Has Manage Server here, or the role that `/config managers` names."""
    MANAGE_SERVER = auto()
    """Has Manage Server here: for naming the managers, which managers themselves may not."""
    OPERATOR = auto()
    """Runs the bot."""


_SENTENCES = {
    Needs.MANAGER: (
        "This is for people with the permission **Manage Server**, or with the role that "
        "`/config managers` names."
    ),
    Needs.MANAGE_SERVER: "This is for people with the permission **Manage Server**.",
    Needs.OPERATOR: "This is for the operator of this bot, who pays for the pictures.",
}


async def refusal(interaction: Interaction, needs: Needs) -> str | None:
    """Return why this person may not go on; None when they may.

    Raises LedgerUnavailable where the managers' role can't be read.
    """
    return None if await _may(interaction, needs) else _SENTENCES[needs]


async def _may(interaction: Interaction, needs: Needs) -> bool:
    match needs:
        case Needs.NOTHING:
            return True
        case Needs.OPERATOR:
            return is_operator(interaction)
        case Needs.MANAGE_SERVER:
            return _manages_server(interaction)
        case Needs.MANAGER:
            return _manages_server(interaction) or await _has_managers_role(interaction)


def is_operator(interaction: Interaction) -> bool:
    """Whether this person runs the bot."""
    return interaction.user.id in services_of(interaction).alerts.operators


def _manages_server(interaction: Interaction) -> bool:
    granted = interaction.permissions
    return interaction.guild_id is not None and (granted.administrator or granted.manage_guild)


async def _has_managers_role(interaction: Interaction) -> bool:
    if interaction.guild_id is None or not isinstance(interaction.user, discord.Member):
        return False
    config = await services_of(interaction).policies.config(interaction.guild_id)
    return config.manager_role in {role.id for role in interaction.user.roles}
