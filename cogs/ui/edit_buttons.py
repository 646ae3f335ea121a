"""The button **Edit** on results: opens the form of an edit for what the message shows.

It outlives restarts: its `custom_id` names the job, the pictures stand in the message itself.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, Self

import discord
from msgspec import Struct

from bot.ids import MOST_ID
from cogs.ui import intake
from cogs.ui.edit_form import Form, Place, open_form
from cogs.ui.intake import Interaction
from cogs.ui.pictures import pictures_in

_PENCIL: Final = discord.PartialEmoji(name="✏️")
_EDIT: Final = re.compile(r"edit:(?P<id>[0-9]{1,19}):(?P<private>[01])", flags=re.ASCII)


class Shown(Struct, frozen=True):
    """What a message of ours says that it shows: the result of a job."""

    job_id: int
    private: bool


class EditButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=_EDIT):
    """Edits the result of job `job_id`, as whoever clicks and at their cost.

    What comes of a private result is private.
    """

    def __init__(self, job_id: int, *, private: bool) -> None:
        self.shown = Shown(job_id, private)
        super().__init__(
            discord.ui.Button(
                label="Edit",
                emoji=_PENCIL,
                custom_id=f"edit:{job_id}:{private:d}",
                style=discord.ButtonStyle.secondary,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        shown = _shown_by(match)
        return cls(shown.job_id, private=shown.private)

    async def callback(self, interaction: Interaction) -> None:
        """Open the form."""
        await intake.guarded(interaction, _edit(interaction, self.shown))


async def _edit(interaction: Interaction, shown: Shown) -> None:
    pictures = [] if interaction.message is None else pictures_in(interaction.message)
    if not pictures:
        await intake.tell_fault(interaction, "This message shows no picture that can be edited.")
        return
    form = Form(Place.SHOWN, shown.job_id, private=shown.private)
    several = len(pictures) > 1
    await open_form(interaction, form, count=1, choices=pictures if several else ())


def result_in(message: discord.Message, *, bot_id: int | None) -> Shown | None:
    """Tell which job's result a message says that it shows; only the bot's own messages can."""
    if message.author.id != bot_id:
        return None
    found = (_EDIT.fullmatch(custom_id) for custom_id in _custom_ids(message.components))
    return next((_shown_by(match) for match in found if match is not None), None)


def _shown_by(match: re.Match[str]) -> Shown:
    return Shown(min(int(match["id"]), MOST_ID), match["private"] == "1")


def _custom_ids(components: Iterable[Any]) -> Iterator[str]:
    for component in components:
        if isinstance(component, discord.Button):
            yield component.custom_id or ""
        elif isinstance(component, discord.ActionRow | discord.Container):
            yield from _custom_ids(component.children)
