"""`/config`: what else a guild sets for itself. For those who manage it."""

from typing import Any, Final

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import ImageBot
from bot.money import format_usd
from bot.requests import NO_GUILD
from bot.storage import Option
from cogs.ui.access import Needs
from cogs.ui.amounts import MOST_TYPED, parse_optional
from cogs.ui.answers import Changed, Shown, answer, boxed
from cogs.ui.choices import OnOff
from cogs.ui.intake import services_of
from cogs.ui.options import MOST_CHOICES
from cogs.ui.setup_text import can_post
from cogs.ui.standing import stamp
from cogs.ui.zones import search_zones

Interaction = discord.Interaction[Any]
Postable = discord.TextChannel | discord.VoiceChannel | discord.StageChannel

_MOST_ZONE: Final = 60


async def complete_zone(_: Interaction, current: str) -> list[app_commands.Choice[str]]:
    """Time zones that match what is typed so far."""
    found = search_zones(current, most=MOST_CHOICES)
    return [app_commands.Choice(name=name, value=name) for name in found]


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
@app_commands.allowed_installs(guilds=True, users=False)
class Config(
    commands.GroupCog,
    group_name="config",
    group_description="Time zone, channels, managers, confirmations and pauses of this server",
):
    """One option a command; leaving its value out removes it."""

    @app_commands.command(name="timezone", description="When days, weeks and months begin here")
    @app_commands.describe(timezone="A name such as Europe/Berlin; a list appears as you type")
    @app_commands.autocomplete(timezone=complete_zone)
    async def timezone(
        self, interaction: Interaction, timezone: app_commands.Range[str, 1, _MOST_ZONE]
    ) -> None:
        """Set the time zone."""

        async def work() -> Shown:
            policies = services_of(interaction).policies
            by = interaction.user.id
            begins = await policies.set_timezone(_guild(interaction), timezone, by=by)
            now = services_of(interaction).clock.now_ms()
            told = f"Days, weeks and months begin at midnight in **{timezone}**."
            if begins > now:
                told += (
                    f" The running ones end as they would have: the first new day begins "
                    f"{stamp(begins)}. Changing the zone never gives anybody a fresh allowance."
                )
            return Changed(boxed(f"### Time zone\n{told}"), f"set the time zone: {timezone}.")

        await answer(interaction, work, needs=Needs.MANAGER)

    @app_commands.command(name="alert-channel", description="Where it is said that a budget ends")
    @app_commands.describe(channel="Leave it out: by direct message to whoever set the budget")
    async def alert_channel(
        self, interaction: Interaction, channel: Postable | None = None
    ) -> None:
        """Set the channel of budget alerts."""
        what = "At 50, 80 and 100% of a shared budget it is said"
        await _set_channel(interaction, Option.ALERT_CHANNEL, channel, title="Alerts", what=what)

    @app_commands.command(name="log-channel", description="Where changes of the rules are posted")
    @app_commands.describe(channel="Leave it out to post them nowhere")
    async def log_channel(self, interaction: Interaction, channel: Postable | None = None) -> None:
        """Set the channel in which changes are posted."""
        what = "Who changes which limit, block or option is posted"
        await _set_channel(interaction, Option.LOG_CHANNEL, channel, title="Log", what=what)

    @app_commands.command(name="managers", description="A role that may do what Manage Server may")
    @app_commands.describe(role="Leave it out: only people with Manage Server")
    async def managers(self, interaction: Interaction, role: discord.Role | None = None) -> None:
        """Name the managers' role. Managers themselves may not, or they could pass it on."""

        async def work() -> Shown:
            if role is not None and role.id == interaction.guild_id:
                return "@everyone can't be the managers' role. Choose another one."
            role_id = None if role is None else role.id
            await _configure(interaction, Option.MANAGERS, role_id)
            if role is None:
                told = "Only people with **Manage Server** may use `/setup`, `/quota`, `/config`."
                return Changed(boxed(f"### Managers\n{told}"), "removed the managers' role.")
            told = (
                f"Holders of <@&{role.id}> may use `/setup`, `/quota` and `/config`, too.\n"
                "Discord still hides these commands from them. Show them under *Server Settings → "
                "Integrations*: choose this bot, then each command, and add the role. Discord lets "
                "no bot do that for you."
            )
            return Changed(boxed(f"### Managers\n{told}"), f"named <@&{role.id}> as managers.")

        await answer(interaction, work, needs=Needs.MANAGE_SERVER)

    @app_commands.command(
        name="confirm-above", description="Ask people before anything that may cost more than this"
    )
    @app_commands.describe(amount="US dollars, such as 0.25; leave it out to never ask")
    async def confirm_above(
        self,
        interaction: Interaction,
        amount: app_commands.Range[str, 1, MOST_TYPED] | None = None,
    ) -> None:
        """Set above what a job asks first."""

        async def work() -> Shown:
            above = parse_optional(amount)
            await _configure(interaction, Option.CONFIRM_ABOVE, above)
            if above is None:
                told, note = "Nobody is asked before a job.", "nobody is asked before a job."
            else:
                told = (
                    f"Whoever asks for something that may cost more than **{format_usd(above)}** "
                    "is asked first. Nothing is held before they confirm."
                )
                note = f"people are asked before anything above {format_usd(above)}."
            return Changed(boxed(f"### Confirmation\n{told}"), f"changed: {note}")

        await answer(interaction, work, needs=Needs.MANAGER)

    @app_commands.command(name="pause", description="Make nothing new in this server, or go on")
    @app_commands.describe(state="on pauses, off goes on; it outlives restarts of the bot")
    async def pause(self, interaction: Interaction, state: OnOff = OnOff.ON) -> None:
        """Pause the guild, or end that."""

        async def work() -> Shown:
            policies, by = services_of(interaction).policies, interaction.user.id
            guild_id = _guild(interaction)
            if state is OnOff.ON:
                changed = await policies.pause(guild_id, by=by)
                told = (
                    "Nothing new is made in this server, and people are told so. What runs already "
                    "is finished. `/config pause` with `off` ends it; a restart does not."
                )
                title = "Paused" if changed else "Paused already"
                return Changed(boxed(f"### {title}\n{told}"), "paused pictures." if changed else "")
            changed = await policies.resume(guild_id, by=by)
            title = "Going on" if changed else "Not paused"
            told = "Pictures are made in this server, unless the operator has paused the whole bot."
            note = "ended the pause of pictures." if changed else ""
            return Changed(boxed(f"### {title}\n{told}"), note)

        await answer(interaction, work, needs=Needs.MANAGER)


async def _set_channel(
    interaction: Interaction, option: Option, channel: Postable | None, *, title: str, what: str
) -> None:
    async def work() -> Shown:
        if channel is None:
            await _configure(interaction, option, None)
            return Changed(boxed(f"### {title}\nNo channel."), f"{title}: no channel any more.")
        await _configure(interaction, option, channel.id)
        told = f"{what} in <#{channel.id}>."
        if not can_post(interaction.guild, channel.id):
            told += " **The bot may not post there:** let it see the channel and send messages."
        return Changed(boxed(f"### {title}\n{told}"), f"{title}: <#{channel.id}>.")

    await answer(interaction, work, needs=Needs.MANAGER)


async def _configure(interaction: Interaction, option: Option, value: int | None) -> None:
    policies = services_of(interaction).policies
    await policies.configure(_guild(interaction), option, value, by=interaction.user.id)


def _guild(interaction: Interaction) -> int:
    return interaction.guild_id or NO_GUILD


async def setup(bot: ImageBot) -> None:
    """Add the cog."""
    await bot.add_cog(Config())
