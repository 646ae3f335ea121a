"""The least `/edit` that does the same calls: the floor that the real one is compared with.

Defer, one edit, a download of each attachment, one POST to ImageRouter with all of them, one
download, an edit with the attachment, one private follow-up. Nothing is judged, and everything is
held in memory.
"""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
from discord.ext import commands

from benchmarks import Addresses
from benchmarks.least import box, show


@asynccontextmanager
async def add_edit(
    bot: commands.AutoShardedBot, addresses: Addresses
) -> AsyncIterator[Callable[[], Coroutine[Any, Any, None]]]:
    """Add the command to `bot`, and give what sends the command list to Discord."""
    headers = {"Authorization": f"Bearer {addresses.api_key}"}
    edits = f"{addresses.imagerouter_url}/v1/openai/images/edits"
    async with aiohttp.ClientSession() as session:

        @bot.tree.command(name="edit", description="Make a picture from pictures")
        async def edit(  # noqa: PLR0917 - the options of a slash command
            interaction: discord.Interaction[Any],
            image: discord.Attachment,
            prompt: str,
            model: str,
            image2: discord.Attachment | None = None,
            image3: discord.Attachment | None = None,
            image4: discord.Attachment | None = None,
            image5: discord.Attachment | None = None,
            image6: discord.Attachment | None = None,
            image7: discord.Attachment | None = None,
            image8: discord.Attachment | None = None,
            image9: discord.Attachment | None = None,
            image10: discord.Attachment | None = None,
            image11: discord.Attachment | None = None,
            image12: discord.Attachment | None = None,
            image13: discord.Attachment | None = None,
            image14: discord.Attachment | None = None,
            image15: discord.Attachment | None = None,
            image16: discord.Attachment | None = None,
        ) -> None:
            given = [image, image2, image3, image4, image5, image6, image7, image8]
            given += [image9, image10, image11, image12, image13, image14, image15, image16]
            await interaction.response.defer(thinking=True)
            await interaction.edit_original_response(view=box(f"**{model}** works on a picture."))
            form = aiohttp.FormData({"model": model, "prompt": prompt, "output_format": "webp"})
            for each in given:
                if each is not None:
                    data = await each.read()
                    form.add_field("image[]", data, filename=each.filename)
            async with session.post(edits, data=form, headers=headers) as answer:
                made = await answer.json()
            async with session.get(made["data"][0]["url"]) as answer:
                picture = await answer.read()
            await show(interaction, prompt, picture, cost=made["cost"])

        async def sync() -> None:
            await bot.tree.sync()

        yield sync
