"""`/config retention`: how long a guild keeps prompts and links to pictures."""

from typing import Final

from discord import app_commands

from bot.errors import InvalidOption
from bot.requests import NO_GUILD
from bot.storage import Option
from cogs.ui.answers import Changed, Shown, boxed
from cogs.ui.intake import Interaction, services_of

_DAYS: Final = (7, 30, 90, 365)
_OFF: Final = "off"
_DEFAULT: Final = "default"

CHOICES: Final = [
    app_commands.Choice(name="off: until somebody erases them", value=_OFF),
    *(app_commands.Choice(name=f"{days} days", value=str(days)) for days in _DAYS),
    app_commands.Choice(name="default: as the operator of this bot has set", value=_DEFAULT),
]


async def change(interaction: Interaction, keep: str | None) -> Shown:
    """Set it, or (None) show what is set.

    Raises:
        InvalidOption: it is none of the choices; a client may send whatever it likes.
    """
    services, guild_id = services_of(interaction), interaction.guild_id or NO_GUILD
    default = services.settings.default_retention_days
    if keep is None:
        config = await services.policies.config(guild_id)
        return _shown(config.retention_days, default)
    if keep not in {choice.value for choice in CHOICES}:
        raise InvalidOption("keep", keep, "one of the choices")
    days = None if keep == _DEFAULT else 0 if keep == _OFF else int(keep)
    before = await services.policies.configure(
        guild_id, Option.RETENTION, days, by=interaction.user.id
    )
    note = "" if before == days else f"set how long prompts are kept: {_told(days, default)}."
    return Changed(boxed(_shown(days, default)), note)


def _shown(days: int | None, default: int) -> str:
    lines = [f"### How long prompts are kept\n**{_told(days, default).capitalize()}.**"]
    if days if days is not None else default:
        lines.append(
            "After that, prompts, links to pictures that were given, masks and links to results "
            "are deleted, within the hour, also those of before. The messages stay in Discord, but "
            "their buttons work no more. Costs, and who spent them, are kept."
        )
    else:
        lines.append("Everybody can erase their own with `/privacy delete` at any time.")
    return "\n".join(lines)


def _told(days: int | None, default: int) -> str:
    if days is None:
        return f"{_told(default, default)} (what the operator of this bot has set)"
    return f"{days} {'day' if days == 1 else 'days'}" if days else "until somebody erases them"
