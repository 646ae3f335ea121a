"""Autocomplete for options that several commands share. Answers from memory, nearly always."""

from collections.abc import Collection
from functools import lru_cache
from typing import Any

import discord
from discord import app_commands

from bot.catalog import Ability, label, size_choices
from cogs.ui.intake import actor_of, services_of

MOST_CHOICES = 25
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
    # By name alone: Discord need not say what file it is while somebody still types.
    given = [name for name, _ in interaction.namespace]
    images = sum(name.startswith("image") for name in given)
    needs = {Ability.EDIT}
    if "mask" in given or "area" in given:
        needs.add(Ability.MASK)
    return await _complete(interaction, current, needs=needs, images=max(1, images))


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
    """Sizes of the model chosen so far, else of the person's own, or the usual ones."""
    services = services_of(interaction)
    chosen = getattr(interaction.namespace, "model", None)
    if not chosen:
        chosen = services.preferences.remembered(actor_of(interaction)).model
    model = services.catalog.get(chosen) if isinstance(chosen, str) else None
    return [
        app_commands.Choice(name=name, value=value) for name, value in size_choices(model, current)
    ]


@lru_cache(maxsize=2_000)
def _choice(name: str, value: str) -> app_commands.Choice[str]:
    """Make a choice; remembered, since every key press shows 25, nearly all of them once more."""
    return app_commands.Choice(name=name, value=value)
