"""`/usage`: what a person has spent and what is left, for their eyes only."""

from collections.abc import Sequence
from typing import Any, Final

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import ImageBot
from bot.money import format_price, format_usd
from bot.quotas import UTC_ZONE, Window, ZoneChange, window_at
from bot.requests import NO_GUILD, Actor
from bot.services import Services
from bot.storage import Delivery, JobSummary, Standing
from cogs.ui.access import Needs
from cogs.ui.answers import Shown, answer, boxed
from cogs.ui.intake import actor_of, services_of
from cogs.ui.limits import is_off
from cogs.ui.standing import binding_line, state_lines
from cogs.ui.text import plain

_JOBS_SHOWN: Final = 10
_PROMPT_SHOWN: Final = 60
_OFF: Final = (
    "Only free models work here: in direct messages, groups, and servers that don't have this bot, "
    "its operator pays for no others. Go to a server that has it."
)


class Usage(commands.Cog):
    """A person's own spending."""

    @app_commands.command(
        name="usage", description="What you have spent, what is left, and your last pictures"
    )
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def usage(self, interaction: discord.Interaction[Any]) -> None:
        """Show today, this month, all time, what is left, and the last ten jobs."""

        async def work() -> Shown:
            services = services_of(interaction)
            actor = actor_of(interaction)
            standing = await services.policies.standing(actor)
            spent = await _spent_table(services, actor, standing.rules.zones)
            jobs = await services.jobs.recent(actor.user_id, limit=_JOBS_SHOWN)
            return boxed(
                f"### What you have spent\n{spent}",
                f"### What is left\n{_left(standing)}",
                f"### Your last pictures\n{_jobs(jobs)}",
            )

        await answer(interaction, work, needs=Needs.NOTHING)


def _left(standing: Standing) -> str:
    """A bar for each limit that applies here, and which one ends first."""
    lines = []
    if standing.rules.blocked is not None:
        lines.append("**You are blocked in this server,** so you can make nothing here.")
    if standing.rules.paused is not None:
        lines.append("**Pictures are paused** just now.")
    if any(is_off(state.limit) for state in standing.limits):
        return "\n".join([*lines, _OFF])
    return "\n".join([*lines, *state_lines(standing), f"-# {binding_line(standing)}"])


async def _spent_table(services: Services, actor: Actor, zones: Sequence[ZoneChange]) -> str:
    """Lines for today, this month and all time: everywhere, and in this guild."""
    now = services.clock.now_ms()
    user_id = actor.user_id
    guild_id = None if actor.guild_id == NO_GUILD else actor.guild_id
    starts = {
        "Today": window_at(Window.DAY, now, zones).start_ms,
        "This month": window_at(Window.MONTH, now, zones).start_ms,
        "In all": None,
    }
    lines = []
    for name, since in starts.items():
        everywhere = await services.ledger.spend(user_id, since_ms=since)
        line = f"**{name}** {format_usd(everywhere)}"
        if guild_id is not None:
            here = await services.ledger.spend(user_id, guild_id=guild_id, since_ms=since)
            if here != everywhere:
                line += f" · {format_usd(here)} of it in this server"
        lines.append(line)
    pending = await services.ledger.pending(user_id)
    if pending:
        lines.append(f"-# Up to {format_usd(pending)} more may count: an outcome is unknown.")
    zone = max(zones, key=lambda change: change.at_ms).zone if zones else UTC_ZONE
    lines.append(f"-# Days and months begin at midnight {zone}.")
    return "\n".join(lines)


def _jobs(jobs: list[JobSummary]) -> str:
    return "\n".join(_job(job) for job in jobs) or "None yet. Type `/imagine`."


def _job(job: JobSummary) -> str:
    prompt = "private" if job.private else plain(job.prompt or "erased", most=_PROMPT_SHOWN)
    # A prompt is no text for a link: Discord takes none with brackets or an address in it.
    where = _link(job)
    link = f" · [look]({where})" if where else ""
    others = f" and {job.models - 1} more" if job.models > 1 else ""
    model = plain(job.model, most=60) + others
    return f"- <t:{job.created_ms // 1000}:R> {prompt} · {model} · {_cost(job)}{link}"


def _cost(job: JobSummary) -> str:
    if job.open_charges:
        return "running"
    if job.pending:
        return f"{format_price(job.spent)} (up to {format_usd(job.pending)} more)"
    return format_price(job.spent)


def _link(job: JobSummary) -> str | None:
    """The address of the result's message, if it can be linked.

    Private ones can't, nor those in a guild that does not have the bot: which one is not kept.
    """
    if job.delivery is not Delivery.DELIVERED or job.private or job.message_id is None:
        return None
    if job.guild_id == NO_GUILD and not job.channel_id:
        return None
    guild = "@me" if job.guild_id == NO_GUILD else str(job.guild_id)
    return f"https://discord.com/channels/{guild}/{job.message_channel_id}/{job.message_id}"


async def setup(bot: ImageBot) -> None:
    """Add the cog."""
    await bot.add_cog(Usage())
