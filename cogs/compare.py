"""`/compare`: one prompt, two to four models, their pictures side by side in one message."""

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import ImageBot
from bot.planning import MOST_PROMPT
from bot.requests import ImageRequest, OutputFormat, Quality
from bot.wishes import Wishes
from cogs.ui import compare_form, intake, options, wishing

_Name = app_commands.Range[str, 1, 100]


class Compare(commands.Cog):
    """The same words for several models; and every form of **Compare**."""

    @app_commands.command(
        name="compare", description="Make the same picture with two to four models, side by side"
    )
    @app_commands.describe(
        prompt="What you would like to see",
        model1="The first model",
        model2="The second model",
        model3="A third model",
        model4="A fourth model",
        size="auto, or width x height in pixels, such as 1024x1024",
        quality="How much effort each model spends; more costs more",
        output_format="The file format",
        private="Only you see it, and neither prompt nor pictures are kept",
    )
    @app_commands.rename(output_format="format")
    @app_commands.choices(quality=options.QUALITIES, output_format=options.FORMATS)
    @app_commands.autocomplete(
        model1=options.complete_compared,
        model2=options.complete_compared,
        model3=options.complete_compared,
        model4=options.complete_compared,
        size=options.complete_size,
    )
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def compare(
        self,
        interaction: discord.Interaction[Any],
        prompt: app_commands.Range[str, 1, MOST_PROMPT],
        model1: _Name,
        model2: _Name,
        model3: _Name | None = None,
        model4: _Name | None = None,
        size: app_commands.Range[str, 1, 20] | None = None,
        quality: Quality | None = None,
        output_format: OutputFormat | None = None,
        private: bool | None = None,  # noqa: FBT001 - an option of a slash command
    ) -> None:
        """Hand the request over; it is owned by the use case from then on."""
        models = [name for name in (model1, model2, model3, model4) if name is not None]
        request = ImageRequest(command="compare", prompt=prompt).by_models(models)
        said = Wishes(None, size, quality, output_format, private)
        await wishing.take(interaction, request, said)

    @commands.Cog.listener()
    async def on_form_submitted(self, interaction: discord.Interaction[Any]) -> None:
        """Answer a submitted form, whichever process opened it."""
        if compare_form.is_ours(interaction):
            await intake.guarded(interaction, compare_form.submitted(interaction))


async def setup(bot: ImageBot) -> None:
    """Add the cog."""
    await bot.add_cog(Compare())
