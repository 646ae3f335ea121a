"""**Try it** on a model's page: a form with a prompt, and for models that edit, a picture.

The cog `cogs.models` answers every submission.
"""

import re
from typing import Final

import discord

from bot.catalog import Ability, Model
from bot.requests import ImageRequest
from bot.wishes import Wishes
from cogs.ui import intake, wishing
from cogs.ui.intake import Interaction, services_of
from cogs.ui.model_forms import GONE, PROMPT, FormButton, ModelForm
from cogs.ui.model_query import KEY, model_of
from cogs.ui.submissions import Submission, custom_id_of

PICTURE: Final = "picture"
"""The custom id of the upload."""
_TEMPLATE: Final = re.compile(rf"trying:{KEY}:[0-9]{{1,19}}", flags=re.ASCII)


class TryButton(FormButton, template=re.compile(rf"model:try:{KEY}", flags=re.ASCII)):
    """Opens the form for a model."""

    name, label, emoji = "model:try", "Try it", "🎨"
    style = discord.ButtonStyle.primary

    async def open(self, interaction: Interaction) -> None:
        """Open it; it is the first answer to a click, so nothing is awaited before it."""
        catalog = services_of(interaction).catalog
        model = catalog.get(model_of(self.key, catalog))
        if model is None:
            await intake.tell_fault(interaction, GONE)
            return
        await interaction.response.send_modal(_TryForm(model, interaction.id))


class _TryForm(ModelForm):
    def __init__(self, model: Model, nonce: int) -> None:
        from_words = not model.seems_to_need_picture
        super().__init__(model, nonce, verb="Try", name="trying", needs_words=from_words)
        if Ability.EDIT in model.abilities:
            self.add_item(
                discord.ui.Label(
                    text="A picture to start from",
                    component=discord.ui.FileUpload(
                        custom_id=PICTURE,
                        required=not from_words,
                        min_values=0 if from_words else 1,
                        max_values=1,
                    ),
                )
            )


def is_ours(interaction: Interaction) -> bool:
    """Whether a submitted form is one of these, of this version of the bot or of another one."""
    return custom_id_of(interaction).startswith("trying:")


async def submitted(interaction: Interaction) -> None:
    """Start the job, as if the command had been typed."""
    found = _TEMPLATE.fullmatch(custom_id_of(interaction))
    if found is None:
        await intake.tell_fault(interaction, "This form is not known any more. Open it again.")
        return
    typed = Submission.of(interaction)
    images = typed.files(PICTURE)[:1]
    request = ImageRequest(
        command="edit" if images else "imagine",
        prompt=typed.text(PROMPT),
        images=images,
    )
    model = model_of(found["key"], services_of(interaction).catalog)
    await wishing.take(interaction, request, Wishes(model=model))
