"""**Try it** on a model's page: a form with a prompt, and for models that edit, a picture.

Everything that a form is about stands in its `custom_id`, and the cog `cogs.models` answers every
submission from that alone: a form that was opened before a restart still works.
"""

import re
from typing import Any, Final, Self

import discord

from bot.catalog import Ability, Model
from bot.requests import ImageRequest
from bot.wishes import Wishes
from cogs.ui import intake, wishing
from cogs.ui.intake import Interaction, services_of
from cogs.ui.model_query import KEY, key_of, model_of
from cogs.ui.submissions import Submission, custom_id_of
from cogs.ui.text import shorten

PROMPT: Final = "prompt"
PICTURE: Final = "picture"
"""The custom ids of the fields."""
_FORM_SECONDS: Final = 900
_MOST_PROMPT: Final = 4_000
_MOST_TITLE: Final = 45
_TEMPLATE: Final = re.compile(rf"trying:{KEY}:[0-9]{{1,19}}", flags=re.ASCII)


class TryButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=re.compile(rf"model:try:{KEY}", flags=re.ASCII),
):
    """Opens the form for a model."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(
            discord.ui.Button(
                label="Try it",
                emoji="🎨",
                custom_id=f"model:try:{key}",
                style=discord.ButtonStyle.primary,
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
    """Show the form; it is the first answer to a click, so nothing is awaited before it."""
    catalog = services_of(interaction).catalog
    model = catalog.get(model_of(key, catalog))
    if model is None:
        await intake.tell_fault(interaction, "ImageRouter does not list this model any more.")
        return
    await interaction.response.send_modal(_TryForm(model, interaction.id))


class _TryForm(discord.ui.Modal):
    """Its submission is answered by the cog, whether this object still lives or not."""

    def __init__(self, model: Model, nonce: int) -> None:
        super().__init__(
            title=shorten(f"Try {model.short_name}", _MOST_TITLE),
            custom_id=f"trying:{key_of(model.id)}:{nonce}",
            timeout=_FORM_SECONDS,
        )
        edits, from_words = Ability.EDIT in model.abilities, not model.seems_to_need_picture
        self.add_item(
            discord.ui.Label(
                text="What would you like to see?",
                component=discord.ui.TextInput(
                    custom_id=PROMPT,
                    style=discord.TextStyle.paragraph,
                    required=from_words,
                    max_length=_MOST_PROMPT,
                ),
            )
        )
        if edits:
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

    async def on_submit(self, interaction: Interaction, /) -> None:
        """Leave the answer to the cog."""


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
