"""The panel of `/settings`: what a person wants where a command does not say.

Drawn from the database at each click, for whoever clicks, so it works after a restart. What comes
back is as hostile as any input: each value is read as if it had been typed into a command.
"""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, Final, Self

import discord

from bot.catalog import Model, label, parse_size, size_choices
from bot.errors import InvalidOption, UnknownModel
from bot.requests import NO_GUILD, OutputFormat, Quality
from bot.storage import EVERYWHERE, SetWishes
from bot.wishes import Wish, Wishes, WishValue
from cogs.ui import intake
from cogs.ui.access import Needs
from cogs.ui.answers import boxed, update
from cogs.ui.intake import Interaction, actor_of, services_of
from cogs.ui.text import shorten

UNSET: Final = "unset"
"""The value of no choice; no model, size or format is called so."""
_MOST_OPTIONS: Final = 25
_MOST_LABEL: Final = 100
_PRIVACY: Final = {"yes": "private: only I see them", "no": "in the channel"}


class Place(StrEnum):
    """Where what is set holds."""

    EVERYWHERE = "everywhere"
    HERE = "here"
    """In the guild where the panel is used."""


_TITLES: Final = {
    Wish.MODEL: ("Model", "What makes your pictures"),
    Wish.SIZE: ("Size", "Left out where the model does not list it"),
    Wish.QUALITY: ("Quality", "More is slower and mostly dearer"),
    Wish.FORMAT: ("Format", "Some models send what they please"),
    Wish.PRIVATE: ("Results", "Private ones are not kept anywhere"),
}


class WishMenu(
    discord.ui.DynamicItem[discord.ui.Select[Any]],
    template=r"settings:(?P<place>everywhere|here):(?P<wish>model|size|quality|format|private)",
):
    """Chooses one option."""

    def __init__(
        self, place: Place, wish: Wish, options: Sequence[discord.SelectOption] = ()
    ) -> None:
        self.place = place
        self.wish = wish
        super().__init__(
            discord.ui.Select(custom_id=f"settings:{place}:{wish}", options=list(options))
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the menu from a choice."""
        return cls(Place(match["place"]), Wish(match["wish"]))

    async def callback(self, interaction: Interaction) -> None:
        """Set it, and show the panel anew."""
        chosen = next(iter(self.item.values), UNSET)

        async def work() -> discord.ui.LayoutView:
            guild_id = _guild(interaction, self.place)
            value = None if chosen == UNSET else _value(interaction, self.wish, chosen)
            preferences = services_of(interaction).preferences
            await preferences.set(interaction.user.id, guild_id, self.wish, value)
            return await panel(interaction, self.place)

        await intake.guarded(interaction, update(interaction, work, needs=Needs.NOTHING))


class PlaceButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=r"settings:show:(?P<place>everywhere|here)",
):
    """Shows what is set everywhere, or for this server."""

    def __init__(self, place: Place, *, is_shown: bool = False) -> None:
        self.place = place
        style = discord.ButtonStyle
        super().__init__(
            discord.ui.Button(
                label="Everywhere" if place is Place.EVERYWHERE else "This server",
                custom_id=f"settings:show:{place}",
                style=style.primary if is_shown else style.secondary,
                disabled=is_shown,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(Place(match["place"]))

    async def callback(self, interaction: Interaction) -> None:
        """Show that side of the panel."""

        async def work() -> discord.ui.LayoutView:
            return await panel(interaction, self.place)

        await intake.guarded(interaction, update(interaction, work, needs=Needs.NOTHING))


class ClearButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=r"settings:clear:(?P<place>everywhere|here)",
):
    """Removes everything that is set everywhere, or for this server."""

    def __init__(self, place: Place, *, there_is: bool = True) -> None:
        self.place = place
        super().__init__(
            discord.ui.Button(
                label="Reset",
                custom_id=f"settings:clear:{place}",
                style=discord.ButtonStyle.danger,
                disabled=not there_is,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(Place(match["place"]))

    async def callback(self, interaction: Interaction) -> None:
        """Remove it, and show the panel anew."""

        async def work() -> discord.ui.LayoutView:
            guild_id = _guild(interaction, self.place)
            await services_of(interaction).preferences.clear(interaction.user.id, guild_id)
            return await panel(interaction, self.place)

        await intake.guarded(interaction, update(interaction, work, needs=Needs.NOTHING))


def _guild(interaction: Interaction, place: Place) -> int:
    """The guild that is meant; outside guilds there is only everywhere."""
    return EVERYWHERE if place is Place.EVERYWHERE else actor_of(interaction).guild_id


def _value(interaction: Interaction, wish: Wish, chosen: str) -> WishValue:
    """Read what was chosen.

    Raises:
        UnknownModel: ImageRouter does not list it any more.
        InvalidOption: it is nothing that can be set.
    """
    if wish is Wish.MODEL:
        catalog = services_of(interaction).catalog
        model = catalog.get(chosen)
        if model is None:
            raise UnknownModel(chosen, catalog.suggest(chosen))
        return model.id
    if wish is Wish.SIZE:
        return parse_size(chosen)
    known: Iterable[str] = _PRIVACY
    if wish is Wish.QUALITY:
        known = Quality
    elif wish is Wish.FORMAT:
        known = OutputFormat
    if chosen not in set(known):
        raise InvalidOption(wish, chosen, "one of the choices in the panel")
    return chosen == "yes" if wish is Wish.PRIVATE else chosen


async def panel(interaction: Interaction, place: Place) -> discord.ui.LayoutView:
    """Draw the panel as things stand now."""
    actor = actor_of(interaction)
    if actor.guild_id == NO_GUILD:
        place = Place.EVERYWHERE
    services = services_of(interaction)
    known = await services.preferences.of(actor)
    shown = known.everywhere if place is Place.EVERYWHERE else known.here
    allowed = await services.planner.shown(actor)
    likely = services.catalog.get(known.here.or_else(known.everywhere).model or "")
    habits = await services.preferences.habits_now(actor)
    listed = services.catalog.search(
        "", limit=_MOST_OPTIONS, images=0, first=habits, allowed=allowed
    )
    options = {
        Wish.MODEL: _models(services.catalog.known(shown.model or ""), shown.model, listed),
        Wish.SIZE: _sizes(likely, shown.size),
        Wish.QUALITY: [_option(each, each, shown.quality) for each in Quality],
        Wish.FORMAT: [_option(each, each, shown.output_format) for each in OutputFormat],
        Wish.PRIVATE: [_option(key, text, _yes_no(shown)) for key, text in _PRIVACY.items()],
    }
    parts: list[discord.ui.Item[Any] | str] = [_head(place)]
    for wish, choices in options.items():
        name, hint = _TITLES[wish]
        unset = _unset(wish, known, place)
        is_set = any(each.default for each in choices)
        first = discord.SelectOption(label=unset, value=UNSET, default=not is_set)
        parts.append(f"**{name}** · {hint}")
        parts.append(discord.ui.ActionRow(WishMenu(place, wish, [first, *choices])))
    parts += [discord.ui.Separator(), discord.ui.ActionRow(*_buttons(actor.guild_id, place, shown))]
    return boxed(*parts)


def _head(place: Place) -> str:
    if place is Place.HERE:
        lines = "What you want in this server where a command does not say. It comes before "
        lines += "what you have set for everywhere."
    else:
        lines = "What you want where a command does not say, wherever nothing else is set."
    return (
        f"### Your settings\n{lines}\n-# For other models: `/models`, then **Use as my default**."
    )


def _buttons(guild_id: int, place: Place, shown: Wishes) -> list[discord.ui.Item[Any]]:
    clear = ClearButton(place, there_is=shown != Wishes())
    if guild_id == NO_GUILD:
        return [clear]
    places = [PlaceButton(each, is_shown=each is place) for each in Place]
    return [*places, clear]


def _unset(wish: Wish, known: SetWishes, place: Place) -> str:
    """What holds where nothing is set on this side of the panel."""
    if place is Place.HERE and (value := _told(wish, known.everywhere)) is not None:
        return shorten(f"As everywhere: {value}", _MOST_LABEL)
    usual = {
        Wish.MODEL: "The usual one",
        Wish.SIZE: "The model decides",
        Wish.QUALITY: "auto",
        Wish.FORMAT: OutputFormat.WEBP.value,
        Wish.PRIVATE: "in the channel",
    }
    return f"Not set: {usual[wish]}"


def _told(wish: Wish, wishes: Wishes) -> str | None:
    """What is set, in words."""
    values = {
        Wish.MODEL: wishes.model,
        Wish.SIZE: wishes.size,
        Wish.QUALITY: wishes.quality,
        Wish.FORMAT: wishes.output_format,
        Wish.PRIVATE: _PRIVACY.get(_yes_no(wishes) or ""),
    }
    return values[wish]


def _yes_no(wishes: Wishes) -> str | None:
    if wishes.private is None:
        return None
    return "yes" if wishes.private else "no"


def _option(value: str, text: str, chosen: str | None) -> discord.SelectOption:
    return discord.SelectOption(label=text, value=value, default=value == chosen)


def _models(
    model: Model | None, chosen: str | None, listed: Sequence[Model]
) -> list[discord.SelectOption]:
    """The one that is set, if any, then what a person is likely to want."""
    first = []
    if chosen is not None:
        text = label(model) if model is not None else f"{chosen} (not listed any more)"
        first = [_option(chosen, shorten(text, _MOST_LABEL), chosen)]
    others = [_option(each.id, label(each), None) for each in listed if each.id != chosen]
    return [*first, *others][: _MOST_OPTIONS - 1]


def _sizes(model: Model | None, chosen: str | None) -> list[discord.SelectOption]:
    choices = {value: name for name, value in size_choices(model, "")}
    if chosen is not None:
        [(name, value), *_] = size_choices(None, chosen)
        choices = {value: name} | choices
    options = [_option(value, name, chosen) for value, name in choices.items()]
    return options[: _MOST_OPTIONS - 1]


ALL: Final = (WishMenu, PlaceButton, ClearButton)
"""What the bot registers at start."""
