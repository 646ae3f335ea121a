"""**Compare** on a model's page: a form with a prompt, and with whom the model is compared.

As with **Try it**, what the form is about stands in its `custom_id`, and a cog (`cogs.compare`)
answers every submission from that alone: a form that was opened before a restart still works.
"""

import re
from typing import Any, Final, Self

import discord

from bot.catalog import Model, label
from bot.planning import MOST_PICTURES
from bot.requests import ImageRequest
from bot.wishes import Wishes
from cogs.ui import intake, wishing
from cogs.ui.intake import Interaction, actor_of, services_of
from cogs.ui.model_query import KEY, key_of, model_of
from cogs.ui.submissions import Submission, custom_id_of
from cogs.ui.text import shorten

PROMPT: Final = "prompt"
OTHERS: Final = "others"
"""The custom ids of the fields."""
_FORM_SECONDS: Final = 900
_MOST_PROMPT: Final = 4_000
_MOST_TITLE: Final = 45
_MOST_OPTIONS: Final = 25
_MOST_VALUE: Final = 100
_TEMPLATE: Final = re.compile(rf"comparing:{KEY}:[0-9]{{1,19}}", flags=re.ASCII)


class CompareButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=re.compile(rf"model:compare:{KEY}", flags=re.ASCII),
):
    """Opens the form for a model."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(
            discord.ui.Button(
                label="Compare",
                emoji="⚖️",
                custom_id=f"model:compare:{key}",
                style=discord.ButtonStyle.secondary,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(match["key"])

    async def callback(self, interaction: Interaction) -> None:
        """Open the form."""
        await intake.guarded(interaction, _open(interaction, self.key))


async def _open(interaction: Interaction, key: str) -> None:
    """Show the form with what whoever clicked may use: their own models and popular ones first."""
    services, actor = services_of(interaction), actor_of(interaction)
    catalog = services.catalog
    model = catalog.get(model_of(key, catalog))
    if model is None:
        await intake.tell_fault(interaction, "ImageRouter does not list this model any more.")
        return
    found = catalog.search(
        "",
        limit=_MOST_OPTIONS + 1,
        images=0,
        first=services.preferences.habits(actor),
        allowed=await services.planner.shown(actor),
    )
    others = [each for each in found if each != model and len(each.id) <= _MOST_VALUE]
    if not others:
        await intake.tell_fault(interaction, "There is no other model that you may use here.")
        return
    await interaction.response.send_modal(
        _CompareForm(model, others[:_MOST_OPTIONS], interaction.id)
    )


class _CompareForm(discord.ui.Modal):
    """Its submission is answered by the cog, whether this object still lives or not."""

    def __init__(self, model: Model, others: list[Model], nonce: int) -> None:
        super().__init__(
            title=shorten(f"Compare {model.short_name}", _MOST_TITLE),
            custom_id=f"comparing:{key_of(model.id)}:{nonce}",
            timeout=_FORM_SECONDS,
        )
        self.add_item(
            discord.ui.Label(
                text="What would you like to see?",
                component=discord.ui.TextInput(
                    custom_id=PROMPT,
                    style=discord.TextStyle.paragraph,
                    max_length=_MOST_PROMPT,
                ),
            )
        )
        options = [discord.SelectOption(label=label(each), value=each.id) for each in others]
        self.add_item(
            discord.ui.Label(
                text="Compared with",
                description="Each model is charged at its own price.",
                component=discord.ui.Select(
                    custom_id=OTHERS,
                    min_values=1,
                    max_values=min(MOST_PICTURES - 1, len(options)),
                    options=options,
                ),
            )
        )

    async def on_submit(self, interaction: Interaction, /) -> None:
        """Leave the answer to the cog."""


def is_ours(interaction: Interaction) -> bool:
    """Whether a submitted form is one of these, of this version of the bot or of another one."""
    return custom_id_of(interaction).startswith("comparing:")


async def submitted(interaction: Interaction) -> None:
    """Start the comparison, as if the command had been typed."""
    found = _TEMPLATE.fullmatch(custom_id_of(interaction))
    typed = Submission.of(interaction)
    others = typed.values(OTHERS)
    if found is None or not others:
        await intake.tell_fault(interaction, "This form is not known any more. Open it again.")
        return
    model = model_of(found["key"], services_of(interaction).catalog)
    models = [model, *others[: MOST_PICTURES - 1]]
    request = ImageRequest(command="compare", prompt=typed.text(PROMPT)).by_models(models)
    await wishing.take(interaction, request, Wishes())
