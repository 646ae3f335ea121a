"""The panel of `/report`: what it shows, and its menus and buttons.

Everything about a panel stands in the `custom_id`s of its items, so it works after a restart. Each
click is judged anew, by who clicks and as the books are then. What is said on it stands in
`report_text`; what is downloaded is sent by `report_downloads`.
"""

import re
from collections.abc import Callable
from typing import Any, Final, Self, TypeAlias

import discord

from bot.errors import InvalidOption
from bot.exports import Format
from bot.reports import Span
from bot.storage import Group
from cogs.ui import intake, report_text
from cogs.ui.answers import Illustrated, Shown, boxed, update
from cogs.ui.intake import Interaction
from cogs.ui.paging import turn_button
from cogs.ui.report_downloads import download, post
from cogs.ui.report_query import STATE, Query, query_of
from cogs.ui.reported import needs_of, read_illustrated

Change: TypeAlias = Callable[[Query], Query]

SPANS: Final = {
    Span.TODAY: "Today",
    Span.WEEK: "This week",
    Span.MONTH: "This month",
    Span.LAST_MONTH: "Last month",
}
_WAYS: Final = {"back": ("Back", "◀️"), "next": ("Next", "▶️")}
_FORMATS: Final = {Format.CSV: "CSV", Format.JSON: "JSON"}


class PeriodMenu(
    discord.ui.DynamicItem[discord.ui.Select[Any]],
    template=re.compile(rf"report:period:{STATE}", flags=re.ASCII),
):
    """Chooses the period."""

    def __init__(self, state: str, query: Query | None = None, name: str = "") -> None:
        """`query` and its period's `name` where it is to be shown."""
        self.state = state
        shown = query or Query()
        options = [
            discord.SelectOption(
                label=label,
                value=Query(span).period,
                default=shown.days is None and shown.span is span,
            )
            for span, label in SPANS.items()
        ]
        if shown.days is not None:
            options.append(discord.SelectOption(label=name, value=shown.period, default=True))
        super().__init__(discord.ui.Select(custom_id=f"report:period:{state}", options=options))

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the menu from a choice."""
        return cls(match["state"])

    async def callback(self, interaction: Interaction) -> None:
        """Show that period."""
        chosen = next(iter(self.item.values), "")
        await _show(interaction, self.state, lambda query: query.during(chosen))


class GroupMenu(
    discord.ui.DynamicItem[discord.ui.Select[Any]],
    template=re.compile(rf"report:group:{STATE}", flags=re.ASCII),
):
    """Chooses what the table lists."""

    def __init__(self, state: str, query: Query | None = None) -> None:
        """`query` where it is to be shown."""
        self.state = state
        options = [
            discord.SelectOption(
                label=label,
                value=group.value,
                default=query is not None and group is query.group,
            )
            for group, label in report_text.GROUPS.items()
        ]
        super().__init__(discord.ui.Select(custom_id=f"report:group:{state}", options=options))

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the menu from a choice."""
        return cls(match["state"])

    async def callback(self, interaction: Interaction) -> None:
        """Show that table."""
        chosen = next(iter(self.item.values), "")
        await _show(interaction, self.state, lambda query: query.by(group_of(chosen)))


class TurnButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=re.compile(rf"report:(?P<way>back|next):{STATE}", flags=re.ASCII),
):
    """Shows another page of the table."""

    def __init__(self, way: str, state: str, *, there_is: bool = True) -> None:
        """`state` is that of the other page."""
        self.state = state
        super().__init__(turn_button(_WAYS[way], f"report:{way}:{state}", there_is=there_is))

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(match["way"], match["state"])

    async def callback(self, interaction: Interaction) -> None:
        """Show that page."""
        await _show(interaction, self.state, lambda query: query)


class FileButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=re.compile(rf"report:(?P<form>csv|json):{STATE}", flags=re.ASCII),
):
    """Sends the report as files."""

    def __init__(self, form: Format, state: str) -> None:
        self.form = form
        self.state = state
        super().__init__(
            discord.ui.Button(
                label=_FORMATS[form],
                emoji="📄",
                custom_id=f"report:{form}:{state}",
                style=discord.ButtonStyle.secondary,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(Format(match["form"]), match["state"])

    async def callback(self, interaction: Interaction) -> None:
        """Send them, for whoever clicks alone."""
        await intake.guarded(interaction, download(interaction, self.state, self.form))


class PostButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=re.compile(rf"report:post:{STATE}", flags=re.ASCII),
):
    """Shows the report to everybody in the channel."""

    def __init__(self, state: str) -> None:
        self.state = state
        super().__init__(
            discord.ui.Button(
                label="Post here",
                emoji="📣",
                custom_id=f"report:post:{state}",
                style=discord.ButtonStyle.primary,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(match["state"])

    async def callback(self, interaction: Interaction) -> None:
        """Post it."""
        await intake.guarded(interaction, post(interaction, self.state))


def group_of(chosen: str) -> Group:
    """Discord offers choices, and hands over whatever a client sends.

    Raises:
        InvalidOption: it is none of them.
    """
    try:
        return Group(chosen)
    except ValueError:
        hint = "one of the choices that Discord shows"
        raise InvalidOption("by", chosen, hint) from None


async def _show(interaction: Interaction, state: str, change: Change) -> None:
    async def work() -> Shown:
        return await panel(interaction, change(query_of(state)))

    await intake.guarded(interaction, update(interaction, work, needs=needs_of(state)))


async def panel(interaction: Interaction, query: Query) -> Illustrated:
    """Draw a report, for whoever caused `interaction` and may see it.

    Raises:
        InvalidOption: its days are no period.
        LedgerUnavailable: the books cannot be read now.
    """
    reported = await read_illustrated(interaction, query)
    made = reported.made
    pages = report_text.pages(made)
    query = query.at(min(query.page, pages))
    state = query.state
    parts, rows = reported.parts(page=query.page), list[discord.ui.Item[Any]]()
    if pages > 1:
        parts.append(f"-# Page {query.page} of {pages} · {len(made.answer.parts):,} lines")
        rows.append(
            discord.ui.ActionRow(
                TurnButton("back", query.at(query.page - 1).state, there_is=query.page > 1),
                TurnButton("next", query.at(query.page + 1).state, there_is=query.page < pages),
            )
        )
    name = report_text.period_name(made)
    rows.append(discord.ui.ActionRow(PeriodMenu(state, query, name[:1].upper() + name[1:])))
    rows.append(discord.ui.ActionRow(GroupMenu(state, query)))
    buttons: list[discord.ui.Item[Any]] = [FileButton(form, state) for form in Format]
    if query.whose is None:
        buttons.append(PostButton(state))
    rows.append(discord.ui.ActionRow(*buttons))
    return Illustrated(boxed(*parts, discord.ui.Separator(), *rows), reported.pictures())


ALL: Final = (PeriodMenu, GroupMenu, TurnButton, FileButton, PostButton)
"""What the bot registers at start."""
