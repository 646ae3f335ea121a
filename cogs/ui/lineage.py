"""Where an edit came from, and the way back: **Undo**, and **Paint area** on results.

Undo posts the picture that an edit started from. It makes nothing and costs nothing.
"""

import logging
import re
from functools import partial
from typing import Any, Final, Self

import discord
from msgspec.structs import replace

from bot.cards import Failure, MessageGone, UploadTooLarge
from bot.errors import BotError, NotKept, NotYours, UnusableInput
from bot.ids import MOST_ID
from bot.images import Prepared, filename
from bot.requests import ImageRequest, ReplyRoute
from bot.storage import Job
from cogs.ui import answers, intake, painting
from cogs.ui.edit_buttons import EditButton
from cogs.ui.intake import Interaction, services_of, shows
from cogs.ui.network import translated
from cogs.ui.pictures import pictures_in
from cogs.ui.uploads import attachment

_log = logging.getLogger(__name__)

_SECONDARY: Final = discord.ButtonStyle.secondary
_MOST_LINKS: Final = 10
"""A message has no more attachments."""
_SWITCHED_OFF: Final = (
    "The mask painter is switched off. `/edit` takes a `mask` or an `area` instead."
)
_SIZES_TRIED: Final = 4
"""How often a picture that Discord finds too large is made smaller."""


class UndoButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"undo:(?P<id>[0-9]{1,19})"
):
    """Posts what the edit `job_id` started from."""

    def __init__(self, job_id: int) -> None:
        self.job_id = job_id
        super().__init__(
            discord.ui.Button(label="Undo", emoji="↩️", custom_id=f"undo:{job_id}", style=_SECONDARY)
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(min(int(match["id"]), MOST_ID))

    async def callback(self, interaction: Interaction) -> None:
        """Post it."""
        await intake.guarded(interaction, _undo(interaction, self.job_id))


class PaintButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=r"paint:(?P<id>[0-9]{1,19}):(?P<private>[01])",
):
    """Gives whoever clicks a link to paint on the result of job `job_id`."""

    def __init__(self, job_id: int, *, private: bool) -> None:
        self.job_id = job_id
        self.private = private
        super().__init__(
            discord.ui.Button(
                label="Paint area",
                emoji="🖌️",
                custom_id=f"paint:{job_id}:{private:d}",
                style=_SECONDARY,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(min(int(match["id"]), MOST_ID), private=match["private"] == "1")

    async def callback(self, interaction: Interaction) -> None:
        """Answer with the link, for their eyes only."""
        await intake.guarded(interaction, _paint(interaction, self.job_id, private=self.private))


async def _paint(interaction: Interaction, job_id: int, *, private: bool) -> None:
    if not services_of(interaction).painting.available:
        await intake.tell_fault(interaction, _SWITCHED_OFF)
        return
    message = interaction.message
    found = pictures_in(message)[:_MOST_LINKS] if message is not None else []
    if not found:
        await intake.tell_fault(interaction, "There is nothing here that can be painted on.")
        return
    blank = ImageRequest(command="edit", prompt="", private=private)
    requests = [replace(blank, images=(source,)) for source in found]
    await painting.invite(interaction, *requests, result_of=job_id)


async def _undo(interaction: Interaction, job_id: int) -> None:
    services = services_of(interaction)
    with services.generation.taking():
        reply = await intake.defer(interaction, private=False)
        if reply is None:
            return
        error: BotError | None = None
        try:
            job = await _edit_below(interaction, job_id)
            await _post(interaction, job, await services.inputs.read(job.request.images[0]), reply)
        except MessageGone:
            _log.info("The answer to click %d was deleted before it came", interaction.id)
            return
        except BotError as known:
            error = known
        except Exception:  # noqa: BLE001 - whatever it is, the person is told
            _log.exception("Click %d could not be undone", interaction.id)
        else:
            return
        refused = Failure(ImageRequest(command="", prompt=""), error)
        await services.delivery.failure(reply, refused, user_id=interaction.user.id)


async def _edit_below(interaction: Interaction, job_id: int) -> Job:
    """The edit whose button was clicked.

    Raises:
        NotKept: nobody knows what it started from.
        NotYours: it is somebody else's. A moderator may undo what a message shows; what came with
            a command has been seen by nobody but its person.
    """
    job = await services_of(interaction).jobs.get(job_id)
    if job is None or not job.request.images or not shows(interaction.message, job):
        raise NotKept
    first = job.request.images[0]
    own = job.actor.user_id == interaction.user.id and not first.borrowed
    if not own and not (first.message_id and interaction.permissions.manage_messages):
        raise NotYours
    return job


async def _post(interaction: Interaction, job: Job, data: bytes, reply: ReplyRoute) -> None:
    """Post a picture, as large as it can be here.

    Raises:
        BotError: it can't be made small enough.
        RouteBusy, RouteClosed: Discord does not take it.
    """
    services = services_of(interaction)
    limit = interaction.filesize_limit
    for _ in range(_SIZES_TRIED):
        [fitted] = await services.tools.prepare([data], per_file=limit, in_all=limit, shrink=True)
        if not isinstance(fitted, Prepared):
            break
        try:
            await services.delivery.patiently(partial(_show, interaction, job, fitted), reply)
        except UploadTooLarge:
            limit = len(fitted.data) // 2
        else:
            return
    raise UnusableInput(job.request.images[0].filename, "too_large")


async def _show(interaction: Interaction, job: Job, picture: Prepared) -> None:
    name = filename(0, picture.extension)
    file = attachment(picture.data, name)
    async with translated():
        await interaction.edit_original_response(view=_restored(job, name), attachments=[file])


def _restored(job: Job, name: str) -> discord.ui.LayoutView:
    item = discord.MediaGalleryItem(f"attachment://{name}")
    told = f"-# Before the edit by <@{job.actor.user_id}>. This was free."
    view = answers.boxed(discord.ui.MediaGallery(item), told)
    view.add_item(discord.ui.ActionRow(EditButton(job.parent_id or job.id, private=False)))
    return view
