"""Autocomplete for options that several commands share. Answers from memory, at once."""

from typing import Any

import discord
from discord import app_commands

from bot.catalog import label, size_choices
from cogs.ui.intake import services_of

MOST_CHOICES = 25
_MOST_VALUE = 100


async def complete_model(
    interaction: discord.Interaction[Any], current: str
) -> list[app_commands.Choice[str]]:
    """Models that match what is typed so far."""
    found = services_of(interaction).catalog.search(current, limit=MOST_CHOICES)
    return [
        app_commands.Choice(name=label(model), value=model.id)
        for model in found
        if len(model.id) <= _MOST_VALUE
    ]


async def complete_size(
    interaction: discord.Interaction[Any], current: str
) -> list[app_commands.Choice[str]]:
    """Sizes of the model chosen so far, or the usual ones."""
    services = services_of(interaction)
    chosen = getattr(interaction.namespace, "model", None)
    model = services.catalog.get(chosen) if isinstance(chosen, str) else None
    return [
        app_commands.Choice(name=name, value=value) for name, value in size_choices(model, current)
    ]
