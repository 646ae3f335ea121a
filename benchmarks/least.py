"""The least `/imagine` that does the same calls: the floor that the real one is compared with.

Defer, one edit, one POST to ImageRouter, one download, an edit with the attachment, one private
follow-up; the messages have the same components, since what Discord is sent and answers is part of
a call. No ledger, no checks, no retries, nothing that a real bot could do without.
"""

import io
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
from discord.ext import commands

from benchmarks import Addresses


@asynccontextmanager
async def add_imagine(
    bot: commands.AutoShardedBot, addresses: Addresses
) -> AsyncIterator[Callable[[], Coroutine[Any, Any, None]]]:
    """Add the command to `bot`, and give what sends the command list to Discord."""
    headers = {"Authorization": f"Bearer {addresses.api_key}"}
    generations = f"{addresses.imagerouter_url}/v1/openai/images/generations"
    async with aiohttp.ClientSession() as session:

        @bot.tree.command(name="imagine", description="Make a picture from words")
        async def imagine(interaction: discord.Interaction[Any], prompt: str) -> None:
            await interaction.response.defer(thinking=True)
            await interaction.edit_original_response(view=box("**test/test** works on a picture."))
            body = {"model": "test/test", "prompt": prompt, "output_format": "webp"}
            async with session.post(generations, json=body, headers=headers) as answer:
                made = await answer.json()
            async with session.get(made["data"][0]["url"]) as answer:
                picture = await answer.read()
            await show(interaction, prompt, picture, cost=made["cost"])

        async def sync() -> None:
            await bot.tree.sync()

        yield sync


async def show(
    interaction: discord.Interaction[Any], prompt: str, picture: bytes, *, cost: float
) -> None:
    """Put the picture into the answer, and tell the person privately what is spent."""
    gallery = discord.ui.MediaGallery[Any](
        discord.MediaGalleryItem("attachment://picture.png", description=prompt)
    )
    view = box(prompt, gallery, f"-# **test/test** · ${cost}")
    buttons = [discord.ui.Button[Any](label=name, custom_id=name) for name in ("A", "D")]
    view.add_item(discord.ui.ActionRow(*buttons))
    await interaction.edit_original_response(
        view=view, attachments=[discord.File(io.BytesIO(picture), "picture.png")]
    )
    spent = discord.ui.LayoutView(timeout=None)
    spent.add_item(discord.ui.TextDisplay("-# You have spent something today."))
    await interaction.followup.send(view=spent, ephemeral=True)


def box(*parts: discord.ui.Item[Any] | str) -> discord.ui.LayoutView:
    """Return a message of one container, as the real bot's are."""
    view = discord.ui.LayoutView(timeout=None)
    items = [discord.ui.TextDisplay(part) if isinstance(part, str) else part for part in parts]
    view.add_item(discord.ui.Container(*items, accent_colour=0x2F9E6E))
    return view
