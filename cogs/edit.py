"""`/edit`: new pictures from pictures, whole or only where a mask or an area says so."""

from typing import Any, Final

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import ImageBot
from bot.planning import MOST_PICTURES, MOST_PROMPT
from bot.requests import Area, ImageRequest, OutputFormat, Quality, Source
from bot.wishes import Wishes
from cogs.ui import options, painting, wishing
from cogs.ui.lineage import PaintButton, UndoButton
from cogs.ui.pictures import cleaned_name

_PAINT: Final = "paint"
_FURTHER: Final = tuple(f"image{number}" for number in range(2, 17))
_AREAS: Final = {
    Area.LEFT: "the left half",
    Area.RIGHT: "the right half",
    Area.TOP: "the upper half",
    Area.BOTTOM: "the lower half",
    Area.CENTER: "the middle",
    Area.BORDER: "the border",
    Area.BACKGROUND: "the background (what is transparent already)",
}


def _areas(*, paint: bool) -> list[app_commands.Choice[str]]:
    choices = [app_commands.Choice(name=name, value=area.value) for area, name in _AREAS.items()]
    if paint:
        choices.append(app_commands.Choice(name="paint it in your browser", value=_PAINT))
    return choices


def source_of(attachment: discord.Attachment) -> Source:
    """Where a picture that came with a command can be read, for a day."""
    return Source(attachment.url, cleaned_name(attachment.filename), attachment.size)


class Edit(commands.Cog):
    """Image to image."""

    @app_commands.command(name="edit", description="Change pictures, or make a new one from them")
    @app_commands.describe(
        image="The picture to start from",
        prompt="What shall change; some models need no words",
        mask="A picture of the same shape: white or transparent is what shall change",
        area="A part of the picture that shall change, without a mask",
        model="The model that does it; only those that can edit are listed",
        size="auto, or width x height in pixels, such as 1024x1024",
        quality="How much effort the model spends; more costs more",
        output_format="The file format",
        count=f"How many pictures, from 1 to {MOST_PICTURES}, each at its price",
        private="Only you see it, and neither prompt nor picture is kept",
        **dict.fromkeys(_FURTHER, "A further picture, for models that take several"),
    )
    @app_commands.rename(output_format="format")
    @app_commands.choices(quality=options.QUALITIES, output_format=options.FORMATS)
    @app_commands.choices(area=_areas(paint=True))
    @app_commands.autocomplete(model=options.complete_editor, size=options.complete_size)
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def edit(  # noqa: PLR0917 - the options of a slash command, as many as Discord allows
        self,
        interaction: discord.Interaction[Any],
        image: discord.Attachment,
        prompt: app_commands.Range[str, 1, MOST_PROMPT] | None = None,
        mask: discord.Attachment | None = None,
        area: str | None = None,
        model: app_commands.Range[str, 1, 100] | None = None,
        size: app_commands.Range[str, 1, 20] | None = None,
        quality: Quality | None = None,
        output_format: OutputFormat | None = None,
        count: app_commands.Range[int, 1, MOST_PICTURES] = 1,
        private: bool | None = None,  # noqa: FBT001 - an option of a slash command
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
        """Hand the request over, or give the link to the mask painter."""
        given = [image, image2, image3, image4, image5, image6, image7, image8]
        given += [image9, image10, image11, image12, image13, image14, image15, image16]
        request = ImageRequest(
            command="edit",
            prompt=prompt or "",
            count=count,
            images=tuple(source_of(each) for each in given if each is not None),
            mask=None if mask is None else source_of(mask),
            area=None if area in {None, _PAINT} else Area(area),
        )
        said = Wishes(model, size, quality, output_format, private)
        if area == _PAINT:
            await painting.invite(interaction, request, said=said)
        else:
            await wishing.take(interaction, request, said)


async def setup(bot: ImageBot) -> None:
    """Add the cog; without a painter its choice is not there."""
    cog = Edit()
    app_commands.choices(area=_areas(paint=bot.services.painting.available))(cog.edit)
    await bot.add_cog(cog)
    bot.add_dynamic_items(UndoButton, PaintButton)
