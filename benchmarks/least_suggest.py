"""The least autocomplete: it answers the same list whatever is typed, made once."""

from collections.abc import Callable, Coroutine
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from benchmarks.invented import model_ids
from benchmarks.suggestions import SHOWN


def add_suggestions(bot: commands.AutoShardedBot) -> Callable[[], Coroutine[Any, Any, None]]:
    """Add the command to `bot`, and give what sends the command list to Discord."""
    choices = [
        app_commands.Choice(name=f"{name.partition('/')[2]} · about $0.0013", value=name)
        for name in model_ids(SHOWN)
    ]

    async def complete(_: discord.Interaction[Any], __: str) -> list[app_commands.Choice[str]]:
        return choices

    @bot.tree.command(name="imagine", description="Make a picture from words")
    @app_commands.autocomplete(model=complete)
    async def imagine(interaction: discord.Interaction[Any], prompt: str, model: str) -> None:
        await interaction.response.send_message(f"{model}: {prompt}")

    async def sync() -> None:
        await bot.tree.sync()

    return sync
