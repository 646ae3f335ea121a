"""Autocomplete for options that several commands share. Answers from memory, nearly always."""

from collections.abc import Collection
from functools import lru_cache
from typing import Any, Final

import discord
from discord import app_commands

from bot.catalog import Ability, Model, label, size_choices
from bot.requests import OutputFormat, Quality
from cogs.ui.intake import actor_of, services_of

MOST_CHOICES = 25
QUALITIES: Final = [app_commands.Choice(name=each.value, value=each.value) for each in Quality]
FORMATS: Final = [app_commands.Choice(name=each.value, value=each.value) for each in OutputFormat]
"""By their values: discord.py would show the names that they have in our code."""
_MOST_VALUE = 100


async def complete_model(
    interaction: discord.Interaction[Any], current: str
) -> list[app_commands.Choice[str]]:
    """Models that match what is typed so far; those that need a picture not where none goes in."""
    from_words = interaction.command is not None and interaction.command.name == "imagine"
    return await _complete(interaction, current, images=0 if from_words else None)


async def complete_editor(
    interaction: discord.Interaction[Any], current: str
) -> list[app_commands.Choice[str]]:
    """Models that can edit as many pictures as are attached, with a mask if there is one."""
    needs, images = _edited(interaction)
    return await _complete(interaction, current, needs=needs, images=max(1, images))


def _edited(interaction: discord.Interaction[Any]) -> tuple[set[Ability], int]:
    """What a model has to be able to do with the pictures attached so far, and how many they are.

    By name alone: Discord need not say what file it is while somebody still types.
    """
    given = [name for name, _ in interaction.namespace]
    images = sum(name.startswith("image") for name in given)
    masked = "mask" in given or "area" in given
    return {Ability.EDIT, Ability.MASK} if masked else {Ability.EDIT}, images


async def complete_compared(
    interaction: discord.Interaction[Any], current: str
) -> list[app_commands.Choice[str]]:
    """Models that make pictures from words and don't take part in the comparison yet."""
    catalog = services_of(interaction).catalog
    named = [value for name, value in interaction.namespace if name.startswith("model")]
    taking_part = {model.id for name in named if name != current and (model := catalog.get(name))}
    return await _complete(interaction, current, images=0, but=taking_part)


async def _complete(
    interaction: discord.Interaction[Any],
    current: str,
    *,
    needs: Collection[Ability] = (),
    images: int | None,
    but: Collection[str] = (),
) -> list[app_commands.Choice[str]]:
    """Models that match, can do the job, and may be used here, but for those with these ids."""
    services, actor = services_of(interaction), actor_of(interaction)
    allowed = await services.planner.shown(actor)
    found = services.catalog.search(
        current,
        limit=MOST_CHOICES,
        needs=needs,
        images=images,
        first=services.preferences.habits(actor),
        allowed=(
            (lambda model: model.id not in but and allowed(model))
            if but or allowed.is_limited
            else None
        ),
    )
    return [_choice(label(model), model.id) for model in found if len(model.id) <= _MOST_VALUE]


async def complete_size(
    interaction: discord.Interaction[Any], current: str
) -> list[app_commands.Choice[str]]:
    """Sizes of the first model named so far, else of the one that would be used, or usual ones."""
    named = (value for name, value in interaction.namespace if name.startswith("model"))
    chosen = next((value for value in named if value), None)
    model = services_of(interaction).catalog.get(chosen) if chosen else await _usual(interaction)
    return [
        app_commands.Choice(name=name, value=value) for name, value in size_choices(model, current)
    ]


async def _usual(interaction: discord.Interaction[Any]) -> Model | None:
    """Return the default model that gets the job when none is named; None if no default can."""
    services = services_of(interaction)
    allowed = await services.planner.shown(actor_of(interaction))
    needs, images = _edited(interaction)
    return services.catalog.first_able(
        services.planner.defaults(allowed), needs if images else (), images=images, allowed=allowed
    )


@lru_cache(maxsize=2_000)
def _choice(name: str, value: str) -> app_commands.Choice[str]:
    """Make a choice; remembered, since every key press shows 25, nearly all of them once more."""
    return app_commands.Choice(name=name, value=value)
