"""`/usage`: what a person has spent, for their eyes only."""

from typing import Any, Final

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import ImageBot
from bot.errors import LedgerUnavailable
from bot.money import format_price, format_usd
from bot.quotas import Window, window_at
from bot.requests import NO_GUILD
from bot.services import Services
from bot.storage import Delivery, JobSummary
from cogs.ui import errors, intake
from cogs.ui.intake import services_of
from cogs.ui.messages import simple_view
from cogs.ui.text import plain

_JOBS_SHOWN: Final = 10
_PROMPT_SHOWN: Final = 60


class Usage(commands.Cog):
    """A person's own spending."""

    @app_commands.command(name="usage", description="What you have spent, and your last pictures")
    @app_commands.allowed_installs(guilds=True, users=False)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    async def usage(self, interaction: discord.Interaction[Any]) -> None:
        """Show today, this month, all time, and the last ten jobs."""
        if await intake.defer(interaction, private=True) is None:
            return
        services = services_of(interaction)
        user_id = interaction.user.id
        try:
            spent = await _spent_table(services, user_id, interaction.guild_id)
            jobs = await services.jobs.recent(user_id, limit=_JOBS_SHOWN)
        except LedgerUnavailable as error:
            told = errors.explain(error)
            text = f"### {told.title}\n{told.body}"
        else:
            text = f"### What you have spent\n{spent}\n### Your last pictures\n{_jobs(jobs)}"
        await interaction.edit_original_response(view=simple_view(text))


async def _spent_table(services: Services, user_id: int, guild_id: int | None) -> str:
    """Lines for today, this month and all time: everywhere, and in this guild."""
    now = services.clock.now_ms()
    starts = {
        "Today": window_at(Window.DAY, now).start_ms,
        "This month": window_at(Window.MONTH, now).start_ms,
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
    lines.append("-# Days and months begin at midnight UTC.")
    return "\n".join(lines)


def _jobs(jobs: list[JobSummary]) -> str:
    return "\n".join(_job(job) for job in jobs) or "None yet. Type `/imagine`."


def _job(job: JobSummary) -> str:
    prompt = "private" if job.private else plain(job.prompt or "erased", most=_PROMPT_SHOWN)
    where = _link(job)
    shown = f"[{prompt}]({where})" if where else prompt
    return f"- <t:{job.created_ms // 1000}:R> {shown} · {plain(job.model, most=60)} · {_cost(job)}"


def _cost(job: JobSummary) -> str:
    if job.open_charges:
        return "running"
    if job.pending:
        return f"{format_price(job.spent)} (up to {format_usd(job.pending)} more)"
    return format_price(job.spent)


def _link(job: JobSummary) -> str | None:
    """The address of the result's message; private ones can't be linked."""
    if job.delivery is not Delivery.DELIVERED or job.private or job.message_id is None:
        return None
    guild = "@me" if job.guild_id == NO_GUILD else str(job.guild_id)
    return f"https://discord.com/channels/{guild}/{job.message_channel_id}/{job.message_id}"


async def setup(bot: ImageBot) -> None:
    """Add the cog."""
    await bot.add_cog(Usage())
