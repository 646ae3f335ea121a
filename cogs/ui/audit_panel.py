"""The panel of `/audit`: pages of the trail of changed rules, and a menu of what to see of it.

Everything about a page stands in the `custom_id`s of its items, so it works after a restart. Who
may read is asked at each click: the managers of a guild its own trail, operators every trail.
"""

import re
from typing import Any, Final, Self

import discord
from msgspec import Struct
from msgspec.structs import replace

from bot.requests import NO_GUILD
from bot.storage import Kind, RuleChange, Trail
from cogs.ui import audit_words, intake
from cogs.ui.access import Needs
from cogs.ui.answers import boxed, update
from cogs.ui.intake import Interaction, services_of
from cogs.ui.paging import turn_button
from cogs.ui.places import guild_name
from cogs.ui.policy_settings import shortened

HERE: Final = "here"
"""The guild where the panel is used."""
OPERATORS: Final = "operators"
"""What operators have changed, in every guild and outside them."""
PAGE: Final = 8
_MOST_PAGE: Final = 9_999
_MOST_TEXT: Final = 3_600
_EVERYTHING: Final = "all"
_STATE: Final = (
    rf"(?P<where>{HERE}|{OPERATORS}|[0-9]{{1,19}}):(?P<kind>[a-z_]{{1,20}})"
    r":(?P<person>[0-9]{1,19}):(?P<page>[0-9]{1,4})"
)
"""A view in a `custom_id`: 75 characters at most."""
_WAYS: Final = {"newer": ("Newer", "◀️"), "older": ("Older", "▶️")}


class View(Struct, frozen=True):
    """A page of somebody's trail."""

    where: str
    """`HERE`, `OPERATORS`, or a guild's id."""
    kind: Kind | None = None
    person: int = 0
    """0: everybody."""
    page: int = 1

    @property
    def state(self) -> str:
        """The view as it stands in a `custom_id`."""
        return f"{self.where}:{self.kind or _EVERYTHING}:{self.person}:{self.page}"

    @property
    def needs(self) -> Needs:
        """Who may read it."""
        return Needs.MANAGER if self.where == HERE else Needs.OPERATOR

    def at(self, page: int) -> "View":
        """Return the same trail at another page."""
        return replace(self, page=min(max(page, 1), _MOST_PAGE))

    def trail(self, guild_id: int) -> Trail:
        """What has to be read for it, in the guild where it is used."""
        guild = {HERE: guild_id, OPERATORS: None}
        return Trail(
            guild_id=guild[self.where] if self.where in guild else int(self.where),
            kind=self.kind,
            person=self.person or None,
            offset=(self.page - 1) * PAGE,
            size=PAGE,
        )


def _view_of(match: re.Match[str]) -> View:
    """Read a view out of a `custom_id` that `_STATE` is part of."""
    return View(match["where"], _kind(match["kind"]), int(match["person"])).at(int(match["page"]))


def _kind(text: str) -> Kind | None:
    return next((each for each in Kind if each.value == text), None)


class TurnButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=re.compile(rf"audit:(?P<way>newer|older):{_STATE}", flags=re.ASCII),
):
    """Shows another page."""

    def __init__(self, way: str, view: View, *, there_is: bool = True) -> None:
        self.way = way
        self.shown = view
        super().__init__(turn_button(_WAYS[way], f"audit:{way}:{view.state}", there_is=there_is))

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(match["way"], _view_of(match))

    async def callback(self, interaction: Interaction) -> None:
        """Show that page."""
        await intake.guarded(interaction, _show(interaction, self.shown))


class KindMenu(
    discord.ui.DynamicItem[discord.ui.Select[Any]],
    template=re.compile(rf"audit:kind:{_STATE}", flags=re.ASCII),
):
    """Chooses what kind of changes is shown."""

    def __init__(self, view: View) -> None:
        self.shown = view
        options = [
            discord.SelectOption(
                label="Every change", value=_EVERYTHING, default=view.kind is None
            ),
            *(
                discord.SelectOption(label=name, value=kind.value, default=kind is view.kind)
                for kind, name in audit_words.KINDS.items()
            ),
        ]
        super().__init__(discord.ui.Select(custom_id=f"audit:kind:{view.state}", options=options))

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the menu from a choice."""
        return cls(_view_of(match))

    async def callback(self, interaction: Interaction) -> None:
        """Show the newest changes of that kind."""
        kind = _kind(next(iter(self.item.values), _EVERYTHING))
        await intake.guarded(interaction, _show(interaction, replace(self.shown, kind=kind).at(1)))


async def _show(interaction: Interaction, view: View) -> None:
    async def work() -> discord.ui.LayoutView:
        return await page_view(interaction, view)

    await update(interaction, work, needs=view.needs)


async def page_view(interaction: Interaction, view: View) -> discord.ui.LayoutView:
    """Draw a page; who may read it has been asked."""
    guild_id = interaction.guild_id or NO_GUILD
    policies = services_of(interaction).policies
    found = await policies.trail(view.trail(guild_id))
    pages = max(1, -(-found.total // PAGE))
    if view.page > pages:  # there is less than was clicked for
        view = view.at(pages)
        found = await policies.trail(view.trail(guild_id))
    lines = [_line(interaction, view, change) for change in found.changes]
    rows: list[discord.ui.Item[Any]] = [discord.ui.ActionRow(KindMenu(view))]
    if pages > 1:
        newer = TurnButton("newer", view.at(view.page - 1), there_is=view.page > 1)
        older = TurnButton("older", view.at(view.page + 1), there_is=view.page < pages)
        rows.append(discord.ui.ActionRow(newer, older))
    return boxed(
        _head(interaction, view, found.total, pages),
        shortened(lines, most=_MOST_TEXT) or "Nothing was changed.",
        *rows,
    )


def _head(interaction: Interaction, view: View, total: int, pages: int) -> str:
    match view.where:
        case "here":
            title = "Who changed which rule"
        case "operators":
            title = "What operators changed"
        case guild_id:
            title = f"Who changed which rule in {_place(interaction, int(guild_id))}"
    whose = f" by or for <@{view.person}>" if view.person else ""
    page = f" · page {view.page} of {pages}" if pages > 1 else ""
    return f"### {title}\n{total:,} change{'' if total == 1 else 's'}{whose}, newest first{page}"


def _line(interaction: Interaction, view: View, change: RuleChange) -> str:
    if view.where == HERE:
        return audit_words.line(change)
    return audit_words.line(change, place=_place(interaction, change.guild_id))


def _place(interaction: Interaction, guild_id: int) -> str:
    return "everywhere" if guild_id == NO_GUILD else guild_name(interaction, guild_id)


ALL: Final = (TurnButton, KindMenu)
"""What the bot registers at start."""
