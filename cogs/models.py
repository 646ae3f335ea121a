"""`/models`: the list of models, and a page for each of them."""

from collections.abc import Collection
from typing import Any, Final

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import ImageBot
from bot.errors import InvalidOption
from cogs.ui import intake, model_panel, options, try_form
from cogs.ui.access import Needs
from cogs.ui.amounts import MOST_TYPED, parse_optional
from cogs.ui.answers import Shown, answer
from cogs.ui.model_list import SORTS, SUPPORTS
from cogs.ui.model_query import Query, Sort, Supports

_MOST_NAME: Final = 100


_ABILITIES: Final = set(Supports.__members__)


def _among(choices: Collection[str], value: str, option: str) -> str:
    """Discord offers choices, and hands over whatever a client sends."""
    if value not in choices:
        raise InvalidOption(option, value, "one of the choices that Discord shows")
    return value


class Models(commands.Cog):
    """What there is to choose from, and every form of **Try it**."""

    @app_commands.command(
        name="models", description="The models: what they can do, what they cost, how fast they are"
    )
    @app_commands.describe(
        name="One model, by its id or another name that it goes by",
        sort="In which order they are listed",
        supports="Only those that can do this",
        free="Only those that cost nothing",
        max_price="Only those whose pictures cost about so many US dollars or less, such as 0.02",
    )
    @app_commands.choices(
        sort=[app_commands.Choice(name=name, value=each.value) for each, name in SORTS.items()],
        supports=[
            app_commands.Choice(name=name, value=each.name) for each, name in SUPPORTS.items()
        ],
    )
    @app_commands.autocomplete(name=options.complete_model)
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def models(
        self,
        interaction: discord.Interaction[Any],
        name: app_commands.Range[str, 1, _MOST_NAME] | None = None,
        sort: str = Sort.POPULAR.value,
        supports: str | None = None,
        free: bool = False,  # noqa: FBT001, FBT002 - an option of a slash command
        max_price: app_commands.Range[str, 1, MOST_TYPED] | None = None,
    ) -> None:
        """Show a page of the list, or one model."""

        async def work() -> Shown:
            query = Query(
                sort=Sort(_among(set(Sort), sort, "sort")),
                supports=frozenset(
                    [] if supports is None else [Supports[_among(_ABILITIES, supports, "supports")]]
                ),
                free=free,
                max_price=parse_optional(max_price, option="max_price"),
            )
            if name is not None:
                return await model_panel.page_view(interaction, name, query)
            return await model_panel.list_view(interaction, query)

        await answer(interaction, work, needs=Needs.NOTHING)

    @commands.Cog.listener()
    async def on_form_submitted(self, interaction: discord.Interaction[Any]) -> None:
        """Answer a submitted form, whichever process opened it."""
        if try_form.is_ours(interaction):
            await intake.guarded(interaction, try_form.submitted(interaction))


async def setup(bot: ImageBot) -> None:
    """Add the cog, and what its messages hold."""
    bot.add_dynamic_items(*model_panel.ALL)
    await bot.add_cog(Models())
