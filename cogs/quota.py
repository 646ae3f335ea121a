"""`/quota`: who may spend how much, and who is blocked, in one guild. For those who manage it."""

from typing import Any, Final

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import ImageBot
from bot.errors import InvalidOption
from bot.money import format_usd
from bot.quotas import SPANS, Scope, Window
from bot.requests import NO_GUILD, Actor
from bot.storage import Who
from cogs.ui import overview, setting
from cogs.ui.access import Needs
from cogs.ui.amounts import MOST_TYPED, parse_amount, parse_optional
from cogs.ui.answers import Changed, Shown, answer, boxed
from cogs.ui.choices import PER_CHOICES, OnOff
from cogs.ui.intake import is_age_restricted, limited_channel, services_of
from cogs.ui.options import complete_model
from cogs.ui.standing import state_line
from cogs.ui.text import plain

Interaction = discord.Interaction[Any]
Person = discord.Member | discord.User
Channel = discord.TextChannel | discord.VoiceChannel | discord.StageChannel
Amount = app_commands.Range[str, 1, MOST_TYPED]

_MOST_REASON: Final = 200


@app_commands.guild_only()
@app_commands.default_permissions(manage_guild=True)
@app_commands.allowed_installs(guilds=True, users=False)
class Quota(
    commands.GroupCog,
    group_name="quota",
    group_description="Who may spend how much in this server",
):
    """Limits, grants and blocks."""

    @app_commands.command(name="set", description="Set a limit in US dollars, or remove it")
    @app_commands.describe(
        per="What the amount is for",
        amount="Such as 0.50; 0 allows free models only; leave it out to remove the limit",
        member="One member, whatever their roles say",
        role="Each holder of this role; @everyone is each member",
        channel="Everybody in this channel together",
        each_member="Each member for whom nothing else is set",
    )
    @app_commands.choices(per=PER_CHOICES)
    async def set_limit(
        self,
        interaction: Interaction,
        per: str,
        amount: Amount | None = None,
        member: discord.User | None = None,
        role: discord.Role | None = None,
        channel: Channel | None = None,
        each_member: bool = False,  # noqa: FBT001, FBT002 - an option of a slash command
    ) -> None:
        """Set a limit for one of them; for the server when none is named."""

        async def work() -> Changed:
            guild_id = interaction.guild_id or NO_GUILD
            who = _whom(guild_id, member, role, channel, each_member=each_member)
            typed = parse_optional(amount)
            return await setting.set_limit(
                interaction, who, Window(per), typed, role_ids=_roles(member)
            )

        await answer(interaction, work, needs=Needs.MANAGER)

    @app_commands.command(name="show", description="Every limit, what is left, which one binds")
    @app_commands.describe(
        member="How things stand for them in this channel; yourself if you name nobody",
        model="Whether they could make a picture with it now; nothing is spent",
    )
    @app_commands.autocomplete(model=complete_model)
    async def show(
        self,
        interaction: Interaction,
        member: discord.User | None = None,
        model: app_commands.Range[str, 1, 100] | None = None,
    ) -> None:
        """Show rules and what is left."""

        async def work() -> Shown:
            person = member or interaction.user
            actor = Actor(
                user_id=person.id,
                guild_id=interaction.guild_id or NO_GUILD,
                channel_id=limited_channel(interaction),
                role_ids=_roles(person),
                age_restricted=is_age_restricted(interaction.channel),
            )
            services, reader = services_of(interaction), interaction.user.id
            return boxed(*await overview.of_member(services, actor, model, reader_id=reader))

        await answer(interaction, work, needs=Needs.MANAGER)

    @app_commands.command(name="grant", description="Give a member something extra, once")
    @app_commands.describe(
        member="Who gets it",
        amount="US dollars, on top of their own limits in the day, week and month that run now",
        reason="Why; it is kept with the grant",
    )
    async def grant(
        self,
        interaction: Interaction,
        member: discord.User,
        amount: Amount,
        reason: app_commands.Range[str, 1, _MOST_REASON],
    ) -> None:
        """Add to a member's own limits in the running windows."""

        async def work() -> Changed:
            extra = parse_amount(amount)
            if not extra:
                raise InvalidOption("amount", amount, "more than 0")
            _no_bot(member)
            guild_id = interaction.guild_id or NO_GUILD
            policies = services_of(interaction).policies
            by = interaction.user.id
            await policies.grant(guild_id, member.id, extra, reason=reason, by=by)
            actor = Actor(member.id, guild_id, limited_channel(interaction), _roles(member))
            standing = await policies.standing(actor)
            own = [
                state_line(state)
                for state in standing.limits
                if state.limit.scope is Scope.MEMBER and state.limit.window in SPANS
            ]
            text = (
                f"### Granted\n<@{member.id}> has {format_usd(extra)} extra: "
                f"{plain(reason, most=_MOST_REASON)}\n" + "\n".join(own) + "\n"
                "-# It adds to their own limits in the windows that run now. Budgets that people "
                "share are not raised by it."
            )
            note = f"gave <@{member.id}> {format_usd(extra)} extra: {plain(reason)}"
            return Changed(boxed(text), note)

        await answer(interaction, work, needs=Needs.MANAGER)

    @app_commands.command(name="block", description="Let a member make no pictures in this server")
    @app_commands.describe(
        member="Whom", state="on or off", reason="Why; the member is told, and it is kept"
    )
    async def block(
        self,
        interaction: Interaction,
        member: discord.User,
        state: OnOff = OnOff.ON,
        reason: app_commands.Range[str, 1, _MOST_REASON] | None = None,
    ) -> None:
        """Block a member here, or lift that."""

        async def work() -> Shown:
            guild_id = interaction.guild_id or NO_GUILD
            policies, by = services_of(interaction).policies, interaction.user.id
            name = f"<@{member.id}>"
            if state is OnOff.OFF:
                if not await policies.unblock(guild_id, member.id, by=by):
                    return f"{name} is not blocked in this server."
                return Changed(
                    boxed(f"### Unblocked\n{name} may make pictures here again."),
                    f"unblocked {name}.",
                )
            if not await policies.block(guild_id, member.id, reason=reason or "", by=by):
                return f"{name} is blocked in this server already."
            why = f": {plain(reason, most=_MOST_REASON)}" if reason else "."
            told = (
                f"### Blocked\n{name} makes no new pictures in this server{why}\n"
                "-# Other servers are not concerned. `/quota block` with `off` lifts it."
            )
            return Changed(boxed(told), f"blocked {name}{why}")

        await answer(interaction, work, needs=Needs.MANAGER)


def _whom(
    guild_id: int,
    member: Person | None,
    role: discord.Role | None,
    channel: Channel | None,
    *,
    each_member: bool,
) -> Who:
    """For whom a limit is meant; the server when nobody is named."""
    named: list[Who] = []
    if member is not None:
        _no_bot(member)
        named.append(Who.member(guild_id, member.id))
    if role is not None:
        everyone = role.id == guild_id
        named.append(Who.each_member(guild_id) if everyone else Who.role(guild_id, role.id))
    if channel is not None:
        named.append(Who.channel(guild_id, channel.id))
    if each_member:
        named.append(Who.each_member(guild_id))
    if len(set(named)) > 1:
        hint = "one at a time: a member, a role, a channel, or each member; none is the server"
        raise InvalidOption("member, role, channel, each_member", "", hint)
    return named[0] if named else Who.guild(guild_id)


def _no_bot(member: Person) -> None:
    if member.bot:
        raise InvalidOption("member", str(member.id), "a person; bots make no pictures")


def _roles(person: Person | None) -> tuple[int, ...]:
    return tuple(role.id for role in person.roles) if isinstance(person, discord.Member) else ()


async def setup(bot: ImageBot) -> None:
    """Add the cog."""
    await bot.add_cog(Quota())
