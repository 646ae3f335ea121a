"""The ways to an edit that no one types: the Apps menu of messages, buttons, and their form."""

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import ImageBot
from cogs.ui import edit_form, edit_tray, intake
from cogs.ui.edit_buttons import EditButton


class EditMenus(commands.Cog):
    """Two commands on messages, and every form of an edit."""

    def __init__(self, bot: ImageBot) -> None:
        self._bot = bot
        self._commands = (
            _on_messages("Edit image", _edit_image),
            _on_messages("Add to edit tray", _add_to_tray),
        )

    async def cog_load(self) -> None:
        """Add the commands; discord.py adds only those of the slash by itself."""
        for command in self._commands:
            self._bot.tree.add_command(command)

    @commands.Cog.listener()
    async def on_form_submitted(self, interaction: discord.Interaction[Any]) -> None:
        """Answer a submitted form, whichever process opened it."""
        if not edit_form.is_ours(interaction):
            return
        form = edit_form.form_of(interaction)
        if form is None:
            await intake.tell_fault(interaction, "This form is not known any more. Open it again.")
        else:
            await intake.guarded(interaction, edit_form.submitted(interaction, form))


def _on_messages(name: str, callback: Any) -> app_commands.ContextMenu:
    """A command in the Apps menu of messages, wherever `/imagine` is."""
    return app_commands.ContextMenu(
        name=name,
        callback=callback,
        type=discord.AppCommandType.message,
        allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        allowed_contexts=app_commands.AppCommandContext(
            guild=True, dm_channel=True, private_channel=True
        ),
    )


async def _edit_image(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    await edit_tray.edit_message(interaction, message)


async def _add_to_tray(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    await edit_tray.add_to_tray(interaction, message)


async def setup(bot: ImageBot) -> None:
    """Add the cog, and what its messages hold."""
    bot.add_dynamic_items(EditButton, *edit_tray.ALL)
    await bot.add_cog(EditMenus(bot))
