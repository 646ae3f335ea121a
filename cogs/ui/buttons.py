"""Buttons that outlive a restart: the state is in the database, only an id is in `custom_id`.

A `custom_id` comes back from a client, so it is as hostile as any input: the templates bound it,
and whoever clicks may only do what the stored row lets them. discord.py only logs what a
`DynamicItem` raises, so each callback goes through `intake.guarded`.
"""

import re
from typing import Any, ClassVar, Final, Self

import discord

from bot.ids import MOST_ID
from bot.requests import ImageRequest
from cogs.ui import comparison, intake
from cogs.ui.text import shorten

_ID: Final = r"(?P<id>[0-9]{1,19})"
MOST_LABEL: Final = 80
_NOTHING: Final = r"(?!)"
"""Matches no `custom_id`: what only others are made from is never registered."""

Interaction = discord.Interaction[Any]


def _known_id(match: re.Match[str]) -> int:
    """The id in a click; one that no database could hold is nobody's."""
    return min(int(match["id"]), MOST_ID)


class _IdButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=_NOTHING):
    """A button that knows the id of one stored thing, and nothing else."""

    name: ClassVar[str]
    """What its `custom_id` begins with."""
    label: ClassVar[str]
    emoji: ClassVar[str | None] = None

    def __init__(self, known_id: int) -> None:
        self.known_id = known_id
        super().__init__(
            discord.ui.Button(
                label=self.label,
                emoji=self.emoji,
                custom_id=f"{self.name}:{known_id}",
                style=discord.ButtonStyle.secondary,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(_known_id(match))

    async def callback(self, interaction: Interaction) -> None:
        """Do what it is for, or say why not."""
        await intake.guarded(interaction, self.act(interaction))

    async def act(self, interaction: Interaction) -> None:
        """What it is for."""
        raise NotImplementedError


class AgainButton(_IdButton, template=rf"again:{_ID}"):
    """Runs the request of a job again, as whoever clicks and at their cost."""

    name, label, emoji = "again", "Again", "🔁"

    async def act(self, interaction: Interaction) -> None:
        """Run the request again."""
        await intake.again(interaction, self.known_id)


class DeleteButton(_IdButton, template=rf"delete:{_ID}"):
    """Deletes the message of a job, for its person and for moderators."""

    name, label, emoji = "delete", "Delete", "🗑️"

    async def act(self, interaction: Interaction) -> None:
        """Delete the message."""
        await intake.delete(interaction, self.known_id)


class CancelButton(_IdButton, template=rf"cancel:{_ID}"):
    """Says no to what an offer may cost."""

    name, label = "cancel", "Cancel"

    async def act(self, interaction: Interaction) -> None:
        """Take the question away; nothing was held."""
        await intake.cancel(interaction)


class OfferButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=rf"offer:{_ID}:(?P<index>[0-9]):(?P<private>[01])",
):
    """Runs request `index` of the offer `offer_id`."""

    def __init__(self, offer_id: int, index: int, *, private: bool, label: str = "Run") -> None:
        self.offer_id = offer_id
        self.index = index
        self.private = private
        super().__init__(
            discord.ui.Button(
                label=label,
                custom_id=f"offer:{offer_id}:{index}:{int(private)}",
                style=discord.ButtonStyle.primary,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(_known_id(match), int(match["index"]), private=match["private"] == "1")

    async def callback(self, interaction: Interaction) -> None:
        """Run what was offered."""
        await intake.guarded(
            interaction,
            intake.take_offer(interaction, self.offer_id, self.index, private=self.private),
        )


class ConfirmButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]], template=rf"confirm:{_ID}:(?P<private>[01])"
):
    """Says yes to what the offer `offer_id` may cost, and runs it, once."""

    def __init__(self, offer_id: int, *, private: bool) -> None:
        self.offer_id = offer_id
        self.private = private
        super().__init__(
            discord.ui.Button(
                label="Confirm",
                custom_id=f"confirm:{offer_id}:{int(private)}",
                style=discord.ButtonStyle.success,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(_known_id(match), private=match["private"] == "1")

    async def callback(self, interaction: Interaction) -> None:
        """Run what was asked for."""
        await intake.guarded(
            interaction, intake.confirm(interaction, self.offer_id, private=self.private)
        )


ALL: Final = (AgainButton, DeleteButton, OfferButton, ConfirmButton, CancelButton)
"""What the bot registers at start, so that buttons of earlier processes work."""


def offer_label(offered: ImageRequest, asked: ImageRequest, *, missing: bool = False) -> str:
    """Say on a button what is different about `offered`.

    `missing`: the other pictures are there; else fewer are offered than were asked for.
    """
    if asked.models and (told := comparison.offer_label(offered, asked, missing=missing)):
        return shorten(told, MOST_LABEL)
    if offered.model and offered.model != asked.model:
        return shorten(f"Use {offered.model}", MOST_LABEL)
    if offered.size != asked.size:
        return f"With size {offered.size}"
    if offered.quality != asked.quality:
        return f"With quality {offered.quality}"
    if offered.count != asked.count:
        one = offered.count == 1
        if missing:
            return f"Try the missing {'one' if one else offered.count} again"
        return "Only 1 picture" if one else f"Only {offered.count} pictures"
    return "Try again"
