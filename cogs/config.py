"""`/config`: what else a guild sets for itself. For those who manage it."""

from typing import Any, Final

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import ImageBot
from bot.errors import InvalidOption
from bot.money import format_usd
from bot.policy import MOST_PATTERN, Effect
from bot.requests import NO_GUILD
from bot.storage import Option
from cogs.ui import digest_settings, policy_settings, retention
from cogs.ui.access import Needs
from cogs.ui.amounts import MOST_TYPED, parse_optional
from cogs.ui.answers import Changed, Shown, answer, boxed
from cogs.ui.choices import OnOff
from cogs.ui.intake import actor_of, services_of
from cogs.ui.options import MOST_CHOICES, complete_model
from cogs.ui.places import Place, Postable
from cogs.ui.setup_text import can_post
from cogs.ui.standing import stamp
from cogs.ui.zones import search_zones

Interaction = discord.Interaction[Any]

_MOST_ZONE: Final = 60
_MOST_ENTRY: Final = 100
_REMOVE: Final = "remove"
_ACTION_HINT: Final = "one of the choices, to say what happens"
_ACTIONS: Final = [
    app_commands.Choice(name="allow these, and only what is allowed", value=Effect.ALLOW.value),
    app_commands.Choice(name="deny these", value=Effect.DENY.value),
    app_commands.Choice(name="only in age-restricted channels", value=Effect.AGE_RESTRICTED.value),
    app_commands.Choice(name="remove: these lines, or all of a place", value=_REMOVE),
]


async def complete_zone(_: Interaction, current: str) -> list[app_commands.Choice[str]]:
    """Time zones that match what is typed so far."""
    found = search_zones(current, most=MOST_CHOICES)
    return [app_commands.Choice(name=name, value=name) for name in found]


async def complete_pattern(
    interaction: Interaction, current: str
) -> list[app_commands.Choice[str]]:
    """Lines that are set, vendors, and models that match what is typed so far."""
    services = services_of(interaction)
    policy = (await services.planner.shown(actor_of(interaction))).policy
    found = [model.id for model in services.catalog.search(current, limit=MOST_CHOICES)]
    shown = policy_settings.patterns_like(policy, current, found, most=MOST_CHOICES)
    return [app_commands.Choice(name=each, value=each) for each in shown]


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
@app_commands.allowed_installs(guilds=True, users=False)
class Config(
    commands.GroupCog,
    group_name="config",
    group_description="What this server sets for itself: models, channels, prompts, time zone",
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
        """Set the channel of alerts."""
        what = (
            "At 50, 80 and 100% of a shared budget, and when a member spends far more than "
            "usually, it is said"
        )
        await _set_channel(interaction, Option.ALERT_CHANNEL, channel, title="Alerts", what=what)

    @app_commands.command(
        name="log-channel", description="Where changes of the rules and finished jobs are posted"
    )
    @app_commands.describe(channel="Leave it out to post them nowhere")
    async def log_channel(self, interaction: Interaction, channel: Postable | None = None) -> None:
        """Set the channel in which changes are posted."""
        what = "Who changes which rule, and who makes what by which model for how much, is posted"
        await _set_channel(interaction, Option.LOG_CHANNEL, channel, title="Log", what=what)

    @app_commands.command(name="digest", description="Post regularly what was spent here")
    @app_commands.describe(
        every="How often; leave it out to see what is set",
        channel="Where, for everybody who sees it; this channel if you leave it out",
    )
    async def digest(
        self,
        interaction: Interaction,
        every: digest_settings.Every | None = None,
        channel: Postable | None = None,
    ) -> None:
        """Change or show the digest."""

        async def work() -> Shown:
            return await digest_settings.change_digest(interaction, every, channel)

        await answer(interaction, work, needs=Needs.MANAGER)

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
                told = (
                    "Only people with **Manage Server** may use `/setup`, `/quota`, `/config`, "
                    "`/audit` and `/report`."
                )
                return Changed(boxed(f"### Managers\n{told}"), "removed the managers' role.")
            told = (
                f"Holders of <@&{role.id}> may use `/setup`, `/quota`, `/config`, `/audit` and "
                "`/report`, too.\n"
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

    @app_commands.command(
        name="retention", description="How long prompts and links to pictures are kept"
    )
    @app_commands.describe(keep="Leave it out to see what is set; costs are kept in any case")
    @app_commands.choices(keep=retention.CHOICES)
    async def retention(self, interaction: Interaction, keep: str | None = None) -> None:
        """Change or show how long words are kept."""

        async def work() -> Shown:
            return await retention.change(interaction, keep)

        await answer(interaction, work, needs=Needs.MANAGER)

    @app_commands.command(name="models", description="Which models may be used, by whom and where")
    @app_commands.describe(
        action="What happens to these models; leave everything out to see what is set",
        models="A name, or a pattern such as openai/* or *:free",
        role="For each holder of this role; @everyone is everybody",
        channel="In this channel and its threads; neither role nor channel is the whole server",
    )
    @app_commands.choices(action=_ACTIONS)
    @app_commands.autocomplete(models=complete_pattern)
    async def models(
        self,
        interaction: Interaction,
        action: str | None = None,
        models: app_commands.Range[str, 1, MOST_PATTERN] | None = None,
        role: discord.Role | None = None,
        channel: Place | None = None,
    ) -> None:
        """Change or show the lists of models."""

        async def work() -> Shown:
            if action is None:
                if models is not None or role is not None or channel is not None:
                    raise InvalidOption("action", "", _ACTION_HINT)
                return await policy_settings.show_models(interaction)
            if action not in {*Effect, _REMOVE}:  # a client may send whatever it likes
                raise InvalidOption("action", action, _ACTION_HINT)
            effect = None if action == _REMOVE else Effect(action)
            return await policy_settings.change_models(
                interaction, effect, models, role=role, channel=channel
            )

        await answer(interaction, work, needs=Needs.MANAGER)

    @app_commands.command(name="channels", description="In which channels pictures are made")
    @app_commands.describe(
        channel="Leave it out to see the list; with off, to allow every channel again",
        state="on: pictures are made there, and only in channels named so; off: not any more",
    )
    async def channels(
        self, interaction: Interaction, channel: Place | None = None, state: OnOff = OnOff.ON
    ) -> None:
        """Change or show where pictures are made."""

        async def work() -> Shown:
            on = state is OnOff.ON
            return await policy_settings.change_channel(interaction, channel, on=on)

        await answer(interaction, work, needs=Needs.MANAGER)

    @app_commands.command(name="private", description="Whether people may ask for private results")
    @app_commands.describe(state="off: every result is shown in its channel")
    async def private(self, interaction: Interaction, state: OnOff) -> None:
        """Allow private results, or not."""

        async def work() -> Shown:
            return await policy_settings.change_private(interaction, on=state is OnOff.ON)

        await answer(interaction, work, needs=Needs.MANAGER)

    @app_commands.command(name="blocklist", description="What prompts may not say in this server")
    @app_commands.describe(
        entry="A word or a few; * stands for any letters of a word. Leave it out to see the list",
        state="on blocks it, off does so no more",
    )
    async def blocklist(
        self,
        interaction: Interaction,
        entry: app_commands.Range[str, 1, _MOST_ENTRY] | None = None,
        state: OnOff = OnOff.ON,
    ) -> None:
        """Change or show the blocklist."""

        async def work() -> Shown:
            on = state is OnOff.ON
            return await policy_settings.change_blocklist(interaction, entry, on=on)

        await answer(interaction, work, needs=Needs.MANAGER)

    @app_commands.command(name="default-model", description="The model for whoever names none")
    @app_commands.describe(model="Leave it out to use the bot's own default")
    @app_commands.autocomplete(model=complete_model)
    async def default_model(
        self, interaction: Interaction, model: app_commands.Range[str, 1, 100] | None = None
    ) -> None:
        """Choose the default model of the server."""

        async def work() -> Shown:
            return await policy_settings.change_default(interaction, model)

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
    services, guild_id = services_of(interaction), _guild(interaction)
    await services.policies.configure(guild_id, option, value, by=interaction.user.id)
    services.policing.forget_guild(guild_id)  # it knows the log channel


def _guild(interaction: Interaction) -> int:
    return interaction.guild_id or NO_GUILD


async def setup(bot: ImageBot) -> None:
    """Add the cog."""
    await bot.add_cog(Config())
