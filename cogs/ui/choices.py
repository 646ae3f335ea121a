"""Choices that several commands offer."""

from enum import Enum
from typing import Final

from discord import app_commands

from bot.quotas import Window

PER_CHOICES: Final = [
    app_commands.Choice(name="a day", value=Window.DAY.value),
    app_commands.Choice(name="a week", value=Window.WEEK.value),
    app_commands.Choice(name="a month", value=Window.MONTH.value),
    app_commands.Choice(name="in all", value=Window.TOTAL.value),
    app_commands.Choice(name="one picture: the highest price", value=Window.IMAGE.value),
]
"""What an amount is for."""


class OnOff(Enum):
    """A switch."""

    ON = "on"
    OFF = "off"
