"""The panel of `/setup`: everything for the first hour, with its buttons and menus.

It is drawn from the database at each click, so it is never older than that, and none of its items
relies on what it carries: they work after a restart, and for whoever may use them at that moment.
What it says stands in `setup_text`.
"""

import re
from typing import Any, Final, Self

import discord

from bot.errors import InvalidOption
from bot.money import Micros
from bot.quotas import Target, Window
from bot.requests import NO_GUILD
from bot.storage import Option
from cogs.ui import intake, setup_text
from cogs.ui.access import Needs
from cogs.ui.answers import Changed, boxed, update
from cogs.ui.forms import Form, Place, open_form
from cogs.ui.intake import Interaction, services_of
from cogs.ui.zones import USUAL

POSTABLE: Final = [
    discord.ChannelType.text,
    discord.ChannelType.news,
    discord.ChannelType.voice,
    discord.ChannelType.stage_voice,
]
"""Channels in which a bot can post by itself."""
PRICED: Final = [*POSTABLE, discord.ChannelType.forum]
"""Channels in which a command can be typed; what holds in one holds in its threads."""


class BudgetButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=r"setup:budget:(?P<of>guild|default):(?P<amount>[0-9]{0,16})",
):
    """Opens the form of the guild's monthly budget, or of what each member may spend a day.

    `amount` is what is set, with which the form begins: sent as it is, it changes nothing.
    """

    def __init__(self, target: Target, amount: Micros | None) -> None:
        self.target = target
        self.amount = amount
        super().__init__(
            discord.ui.Button(
                label="Change",
                custom_id=f"setup:budget:{target.value}:{'' if amount is None else amount}",
                style=discord.ButtonStyle.secondary,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(Target(match["of"]), int(match["amount"]) if match["amount"] else None)

    async def callback(self, interaction: Interaction) -> None:
        """Open the form; whoever submits it is checked then."""
        window = Window.MONTH if self.target is Target.GUILD else Window.DAY
        form = Form(Place.SETUP, self.target, window)
        opened = open_form(interaction, form, amount=self.amount)
        await intake.guarded(interaction, opened)


class _Menu:
    """Something that is rebuilt as it is: its `custom_id` says nothing but which it is."""

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], ___: re.Match[str], /
    ) -> Self:
        """Rebuild the menu from a choice."""
        return cls()


class RoleMenu(_Menu, discord.ui.DynamicItem[discord.ui.RoleSelect[Any]], template="setup:role"):
    """Chooses a role, and opens the form of what each of its holders may spend a day."""

    def __init__(self) -> None:
        super().__init__(discord.ui.RoleSelect(custom_id="setup:role", placeholder="Choose a role"))

    async def callback(self, interaction: Interaction) -> None:
        """Open the form; `@everyone` is each member."""
        [role] = self.item.values
        form = Form(Place.SETUP, Target.ROLE, Window.DAY, role.id)
        if role.id == interaction.guild_id:
            form = Form(Place.SETUP, Target.DEFAULT, Window.DAY)
        await intake.guarded(interaction, open_form(interaction, form))


class PriceMenu(
    _Menu, discord.ui.DynamicItem[discord.ui.ChannelSelect[Any]], template="setup:price"
):
    """Chooses a channel, and opens the form of the highest price of a picture there."""

    def __init__(self) -> None:
        super().__init__(
            discord.ui.ChannelSelect(
                custom_id="setup:price", placeholder="Choose a channel", channel_types=PRICED
            )
        )

    async def callback(self, interaction: Interaction) -> None:
        """Open the form."""
        [channel] = self.item.values
        form = Form(Place.SETUP, Target.CHANNEL, Window.IMAGE, channel.id)
        await intake.guarded(interaction, open_form(interaction, form))


class ZoneMenu(_Menu, discord.ui.DynamicItem[discord.ui.Select[Any]], template="setup:zone"):
    """Chooses the time zone."""

    def __init__(self, zone: str = "UTC") -> None:
        names = USUAL if zone in USUAL else (zone, *USUAL)
        super().__init__(
            discord.ui.Select(
                custom_id="setup:zone",
                placeholder="Choose a time zone",
                options=[
                    discord.SelectOption(label=name, value=name, default=name == zone)
                    for name in names
                ],
            )
        )

    async def callback(self, interaction: Interaction) -> None:
        """Set it, and show the panel anew."""
        [zone] = self.item.values

        async def work() -> Changed:
            await services_of(interaction).policies.set_timezone(
                _guild(interaction), zone, by=interaction.user.id
            )
            return await _shown(interaction, f"set the time zone: {zone}.")

        await intake.guarded(interaction, update(interaction, work, needs=Needs.MANAGER))


class AlertMenu(
    _Menu, discord.ui.DynamicItem[discord.ui.ChannelSelect[Any]], template="setup:alerts"
):
    """Chooses the channel of alerts; none is by direct message."""

    def __init__(self, channel_id: int | None = None) -> None:
        chosen = [] if channel_id is None else [discord.Object(channel_id)]
        super().__init__(
            discord.ui.ChannelSelect(
                custom_id="setup:alerts",
                placeholder="Choose a channel, or none for direct messages",
                channel_types=POSTABLE,
                min_values=0,
                default_values=[
                    discord.SelectDefaultValue.from_channel(channel) for channel in chosen
                ],
            )
        )

    async def callback(self, interaction: Interaction) -> None:
        """Set it, and show the panel anew."""
        channel = next(iter(self.item.values), None)

        async def work() -> Changed:
            await services_of(interaction).policies.configure(
                _guild(interaction),
                Option.ALERT_CHANNEL,
                None if channel is None else channel.id,
                by=interaction.user.id,
            )
            where = "by direct message" if channel is None else f"<#{channel.id}>"
            return await _shown(interaction, f"set where budget alerts go: {where}.")

        await intake.guarded(interaction, update(interaction, work, needs=Needs.MANAGER))


async def panel(interaction: Interaction) -> discord.ui.LayoutView:
    """Draw the panel as things stand now."""
    guild_id = interaction.guild_id or NO_GUILD
    overview = await setup_text.read_overview(services_of(interaction), guild_id)
    config = overview.config
    budget = overview.amount(Target.GUILD, Window.MONTH)
    each = overview.amount(Target.DEFAULT, Window.DAY)
    return boxed(
        setup_text.HEAD,
        _section(setup_text.budget_text(overview), BudgetButton(Target.GUILD, budget)),
        _section(setup_text.each_text(overview), BudgetButton(Target.DEFAULT, each)),
        setup_text.roles_text(overview),
        discord.ui.ActionRow(RoleMenu()),
        setup_text.prices_text(overview),
        discord.ui.ActionRow(PriceMenu()),
        setup_text.zone_text(config),
        discord.ui.ActionRow(ZoneMenu(config.zone)),
        setup_text.alerts_text(config, interaction.guild),
        discord.ui.ActionRow(AlertMenu(config.alert_channel)),
        setup_text.FOOT,
    )


def _section(text: str, button: discord.ui.Item[Any]) -> discord.ui.Section[Any]:
    return discord.ui.Section(discord.ui.TextDisplay(text), accessory=button)


async def _shown(interaction: Interaction, note: str) -> Changed:
    return Changed(await panel(interaction), note)


def _guild(interaction: Interaction) -> int:
    if interaction.guild_id is None:
        raise InvalidOption("setup", "", "a server in which it is typed")
    return interaction.guild_id or NO_GUILD


ALL: Final = (BudgetButton, RoleMenu, PriceMenu, ZoneMenu, AlertMenu)
"""What the bot registers at start, so that a panel of an earlier process works."""
