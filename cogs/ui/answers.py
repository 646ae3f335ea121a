"""Private answers to commands, clicks and forms that change or show rules.

Each way in acknowledges first, then checks who asks, then does its work, and shows what came of it;
a `BotError` becomes its sentence.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

import discord
from msgspec import Struct

from bot.cards import CardRefused, RouteBusy, RouteClosed, UploadTooLarge
from bot.errors import BotError
from bot.requests import ReplyRoute
from cogs.ui import access, errors, intake
from cogs.ui.access import Needs
from cogs.ui.intake import Interaction
from cogs.ui.network import NETWORK_FAULTS, translated
from cogs.ui.uploads import attachment

_log = logging.getLogger(__name__)


class Changed(Struct, frozen=True):
    """What is shown to the person who changed something, and a line on it for the log channel."""

    shown: discord.ui.LayoutView
    note: str


class Illustrated(Struct, frozen=True):
    """What is shown together with pictures, by the names under which it refers to them.

    Those that the message had before are taken away.
    """

    shown: discord.ui.LayoutView
    pictures: Mapping[str, bytes]

    def files(self) -> list[discord.File]:
        """Return the pictures, to be sent once."""
        return [attachment(data, name) for name, data in self.pictures.items()]


Shown: TypeAlias = str | discord.ui.LayoutView | Changed | Illustrated
Work: TypeAlias = Callable[[], Awaitable[Shown]]

_COLOUR: Final = discord.Colour(0x4C6FDB)
REFUSED: Final = discord.Colour(0xC9503C)
_UNSHOWN: Final = "Something broke, and it is our fault: the answer can't be shown."


def boxed(
    *parts: discord.ui.Item[Any] | str, colour: discord.Colour = _COLOUR
) -> discord.ui.LayoutView:
    """Make a message of one box; a text is an item of its own."""
    items = [discord.ui.TextDisplay(part) if isinstance(part, str) else part for part in parts]
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(discord.ui.Container(*items, accent_colour=colour))
    return view


async def answer(interaction: Interaction, work: Work, *, needs: Needs) -> None:
    """Answer a command, for the person's eyes only."""
    with intake.services_of(interaction).generation.taking():
        reply = await intake.defer(interaction, private=True)
        if reply is None:
            return
        outcome = await _outcome(interaction, work, needs)
        await _show(interaction, outcome, reply)
        await _tell_log(interaction, outcome.note)


async def update(interaction: Interaction, work: Work, *, needs: Needs) -> None:
    """Answer a click, or a form that a click opened: its message shows what came of it.

    A refusal comes beside it, so that what was shown stays.
    """
    with intake.services_of(interaction).generation.taking():
        try:
            await interaction.response.defer()
        except (discord.HTTPException, *NETWORK_FAULTS) as error:
            _log.warning("Click %d could not be acknowledged: %r", interaction.id, error)
            return
        outcome = await _outcome(interaction, work, needs)
        if outcome.refused:
            await interaction.followup.send(view=outcome.view, ephemeral=True)
            return
        await _show(interaction, outcome)
        await _tell_log(interaction, outcome.note)


async def _show(
    interaction: Interaction, outcome: "_Outcome", reply: ReplyRoute | None = None
) -> None:
    """Edit the answer, and try again while Discord is busy: as long as the token of `reply` lives.

    What was changed stays changed if that fails, so it is only logged; an answer that Discord calls
    invalid is told of in a sentence, since nobody may be left waiting.
    """

    async def send() -> None:
        files = discord.utils.MISSING if outcome.drawn is None else outcome.drawn.files()
        async with translated():
            await interaction.edit_original_response(view=outcome.view, attachments=files)

    try:
        await intake.services_of(interaction).delivery.patiently(send, reply)
    except (CardRefused, UploadTooLarge):
        _log.exception("Discord refused answer %d", interaction.id)
        await intake.tell_fault(interaction, _UNSHOWN)
    except (RouteBusy, RouteClosed) as error:
        _log.warning("Answer %d could not be shown: %r", interaction.id, error)


class _Outcome(Struct, frozen=True):
    view: discord.ui.LayoutView
    refused: bool = False
    note: str = ""
    drawn: Illustrated | None = None


async def _outcome(interaction: Interaction, work: Work, needs: Needs) -> _Outcome:
    """Check who asks, and do the work."""
    try:
        if (told := await access.refusal(interaction, needs)) is not None:
            return _Outcome(boxed(told, colour=REFUSED), refused=True)
        shown = await work()
    except BotError as error:
        why = errors.explain(error)
        return _Outcome(boxed(f"### {why.title}\n{why.body}", colour=REFUSED), refused=True)
    if isinstance(shown, Changed):
        return _Outcome(shown.shown, note=shown.note)
    if isinstance(shown, Illustrated):
        return _Outcome(shown.shown, drawn=shown)
    return _Outcome(boxed(shown) if isinstance(shown, str) else shown)


async def _tell_log(interaction: Interaction, note: str) -> None:
    """Post a line on a change in the guild's log channel, where there is one.

    The trail in the database is complete whatever becomes of it.
    """
    if not note or interaction.guild_id is None:
        return
    text = f"<@{interaction.user.id}> {note}"
    try:
        config = await intake.services_of(interaction).policies.config(interaction.guild_id)
        if config.log_channel is None:
            return
        channel = interaction.client.get_partial_messageable(config.log_channel)
        await channel.send(view=boxed(text))
    except (BotError, discord.HTTPException, *NETWORK_FAULTS) as error:
        _log.info("Guild %d's log channel was not told: %r", interaction.guild_id, error)
