"""The messages of `/privacy`: what is kept, and the question before it is erased, with its buttons.

A button carries whom it was shown to and which question it belongs to, so it works after a restart,
for nobody else, and once: of a double click the second does nothing.
"""

import logging
import re
from collections.abc import Awaitable
from typing import Any, Final, Self

import discord

from bot.errors import LedgerUnavailable
from bot.ids import MOST_ID, make_id
from bot.requests import NO_GUILD, ReplyRoute
from bot.storage import Erased
from cogs.ui import intake, privacy_words, removing
from cogs.ui.access import Needs
from cogs.ui.answers import Shown, boxed, update
from cogs.ui.intake import TOKEN_MS, Interaction, governing_guild, services_of
from cogs.ui.network import NETWORK_FAULTS

_log = logging.getLogger(__name__)

_WHOSE: Final = r"(?P<user>[0-9]{1,19}):(?P<question>[0-9]{1,19})"


class EraseButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]],
    template=rf"privacy:erase:(?P<messages>[01]):{_WHOSE}",
):
    """Says yes: to erasing, and perhaps to deleting the messages with pictures as well."""

    def __init__(self, user_id: int, question: int, *, messages: bool) -> None:
        self.user_id = user_id
        self.question = question
        self.messages = messages
        super().__init__(
            discord.ui.Button(
                label="Erase, and delete the messages too" if messages else "Erase my data",
                custom_id=f"privacy:erase:{messages:d}:{user_id}:{question}",
                style=discord.ButtonStyle.danger,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        ids = (min(int(match[name]), MOST_ID) for name in ("user", "question"))
        return cls(*ids, messages=match["messages"] == "1")

    async def callback(self, interaction: Interaction) -> None:
        """Erase, and say what that did."""
        await intake.guarded(interaction, _erase(interaction, self))


class KeepButton(
    discord.ui.DynamicItem[discord.ui.Button[Any]], template=rf"privacy:keep:{_WHOSE}"
):
    """Says no."""

    def __init__(self, user_id: int, question: int) -> None:
        self.user_id = user_id
        self.question = question
        super().__init__(
            discord.ui.Button(
                label="Cancel",
                custom_id=f"privacy:keep:{user_id}:{question}",
                style=discord.ButtonStyle.secondary,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, _: Interaction, __: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from a click."""
        return cls(*(min(int(match[name]), MOST_ID) for name in ("user", "question")))

    async def callback(self, interaction: Interaction) -> None:
        """Say that nothing was erased."""
        await intake.guarded(interaction, _keep(interaction, self))


async def about(interaction: Interaction) -> discord.ui.LayoutView:
    """Tell what is kept, why, for how long, who sees it, and what goes elsewhere."""
    services = services_of(interaction)
    guild_id = governing_guild(interaction)
    config = await services.policies.config(guild_id)
    days = config.retention_days
    if days is None:
        days = services.settings.default_retention_days
    parts = [
        privacy_words.WHAT,
        privacy_words.kept_for(days, in_guild=guild_id != NO_GUILD),
        privacy_words.WHO,
        privacy_words.ELSEWHERE,
        "-# A copy of everything: `/privacy export`. To have it erased: `/privacy delete`."
        + _policy_of(interaction),
    ]
    return boxed(*parts)


def _policy_of(interaction: Interaction) -> str:
    """The operator's own words, where the application names them."""
    application = interaction.client.application
    url = None if application is None else application.privacy_policy_url
    return f" The operator's [privacy policy](<{url}>)." if url else ""


async def question(interaction: Interaction) -> discord.ui.LayoutView:
    """Say what would be erased, and ask."""
    asked = (interaction.user.id, interaction.id)
    buttons = discord.ui.ActionRow[Any](
        EraseButton(*asked, messages=False),
        EraseButton(*asked, messages=True),
        KeepButton(*asked),
    )
    return boxed(*privacy_words.QUESTION, buttons)


async def _keep(interaction: Interaction, button: KeepButton) -> None:
    async def work() -> Shown:
        return "### Nothing was erased\nEverything is as it was."

    if await _is_theirs(interaction, button.user_id):
        await update(interaction, work, needs=Needs.NOTHING)


async def _erase(interaction: Interaction, button: EraseButton) -> None:
    privacy = services_of(interaction).privacy
    begun = False

    async def work() -> Shown:
        nonlocal begun
        begun = True
        try:
            done = await _erase_all(interaction, with_messages=button.messages)
        except BaseException:
            privacy.unanswer(button.question)
            raise
        return privacy_words.erased(done, with_messages=button.messages)

    if not await _is_theirs(interaction, button.user_id):
        return
    if not privacy.answer(button.question):
        await interaction.response.defer()  # the first click shows what came of it
        return
    await update(interaction, work, needs=Needs.NOTHING)
    if not begun:  # Discord did not take the acknowledgement, and shows that by itself
        privacy.unanswer(button.question)


async def _is_theirs(interaction: Interaction, user_id: int) -> bool:
    """Whether who clicks is who was asked; a `custom_id` is as hostile as any input."""
    if interaction.user.id == user_id:
        return True
    await intake.tell_fault(interaction, privacy_words.NOT_YOURS)
    return False


async def _erase_all(interaction: Interaction, *, with_messages: bool) -> Erased:
    services, user_id = services_of(interaction), interaction.user.id
    if not with_messages:
        return await services.privacy.erase_person(user_id)
    removal_id = make_id(services.clock)
    expires_ms = services.clock.now_ms() + TOKEN_MS
    reply = ReplyRoute(
        application_id=interaction.application_id,
        token=interaction.token,
        expires_at_ms=expires_ms,
        channel_id=interaction.channel_id or 0,
        message_id=0,
        upload_limit=0,
    )
    await services.removals.begin(removal_id, reply)
    done = await services.privacy.erase_person(user_id, removal_id=removal_id)
    await _show_removal(interaction, removal_id, waiting=done.waiting)
    services.remover.begin()
    return done


async def _show_removal(interaction: Interaction, removal_id: int, *, waiting: int) -> None:
    """Put a private message below, for how far it is; without one it goes on all the same."""
    state = await services_of(interaction).removals.let_go(removal_id)
    if state is None:
        return
    told = boxed(removing.words_on(state, ended=not state.left and not waiting))
    try:
        message = await interaction.followup.send(view=told, ephemeral=True, wait=True)
    except (discord.HTTPException, *NETWORK_FAULTS) as error:
        _log.info("How far a removal is can't be shown: %r", error)
        return
    await services_of(interaction).removals.show_in(removal_id, message.id)


async def noted(noting: Awaitable[None], guild_id: int) -> None:
    """Note that the bot has come to a guild or left it; the next start finds what was missed."""
    try:
        await noting
    except LedgerUnavailable:
        _log.exception("What became of guild %d could not be noted", guild_id)


ALL: Final = (EraseButton, KeepButton)
"""What the bot registers at start, so that a question of an earlier process works."""
