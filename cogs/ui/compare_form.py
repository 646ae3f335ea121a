"""**Compare** on a model's page: a form with a prompt, and with whom the model is compared.

The cog `cogs.compare` answers every submission.
"""

import re
from typing import Final

import discord

from bot.catalog import Model, label
from bot.planning import MOST_PICTURES
from bot.requests import ImageRequest
from bot.wishes import Wishes
from cogs.ui import intake, wishing
from cogs.ui.intake import Interaction, actor_of, services_of
from cogs.ui.model_forms import GONE, PROMPT, FormButton, ModelForm
from cogs.ui.model_query import KEY, model_of
from cogs.ui.submissions import Submission, custom_id_of

OTHERS: Final = "others"
"""The custom id of the menu."""
_MOST_OPTIONS: Final = 25
_MOST_VALUE: Final = 100
_TEMPLATE: Final = re.compile(rf"comparing:{KEY}:[0-9]{{1,19}}", flags=re.ASCII)


class CompareButton(FormButton, template=re.compile(rf"model:compare:{KEY}", flags=re.ASCII)):
    """Opens the form for a model."""

    name, label, emoji = "model:compare", "Compare", "⚖️"

    async def open(self, interaction: Interaction) -> None:
        """Offer what whoever clicked may use: their own models and popular ones first."""
        services, actor = services_of(interaction), actor_of(interaction)
        catalog = services.catalog
        model = catalog.get(model_of(self.key, catalog))
        if model is None:
            await intake.tell_fault(interaction, GONE)
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
        form = _CompareForm(model, others[:_MOST_OPTIONS], interaction.id)
        await interaction.response.send_modal(form)


class _CompareForm(ModelForm):
    def __init__(self, model: Model, others: list[Model], nonce: int) -> None:
        super().__init__(model, nonce, verb="Compare", name="comparing")
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
