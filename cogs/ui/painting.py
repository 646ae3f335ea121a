"""The way to the mask painter: a private answer with a link for each picture."""

from collections.abc import Sequence
from typing import Any, Final

import discord
from msgspec.structs import replace

from bot.errors import InvalidOption
from bot.painting import LINK_MS
from bot.requests import ImageRequest, ReplyRoute
from bot.wishes import Wishes
from cogs.ui import answers
from cogs.ui.access import Needs
from cogs.ui.intake import Interaction, actor_of, parent_of, services_of

_MINUTES = LINK_MS // 60_000
_IN_A_ROW: Final = 5
"""Buttons that a row holds."""


async def invite(
    interaction: Interaction,
    *requests: ImageRequest,
    said: Wishes | None = None,
    result_of: int | None = None,
) -> None:
    """Answer with a link for each of `requests`, which differ in their picture.

    `said` is what was said about the result; for the rest it is as the person has set. `result_of`:
    the job whose result the message below a click says that it shows.
    """
    said = said or Wishes()

    async def links() -> discord.ui.LayoutView:
        if result_of is None and requests[0].mask is not None:
            raise InvalidOption("area", "paint", "either a mask or an area, not both")
        services, actor = services_of(interaction), actor_of(interaction)
        preferences = services.preferences
        wanted = said.or_else(await preferences.wishes(actor))
        private = requests[0].private or bool(wanted.private)
        whole = [
            await preferences.complete(
                actor, replace(each, model=said.model, private=private), said
            )
            for each in requests
        ]
        parent_id = None
        if result_of is not None:
            parent_id = await parent_of(interaction, result_of, interaction.message)
        origin = ReplyRoute(
            application_id=interaction.application_id,
            token="",
            expires_at_ms=0,
            channel_id=interaction.channel_id or 0,
            message_id=0,
            upload_limit=interaction.filesize_limit,
        )
        return _view(
            [
                await services.painting.invite(actor, request, origin=origin, parent_id=parent_id)
                for request in whole
            ],
            private=private,
        )

    await answers.answer(interaction, links, needs=Needs.NOTHING)


def _view(links: Sequence[str], *, private: bool) -> discord.ui.LayoutView:
    where = "to you, by direct message" if private else "here"
    buttons: list[discord.ui.Item[Any]] = [
        discord.ui.Button(
            label="Paint the area" if len(links) == 1 else f"Paint on picture {number}", url=link
        )
        for number, link in enumerate(links, 1)
    ]
    view = answers.boxed(
        "### Paint what shall change\n"
        f"The picture opens in your browser. Paint over what shall change, say how, and press "
        f"Generate: the result comes {where}. The link is yours alone, works for {_MINUTES} "
        "minutes, and starts one edit; nothing costs anything before."
    )
    for start in range(0, len(buttons), _IN_A_ROW):
        view.add_item(discord.ui.ActionRow(*buttons[start : start + _IN_A_ROW]))
    return view
