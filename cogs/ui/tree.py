"""The command tree: whatever a command raises becomes an answer and a line in the log."""

import logging
from typing import Any

import discord
from discord import app_commands

from bot.client import ImageBot
from cogs.ui.intake import tell_fault

_log = logging.getLogger(__name__)


class Tree(app_commands.CommandTree[ImageBot]):
    """A command tree whose errors are told to the person."""

    async def on_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /
    ) -> None:
        """Tell the person; a fault of ours is logged with its trace."""
        match error:
            case app_commands.CommandSignatureMismatch() | app_commands.CommandNotFound():
                _log.warning("A command is older than this bot: %s", error)
                text = "This command has just changed. Restart Discord (Ctrl-R) and try again."
            case app_commands.CheckFailure():
                text = "You may not use this command here."
            case _:
                _log.error("A fault in a command", exc_info=error)
                text = "Something broke, and it is our fault. Try again; it cost you nothing."
        await tell_fault(interaction, text)
