"""What the forms on a model's page have in common: the button that opens one, and its prompt.

Everything that a form is about stands in its `custom_id`, and a cog answers every submission from
that alone: a form that was opened before a restart still works.
"""

import re
from typing import Any, ClassVar, Final, Self

import discord

from bot.catalog import Model
from cogs.ui import intake
from cogs.ui.intake import Interaction
from cogs.ui.model_query import key_of
from cogs.ui.text import shorten

PROMPT: Final = "prompt"
"""The custom id of the field."""
GONE: Final = "ImageRouter does not list this model any more."
_FORM_SECONDS: Final = 900
_MOST_PROMPT: Final = 4_000
_MOST_TITLE: Final = 45


class FormButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"(?!)"):
    """Opens a form for the model that `key` names. The template of each has its `name` and KEY."""

    name: ClassVar[str]
    """What its `custom_id` begins with."""
    label: ClassVar[str]
    emoji: ClassVar[str]
    style: ClassVar[discord.ButtonStyle] = discord.ButtonStyle.secondary

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(
            discord.ui.Button(
                label=self.label,
                emoji=self.emoji,
                custom_id=f"{self.name}:{key}",
                style=self.style,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(match["key"])

    async def callback(self, interaction: Interaction) -> None:
        """Open the form, or say why not."""
        await intake.guarded(interaction, self.open(interaction))

    async def open(self, interaction: Interaction) -> None:
        """Open the form."""
        raise NotImplementedError


class ModelForm(discord.ui.Modal):
    """A form with a prompt; its submission is answered whether this object still lives or not."""

    def __init__(
        self, model: Model, nonce: int, *, verb: str, name: str, needs_words: bool = True
    ) -> None:
        """`verb` begins its title, `name` its `custom_id`."""
        super().__init__(
            title=shorten(f"{verb} {model.short_name}", _MOST_TITLE),
            custom_id=f"{name}:{key_of(model.id)}:{nonce}",
            timeout=_FORM_SECONDS,
        )
        self.add_item(
            discord.ui.Label(
                text="What would you like to see?",
                component=discord.ui.TextInput(
                    custom_id=PROMPT,
                    style=discord.TextStyle.paragraph,
                    required=needs_words,
                    max_length=_MOST_PROMPT,
                ),
            )
        )

    async def on_submit(self, interaction: Interaction, /) -> None:
        """Leave the answer to the cog."""
