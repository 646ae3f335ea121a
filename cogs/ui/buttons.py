"""Buttons that outlive a restart: the state is in the database, only an id is in `custom_id`.

A `custom_id` comes back from a client, so it is as hostile as any input: the templates bound it,
and whoever clicks may only do what the stored row lets them. discord.py only logs what a
`DynamicItem` raises, so `_Button` turns it into an answer.
"""

import re
from typing import Any, Final, Self

import discord

from bot.ids import MOST_ID
from bot.requests import ImageRequest
from cogs.ui import comparison, intake
from cogs.ui.text import shorten

_ID: Final = r"(?P<id>[0-9]{1,19})"
MOST_LABEL: Final = 80
_SECONDARY: Final = discord.ButtonStyle.secondary
_AGAIN: Final = discord.PartialEmoji(name="🔁")
_DELETE: Final = discord.PartialEmoji(name="🗑️")

Interaction = discord.Interaction[Any]


def _known_id(match: re.Match[str]) -> int:
    """The id in a click; one that no database could hold is nobody's."""
    return min(int(match["id"]), MOST_ID)


class AgainButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=rf"again:{_ID}"):
    """Runs the request of job `job_id` again, as whoever clicks and at their cost."""

    def __init__(self, job_id: int) -> None:
        self.job_id = job_id
        super().__init__(
            discord.ui.Button(
                label="Again", emoji=_AGAIN, custom_id=f"again:{job_id}", style=_SECONDARY
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(_known_id(match))

    async def callback(self, interaction: Interaction) -> None:
        """Run the request again."""
        await intake.guarded(interaction, intake.again(interaction, self.job_id))


class DeleteButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=rf"delete:{_ID}"):
    """Deletes the message of job `job_id`, for its person and for moderators."""

    def __init__(self, job_id: int) -> None:
        self.job_id = job_id
        super().__init__(
            discord.ui.Button(
                label="Delete", emoji=_DELETE, custom_id=f"delete:{job_id}", style=_SECONDARY
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(_known_id(match))

    async def callback(self, interaction: Interaction) -> None:
        """Delete the message, or say why not."""
        await intake.guarded(interaction, intake.delete(interaction, self.job_id))


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


class CancelButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=rf"cancel:{_ID}"):
    """Says no to what an offer may cost."""

    def __init__(self, offer_id: int) -> None:
        self.offer_id = offer_id
        super().__init__(
            discord.ui.Button(label="Cancel", custom_id=f"cancel:{offer_id}", style=_SECONDARY)
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(_known_id(match))

    async def callback(self, interaction: Interaction) -> None:
        """Take the question away; nothing was held."""
        await intake.guarded(interaction, intake.cancel(interaction))


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
