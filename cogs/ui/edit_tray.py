"""What comes before the form of an edit: a choice of a message's pictures, and the edit tray.

All of it is private, and works after a restart: the choices are kept as an offer, the tray in a
table of its own, and the menus and buttons name no more than whose they are. Whoever clicks is
checked all the same.
"""

import asyncio
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NoReturn, Self

import discord

from bot.cards import Offer
from bot.errors import BotError, LedgerUnavailable, NotYours
from bot.ids import MOST_ID
from bot.imagerouter import MAX_IMAGES
from bot.requests import ImageRequest, Source
from bot.storage import MOST_IN_TRAY, Added, TrayPicture
from cogs.ui import intake
from cogs.ui.access import Needs
from cogs.ui.answers import Shown as Answered
from cogs.ui.answers import answer, boxed, update
from cogs.ui.edit_buttons import Shown, result_in
from cogs.ui.edit_form import Form, Place, open_form, picture_options, places_of, tray_of
from cogs.ui.intake import Interaction, services_of
from cogs.ui.pictures import pictures_in
from cogs.ui.renewal import with_live_links
from cogs.ui.text import plain

_SECONDS: Final = 1.5
"""How long the database may take before a form opens: Discord waits three seconds."""
_IN_GALLERY: Final = 10
_NAME_SHOWN: Final = 60

NO_PICTURES: Final = (
    "### No picture here\nThis message shows no picture that can be read: no image file, no "
    "preview of a link, no sticker."
)
_PRIVATE: Final = (
    "### This picture is private\nThe tray is kept for a week, and nothing of a private picture is "
    "kept. Press **Edit** below the picture instead: what you make of it stays private, too."
)
_EMPTY: Final = (
    "### Your edit tray is empty\nPut pictures into it with **Apps → Add to edit tray** on any "
    "message that shows some. They stay for a week."
)


# The message command "Edit image"


async def edit_message(interaction: Interaction, message: discord.Message) -> None:
    """Open the form for a message's picture; where it shows several, ask which first."""
    pictures = pictures_in(message)
    shown = _result_in(interaction, message)
    if len(pictures) == 1:
        await _edit_one(interaction, message, pictures, shown)
        return

    async def work() -> Answered:
        if not pictures:
            return boxed(NO_PICTURES)
        offer = await _keep(interaction, message, pictures, shown)
        menu = PickMenu(offer.id, private=_is_private(shown), pictures=pictures)
        row: discord.ui.Item[Any] = discord.ui.ActionRow(menu)
        return boxed("### Which of these pictures?", *_galleries(pictures), row)

    await answer(interaction, work, needs=Needs.NOTHING)


async def _edit_one(
    interaction: Interaction,
    message: discord.Message,
    pictures: Sequence[Source],
    shown: Shown | None,
) -> None:
    try:
        async with asyncio.timeout(_SECONDS):
            offer = await _keep(interaction, message, pictures, shown)
    except TimeoutError:
        await _refuse(interaction, LedgerUnavailable())
    except BotError as error:
        await _refuse(interaction, error)
    else:
        form = Form(Place.KEPT, offer.id, (0,), private=_is_private(shown))
        await open_form(interaction, form, count=1)


async def _keep(
    interaction: Interaction,
    message: discord.Message,
    pictures: Sequence[Source],
    shown: Shown | None,
) -> Offer:
    """Keep what a message shows until the form comes back."""
    private = _is_private(shown)
    parent_id = None
    if shown is not None:
        parent_id = await intake.parent_of(interaction, shown.job_id, message)
    request = ImageRequest("edit", "", images=tuple(pictures), private=private)
    offer = await services_of(interaction).offers.save(
        intake.actor_of(interaction), [request], private=private, parent_id=parent_id
    )
    if offer is None:
        raise LedgerUnavailable
    return offer


def _result_in(interaction: Interaction, message: discord.Message) -> Shown | None:
    user = interaction.client.user
    return result_in(message, bot_id=None if user is None else user.id)


def _is_private(shown: Shown | None) -> bool:
    return shown is not None and shown.private


async def _refuse(interaction: Interaction, error: BotError) -> None:
    async def work() -> NoReturn:
        raise error

    await answer(interaction, work, needs=Needs.NOTHING)


class PickMenu(
    discord.ui.DynamicItem[discord.ui.Select[Any]],
    template=r"pick:(?P<id>[0-9]{1,19}):(?P<private>[01])",
):
    """Chooses among the pictures of an offer, and opens the form for them."""

    def __init__(self, offer_id: int, *, private: bool, pictures: Sequence[Source] = ()) -> None:
        self.offer_id = offer_id
        self.private = private
        super().__init__(
            discord.ui.Select(
                custom_id=f"pick:{offer_id}:{private:d}",
                placeholder="Choose one or more",
                options=picture_options(pictures),
                max_values=max(1, min(len(pictures), MAX_IMAGES)),
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the menu from a choice."""
        return cls(min(int(match["id"]), MOST_ID), private=match["private"] == "1")

    async def callback(self, interaction: Interaction) -> None:
        """Open the form; whose pictures they are is checked when it comes back."""
        chosen = places_of(self.item.values)
        form = Form(Place.KEPT, self.offer_id, chosen, private=self.private)
        await intake.guarded(interaction, open_form(interaction, form, count=len(chosen)))


# The tray


async def add_to_tray(interaction: Interaction, message: discord.Message) -> None:
    """Put a message's pictures into the person's tray, and show it."""
    pictures = pictures_in(message)
    private = _is_private(_result_in(interaction, message))

    async def work() -> Answered:
        if private:
            return boxed(_PRIVATE)
        if not pictures:
            return boxed(NO_PICTURES)
        added = await tray_of(services_of(interaction)).add(interaction.user.id, pictures)
        return await _tray_view(interaction, added.tray, note=_what_came(added))

    await answer(interaction, work, needs=Needs.NOTHING)


def _what_came(added: Added) -> str:
    told = [f"Added {_count(added.new)}." if added.new else "Nothing was added."]
    if added.known:
        told.append(f"{_capital(_count(added.known))} {_was(added.known)} there already.")
    if added.left_out:
        found = f"{_capital(_count(added.left_out))} found no room"
        told.append(f"{found}: a tray holds {MOST_IN_TRAY}.")
    return " ".join(told)


def _count(number: int) -> str:
    return "one picture" if number == 1 else f"{number} pictures"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


async def _tray_view(
    interaction: Interaction, tray: Sequence[TrayPicture], *, note: str = ""
) -> discord.ui.LayoutView:
    if not tray:
        return boxed(_EMPTY)
    now_ms = services_of(interaction).clock.now_ms()
    sources = [each.source for each in tray]
    shown = await with_live_links(interaction.client, sources, now_ms=now_ms)
    owner = interaction.user.id
    heading = f"### Your edit tray: {len(tray)} of {MOST_IN_TRAY}"
    names = [
        f"{number}. {plain(source.filename, most=_NAME_SHOWN)}"
        for number, source in enumerate(sources, 1)
    ]
    buttons: discord.ui.Item[Any] = discord.ui.ActionRow(
        TrayEditButton(owner), TrayClearButton(owner)
    )
    menu: discord.ui.Item[Any] = discord.ui.ActionRow(TrayDropMenu(owner, tray=tray))
    head = f"{heading}\n{note}" if note else heading
    return boxed(head, *_galleries(shown), "\n".join(names), buttons, menu)


def _galleries(pictures: Sequence[Source]) -> Iterator[discord.ui.Item[Any]]:
    """Show pictures in order; a gallery holds ten."""
    items = [
        discord.MediaGalleryItem(each.url, description=f"{number}. {each.filename}")
        for number, each in enumerate(pictures, 1)
    ]
    for start in range(0, len(items), _IN_GALLERY):
        yield discord.ui.MediaGallery(*items[start : start + _IN_GALLERY])


def _owner(match: re.Match[str]) -> int:
    return min(int(match["user"]), MOST_ID)


def _check_owner(interaction: Interaction, user_id: int) -> None:
    if interaction.user.id != user_id:
        raise NotYours


class TrayEditButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"tray:edit:(?P<user>[0-9]{1,19})"
):
    """Opens the form for everything in the tray of `user_id`."""

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        super().__init__(
            discord.ui.Button(
                label="Edit",
                emoji="✏️",
                custom_id=f"tray:edit:{user_id}",
                style=discord.ButtonStyle.primary,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(_owner(match))

    async def callback(self, interaction: Interaction) -> None:
        """Open the form."""
        await intake.guarded(interaction, _edit_tray(interaction, self.user_id))


async def _edit_tray(interaction: Interaction, user_id: int) -> None:
    try:
        _check_owner(interaction, user_id)
        tray = await tray_of(services_of(interaction)).list(user_id, limit_s=_SECONDS)
    except BotError as error:
        await _refuse(interaction, error)
        return
    if tray:
        await open_form(interaction, Form(Place.TRAY), count=len(tray))
        return

    async def work() -> Answered:
        return await _tray_view(interaction, tray)

    await update(interaction, work, needs=Needs.NOTHING)


class TrayClearButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"tray:clear:(?P<user>[0-9]{1,19})"
):
    """Empties the tray of `user_id`."""

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        super().__init__(
            discord.ui.Button(
                label="Clear",
                custom_id=f"tray:clear:{user_id}",
                style=discord.ButtonStyle.secondary,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(_owner(match))

    async def callback(self, interaction: Interaction) -> None:
        """Empty it."""

        async def work() -> Answered:
            _check_owner(interaction, self.user_id)
            await tray_of(services_of(interaction)).clear(self.user_id)
            return await _tray_view(interaction, ())

        await intake.guarded(interaction, update(interaction, work, needs=Needs.NOTHING))


class TrayDropMenu(
    discord.ui.DynamicItem[discord.ui.Select[Any]], template=r"tray:drop:(?P<user>[0-9]{1,19})"
):
    """Takes pictures out of the tray of `user_id`."""

    def __init__(self, user_id: int, *, tray: Sequence[TrayPicture] = ()) -> None:
        self.user_id = user_id
        options = picture_options([each.source for each in tray])
        for option, picture in zip(options, tray, strict=True):
            option.value = str(picture.id)
        super().__init__(
            discord.ui.Select(
                custom_id=f"tray:drop:{user_id}",
                placeholder="Take pictures out",
                options=options,
                max_values=max(1, len(tray)),
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the menu from a choice."""
        return cls(_owner(match))

    async def callback(self, interaction: Interaction) -> None:
        """Take them out, and show what is left."""
        ids = [_picture_id(value) for value in self.item.values[:MOST_IN_TRAY]]

        async def work() -> Answered:
            _check_owner(interaction, self.user_id)
            left = await tray_of(services_of(interaction)).drop(self.user_id, ids)
            return await _tray_view(interaction, left)

        await intake.guarded(interaction, update(interaction, work, needs=Needs.NOTHING))


def _picture_id(value: str) -> int:
    """The id in a choice; one that no database could hold is nobody's."""
    known = value.isascii() and value.isdigit() and len(value) < len(str(MOST_ID)) + 1
    return min(int(value), MOST_ID) if known else 0


ALL: Final = (PickMenu, TrayEditButton, TrayClearButton, TrayDropMenu)
"""What the bot registers at start, so that messages of earlier processes work."""
