"""The panels of `/models`: pages of the list, a model's own page, and their buttons and menus.

Everything about a panel stands in the `custom_id`s of its items, so it works after a restart, and
for whoever clicks: it is drawn anew, as things are then and as that person may use them. What is
said on it stands in `model_list` and `model_pages`.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, Self

import discord

from bot.aside import aside
from bot.catalog import Model
from bot.errors import LedgerUnavailable, UnknownModel
from bot.requests import NO_GUILD
from bot.storage import EVERYWHERE, Example, Records
from bot.wishes import Wish
from cogs.ui import intake, model_list, model_pages
from cogs.ui.access import Needs
from cogs.ui.answers import boxed, update
from cogs.ui.compare_form import CompareButton
from cogs.ui.intake import Interaction, actor_of, services_of
from cogs.ui.model_query import (
    KEY,
    STATE,
    Found,
    Query,
    Sort,
    Supports,
    find,
    key_of,
    model_of,
    query_of,
)
from cogs.ui.paging import turn_button
from cogs.ui.try_form import TryButton

_FREE: Final = "free"
_WAYS: Final = {"back": ("Back", "◀️"), "next": ("Next", "▶️"), "list": ("All models", "📚")}


class TurnButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=re.compile(rf"models:(?P<way>back|next|list):{STATE}", flags=re.ASCII),
):
    """Shows a page of the list: the one before, the next one, or the one that was left."""

    def __init__(self, way: str, query: Query, *, there_is: bool = True) -> None:
        self.query = query
        super().__init__(turn_button(_WAYS[way], f"models:{way}:{query.state}", there_is=there_is))
        self.way = way

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(match["way"], query_of(match))

    async def callback(self, interaction: Interaction) -> None:
        """Show that page."""
        await intake.guarded(interaction, _turn(interaction, self.query))


class SortMenu(
    discord.ui.DynamicItem[discord.ui.Select[Any]],
    template=re.compile(rf"models:sort:{STATE}", flags=re.ASCII),
):
    """Chooses the order."""

    def __init__(self, query: Query) -> None:
        self.query = query
        super().__init__(
            discord.ui.Select(
                custom_id=f"models:sort:{query.state}",
                options=[
                    discord.SelectOption(label=name, value=sort.value, default=sort is query.sort)
                    for sort, name in model_list.SORTED.items()
                ],
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the menu from a choice."""
        return cls(query_of(match))

    async def callback(self, interaction: Interaction) -> None:
        """Sort, and begin at the first page."""
        chosen = set(self.item.values)
        sort = next((each for each in Sort if each.value in chosen), Sort.POPULAR)
        query = Query(sort, self.query.supports, self.query.free, self.query.max_price)
        await intake.guarded(interaction, _turn(interaction, query))


class FilterMenu(
    discord.ui.DynamicItem[discord.ui.Select[Any]],
    template=re.compile(rf"models:filter:{STATE}", flags=re.ASCII),
):
    """Chooses what models must be able to do; none of it is all models."""

    def __init__(self, query: Query) -> None:
        self.query = query
        options = [
            discord.SelectOption(label=name, value=each.name, default=each in query.supports)
            for each, name in model_list.CAN.items()
        ]
        options.append(discord.SelectOption(label="Is free", value=_FREE, default=query.free))
        super().__init__(
            discord.ui.Select(
                custom_id=f"models:filter:{query.state}",
                placeholder="Only models with…",
                min_values=0,
                max_values=len(options),
                options=options,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the menu from a choice."""
        return cls(query_of(match))

    async def callback(self, interaction: Interaction) -> None:
        """Filter, and begin at the first page."""
        chosen = set(self.item.values)
        supports = frozenset(each for each in Supports if each.name in chosen)
        query = Query(self.query.sort, supports, _FREE in chosen, self.query.max_price)
        await intake.guarded(interaction, _turn(interaction, query))


class OpenMenu(
    discord.ui.DynamicItem[discord.ui.Select[Any]],
    template=re.compile(rf"models:open:{STATE}", flags=re.ASCII),
):
    """Opens the page of a model of the list."""

    def __init__(self, query: Query, models: Sequence[Model] = ()) -> None:
        self.query = query
        super().__init__(
            discord.ui.Select(
                custom_id=f"models:open:{query.state}",
                placeholder="Look at one of these…",
                options=model_list.options(models),
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the menu from a choice."""
        return cls(query_of(match))

    async def callback(self, interaction: Interaction) -> None:
        """Show the page."""
        name = next(iter(self.item.values), "")

        async def work() -> discord.ui.LayoutView:
            return await page_view(interaction, name, self.query)

        await intake.guarded(interaction, update(interaction, work, needs=Needs.NOTHING))


class DefaultButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=re.compile(rf"model:default:{STATE}:{KEY}", flags=re.ASCII),
):
    """Makes a model the default of whoever clicks."""

    def __init__(self, query: Query, key: str, *, is_set: bool = False) -> None:
        self.query = query
        self.key = key
        super().__init__(
            discord.ui.Button(
                label="Your default" if is_set else "Use as my default",
                emoji="⭐",
                custom_id=f"model:default:{query.state}:{key}",
                style=discord.ButtonStyle.secondary,
                disabled=is_set,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(query_of(match), match["key"])

    async def callback(self, interaction: Interaction) -> None:
        """Set it, and show the page anew."""

        async def work() -> discord.ui.LayoutView:
            name = model_of(self.key, services_of(interaction).catalog)
            await _set_default(interaction, name)
            return await page_view(interaction, name, self.query)

        await intake.guarded(interaction, update(interaction, work, needs=Needs.NOTHING))


async def _turn(interaction: Interaction, query: Query) -> None:
    async def work() -> discord.ui.LayoutView:
        return await list_view(interaction, query)

    await update(interaction, work, needs=Needs.NOTHING)


async def list_view(interaction: Interaction, query: Query) -> discord.ui.LayoutView:
    """Draw a page of the list, for whoever caused `interaction`."""
    found = await _find(interaction, query)
    query = found.query
    rows: list[discord.ui.Item[Any]] = [
        discord.ui.ActionRow(SortMenu(query)),
        discord.ui.ActionRow(FilterMenu(query)),
    ]
    if found.models:
        rows.insert(0, discord.ui.ActionRow(OpenMenu(query, found.models)))
    if found.pages > 1:
        rows.append(
            discord.ui.ActionRow(
                TurnButton("back", query.at(query.page - 1), there_is=query.page > 1),
                TurnButton("next", query.at(query.page + 1), there_is=query.page < found.pages),
            )
        )
    return boxed(
        model_list.head(found),
        model_list.lines(found, services_of(interaction).records.of),
        discord.ui.Separator(),
        *rows,
    )


async def _find(interaction: Interaction, query: Query) -> Found:
    services = services_of(interaction)
    await refresh_records(interaction)
    actor = actor_of(interaction)
    habits = await services.preferences.habits_now(actor)
    allowed = await services.planner.shown(actor)
    # In a thread: there may be ten thousand models to sort.
    return await aside(
        lambda: find(
            query,
            services.catalog.models,
            popular=(*services.catalog.popular, *habits),
            record=services.records.of,
            allowed=allowed,
        )
    )


async def refresh_records(interaction: Interaction) -> None:
    """Read how models have fared lately; without the database, what was known before will do."""
    try:
        await services_of(interaction).records.refresh()
    except LedgerUnavailable:
        return


async def _set_default(interaction: Interaction, name: str) -> None:
    """Set it everywhere, and for the guild where it was clicked: it shall hold there at least."""
    services = services_of(interaction)
    model = services.catalog.get(name)
    if model is None:
        raise UnknownModel(name, services.catalog.suggest(name))
    actor = actor_of(interaction)
    await services.preferences.set(actor.user_id, EVERYWHERE, Wish.MODEL, model.id)
    if actor.guild_id != NO_GUILD:
        here = (await services.preferences.of(actor)).here
        if here.model is not None:
            await services.preferences.set(actor.user_id, actor.guild_id, Wish.MODEL, model.id)


async def page_view(
    interaction: Interaction, name: str, query: Query | None = None
) -> discord.ui.LayoutView:
    """Draw a model's page.

    `name` may be an alias, or of a model that is listed no more. `query` is the list that it was
    opened from.

    Raises:
        ImageRouterError: ImageRouter did not answer, and the catalogue does not know it.
    """
    services = services_of(interaction)
    catalog = services.catalog
    model = catalog.known(name) or await catalog.lookup(name)
    if model is None:
        return _unknown(interaction, name, query or Query())
    is_listed = catalog.get(model.id) is not None
    await refresh_records(interaction)
    default = await _default_of(interaction)
    example = await _example(interaction, model)
    parts = [model_pages.head(model, asked=name)]
    if not is_listed:
        parts.append(model_pages.gone(catalog.suggest(model.id)))
    is_allowed = (await services.planner.shown(actor_of(interaction)))(model)
    if not is_allowed:
        parts.append(model_pages.NOT_ALLOWED)
    parts.append(model_pages.facts(model))
    parts.append(model_pages.measured(services.records.of(model.id)))
    if example is not None:
        parts.append(model_pages.made_here(interaction.guild_id or NO_GUILD, example))
    shown, key = query or Query(), key_of(model.id)
    buttons: list[discord.ui.Item[Any]] = []
    if is_listed and model.ceiling is not None:
        if is_allowed:
            buttons.append(TryButton(key))
            if not model.seems_to_need_picture:
                buttons.append(CompareButton(key))
        buttons.append(DefaultButton(shown, key, is_set=default == model.id))
    buttons.append(TurnButton("list", shown))
    return boxed(*parts, discord.ui.Separator(), discord.ui.ActionRow(*buttons))


def _unknown(interaction: Interaction, name: str, query: Query) -> discord.ui.LayoutView:
    """Say that there is no such model, and offer those that may have been meant."""
    catalog = services_of(interaction).catalog
    near = [model for each in catalog.suggest(name) if (model := catalog.get(each)) is not None]
    rows: list[discord.ui.Item[Any]] = [discord.ui.ActionRow(TurnButton("list", query))]
    if near:
        rows.insert(0, discord.ui.ActionRow(OpenMenu(query, near)))
    return boxed(model_pages.unknown(name, near), *rows)


async def _default_of(interaction: Interaction) -> str | None:
    """The person's default where they are; unknown counts as none."""
    try:
        return (await services_of(interaction).preferences.wishes(actor_of(interaction))).model
    except LedgerUnavailable:
        return None


async def _example(interaction: Interaction, model: Model) -> Example | None:
    """The newest public result of the model in this guild, in a channel that the person can see."""
    guild = interaction.guild
    actor = actor_of(interaction)
    if guild is None or actor.guild_id == NO_GUILD:
        return None
    services = services_of(interaction)
    records = Records(services.database, clock=services.clock)
    try:
        found = await records.examples(actor.guild_id, model.id)
    except LedgerUnavailable:
        return None
    return next((each for each in found if _may_see(interaction, each)), None)


def _may_see(interaction: Interaction, example: Example) -> bool:
    if example.channel_id == interaction.channel_id:
        return True
    guild, member = interaction.guild, interaction.user
    if guild is None or not isinstance(member, discord.Member):
        return False
    channel = guild.get_channel_or_thread(example.channel_id)
    return channel is not None and channel.permissions_for(member).view_channel


ALL: Final = (TurnButton, SortMenu, FilterMenu, OpenMenu, DefaultButton, TryButton, CompareButton)
"""What the bot registers at start."""
