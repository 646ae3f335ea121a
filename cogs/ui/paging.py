"""The look of the buttons that turn a panel's pages; each panel knows which pages it has."""

from typing import Any

import discord


def turn_button(face: tuple[str, str], custom_id: str, *, there_is: bool) -> discord.ui.Button[Any]:
    """Make a button of a label and an emoji; it can't be pressed where there is no such page."""
    label, emoji = face
    return discord.ui.Button(
        label=label,
        emoji=emoji,
        custom_id=custom_id,
        style=discord.ButtonStyle.secondary,
        disabled=not there_is,
    )
