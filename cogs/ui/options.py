"""Autocomplete for options that several commands share. Answers from memory, nearly always."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import discord
from discord import app_commands

from bot.catalog import Ability, Model, label, size_choices
from cogs.ui.intake import actor_of, services_of

MOST_CHOICES = 25
_MOST_VALUE = 100


async def complete_model(
    interaction: discord.Interaction[Any], current: str
) -> list[app_commands.Choice[str]]:
    """Models that match what is typed so far; those that need a picture not where none goes in."""
    from_words = interaction.command is not None and interaction.command.name == "imagine"
    services, actor = services_of(interaction), actor_of(interaction)
    found = services.catalog.search(
        current,
        limit=MOST_CHOICES,
        images=0 if from_words else None,
        first=services.preferences.habits(actor),
        allowed=await services.planner.shown(actor),
    )
    return _choices(found)


async def complete_editor(
    interaction: discord.Interaction[Any], current: str
) -> list[app_commands.Choice[str]]:
    """Models that can edit as many pictures as are attached, with a mask if there is one."""
    # By name alone: Discord need not say what file it is while somebody still types.
    given = [name for name, _ in interaction.namespace]
    images = sum(name.startswith("image") for name in given)
    needs = {Ability.EDIT}
    if "mask" in given or "area" in given:
        needs.add(Ability.MASK)
    services, actor = services_of(interaction), actor_of(interaction)
    found = services.catalog.search(
        current,
        limit=MOST_CHOICES,
        needs=needs,
        images=max(1, images),
        first=services.preferences.habits(actor),
        allowed=await services.planner.shown(actor),
    )
    return _choices(found)


async def complete_compared(
    interaction: discord.Interaction[Any], current: str
) -> list[app_commands.Choice[str]]:
    """Models that make pictures from words and don't take part in the comparison yet."""
    services, actor = services_of(interaction), actor_of(interaction)
    catalog, allowed = services.catalog, await services.planner.shown(actor)
    named = [value for name, value in interaction.namespace if name.startswith("model")]
    taking_part = {model.id for name in named if name != current and (model := catalog.get(name))}
    found = catalog.search(
        current,
        limit=MOST_CHOICES,
        images=0,
        first=services.preferences.habits(actor),
        allowed=lambda model: model.id not in taking_part and allowed(model),
    )
    return _choices(found)


async def complete_size(
    interaction: discord.Interaction[Any], current: str
) -> list[app_commands.Choice[str]]:
    """Sizes of the model chosen so far, else of the person's own, or the usual ones."""
    services = services_of(interaction)
    chosen = getattr(interaction.namespace, "model", None)
    if not chosen:
        chosen = services.preferences.remembered(actor_of(interaction)).model
    model = services.catalog.get(chosen) if isinstance(chosen, str) else None
    return [
        app_commands.Choice(name=name, value=value) for name, value in size_choices(model, current)
    ]


def _choices(models: Iterable[Model]) -> list[app_commands.Choice[str]]:
    return [_choice(label(model), model.id) for model in models if len(model.id) <= _MOST_VALUE]


@lru_cache(maxsize=2_000)
def _choice(name: str, value: str) -> app_commands.Choice[str]:
    """Make a choice; remembered, since every key press shows 25, nearly all of them once more."""
    return app_commands.Choice(name=name, value=value)
