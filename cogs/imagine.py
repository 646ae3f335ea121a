"""`/imagine`: from a typed prompt to a posted picture."""

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import ImageBot
from bot.planning import MOST_PICTURES, MOST_PROMPT
from bot.requests import ImageRequest, OutputFormat, Quality
from bot.wishes import Wishes
from cogs.ui import options, wishing


class Imagine(commands.Cog):
    """Text to image."""

    @app_commands.command(name="imagine", description="Make a picture from words")
    @app_commands.describe(
        prompt="What you would like to see",
        model="The model that makes it; the default suits most wishes",
        size="auto, or width x height in pixels, such as 1024x1024",
        quality="How much effort the model spends; more costs more",
        output_format="The file format",
        count=f"How many pictures, from 1 to {MOST_PICTURES}, each at its price",
        private="Only you see it, and neither prompt nor picture is kept",
    )
    @app_commands.rename(output_format="format")
    @app_commands.choices(quality=options.QUALITIES, output_format=options.FORMATS)
    @app_commands.autocomplete(model=options.complete_model, size=options.complete_size)
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def imagine(
        self,
        interaction: discord.Interaction[Any],
        prompt: app_commands.Range[str, 1, MOST_PROMPT],
        model: app_commands.Range[str, 1, 100] | None = None,
        size: app_commands.Range[str, 1, 20] | None = None,
        quality: Quality | None = None,
        output_format: OutputFormat | None = None,
        count: app_commands.Range[int, 1, MOST_PICTURES] = 1,
        private: bool | None = None,  # noqa: FBT001 - an option of a slash command
    ) -> None:
        """Hand the request over; it is owned by the use case from then on."""
        request = ImageRequest(command="imagine", prompt=prompt, count=count)
        said = Wishes(model, size, quality, output_format, private)
        await wishing.take(interaction, request, said)


async def setup(bot: ImageBot) -> None:
    """Add the cog."""
    await bot.add_cog(Imagine())
