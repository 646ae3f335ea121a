"""Sending a person the copy of their data: by direct message, or nowhere."""

import logging
from pathlib import Path
from typing import Final

import discord

from bot.aside import aside
from bot.cards import RouteBusy, RouteClosed, UploadTooLarge
from bot.takeout import Takeout, Underway
from cogs.ui.intake import Interaction, services_of
from cogs.ui.network import translated
from cogs.ui.uploads import attachment

_log = logging.getLogger(__name__)

_MOST_BYTES: Final = discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES - 64 * 1024
"""Of a file in a direct message, with room for what surrounds it."""

_CLOSED: Final = (
    "### It could not be sent\n"
    "Your data goes to your direct messages only, and the bot can't write to you there. Nothing "
    "was sent anywhere else.\n"
    "**What to do:** open the menu of a server that you share with the bot, then **Privacy "
    "Settings**, and allow direct messages from its members. Then use `/privacy export` again."
)
_BUSY: Final = (
    "### It could not be sent\n"
    "Discord does not take it just now. Use `/privacy export` again in a few minutes."
)
_FULL: Final = (
    "### It could not be made\n"
    "There is no room on the bot's disk just now. Use `/privacy export` again later; if that does "
    "not help, tell the operator of this bot."
)
_UNDERWAY: Final = (
    "### It is on its way\nYour data is being put together already. Wait for the direct message."
)


async def send(interaction: Interaction) -> str:
    """Send the copy, and return what is said about that. Raises LedgerUnavailable."""
    takeouts = services_of(interaction).takeouts
    try:
        async with takeouts.of(interaction.user.id, most_bytes=_MOST_BYTES) as takeout:
            for number, file in enumerate(takeout.files, 1):
                await _post(interaction, file, _caption(number, len(takeout.files)))
            return _sent(takeout)
    except Underway:
        return _UNDERWAY
    except RouteClosed:
        return _CLOSED
    except (RouteBusy, UploadTooLarge) as error:
        _log.warning("A copy of somebody's data could not be sent: %r", error)
        return _BUSY
    except OSError:
        _log.exception("A copy of somebody's data could not be made")
        return _FULL


async def _post(interaction: Interaction, path: Path, caption: str) -> None:
    data = await aside(path.read_bytes)
    async with translated():
        channel = await interaction.client.create_dm(discord.Object(interaction.user.id))
        await channel.send(caption, file=attachment(data, path.name))


def _caption(number: int, of: int) -> str:
    which = "" if of == 1 else f", part {number} of {of}"
    return (
        f"Everything that this bot keeps about you{which}, as you asked with `/privacy export`. "
        "Nobody else has got it. Links to pictures in it die after a while."
    )


def _sent(takeout: Takeout) -> str:
    jobs = takeout.records.get("job", 0)
    others = sum(takeout.records.values()) - jobs
    files = "a file" if len(takeout.files) == 1 else f"{len(takeout.files)} files"
    return (
        f"### Sent\nYour direct messages have {files} with everything about you: "
        f"{jobs:,} {'job' if jobs == 1 else 'jobs'} with prompts and costs, and {others:,} other "
        f"{'record' if others == 1 else 'records'} (settings, tray, limits and grants for you, "
        "changes that you made, sums of months).\n"
        "-# It is JSON, which is text that programs read, too."
    )
