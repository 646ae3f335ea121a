"""`/audit`: who changed which rule of this server. For those who manage it."""

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import ImageBot
from bot.errors import InvalidOption
from bot.storage import Kind
from cogs.ui import audit_panel, audit_words
from cogs.ui.access import Needs
from cogs.ui.answers import Shown, answer


class Audit(commands.Cog):
    """The trail of changes, of the guild where it is asked for alone."""

    @app_commands.command(
        name="audit", description="Who changed which rule here, when, from what to what"
    )
    @app_commands.describe(
        person="Only what they changed, or what was changed for them", kind="Only changes of this"
    )
    @app_commands.choices(
        kind=[
            app_commands.Choice(name=name, value=kind.value)
            for kind, name in audit_words.KINDS.items()
        ]
    )
    @app_commands.guild_only()
    @app_commands.default_permissions(manage_guild=True)
    @app_commands.allowed_installs(guilds=True, users=False)
    async def audit(
        self,
        interaction: discord.Interaction[Any],
        person: discord.User | None = None,
        kind: str | None = None,
    ) -> None:
        """Show the newest changes."""

        async def work() -> Shown:
            if kind is not None and kind not in set(Kind):  # a client may send whatever it likes
                raise InvalidOption("kind", kind, "one of the choices that Discord shows")
            view = audit_panel.View(
                audit_panel.HERE,
                None if kind is None else Kind(kind),
                0 if person is None else person.id,
            )
            return await audit_panel.page_view(interaction, view)

        await answer(interaction, work, needs=Needs.MANAGER)


async def setup(bot: ImageBot) -> None:
    """Add the cog, and what its messages hold."""
    bot.add_dynamic_items(*audit_panel.ALL)
    await bot.add_cog(Audit())
