"""Set a limit as somebody who may, and answer with what it comes to."""

import discord

from bot.money import Micros, format_usd
from bot.quotas import Target, Window
from bot.storage import Who
from cogs.ui.answers import Changed, boxed
from cogs.ui.consequences import Consequences, Setting, consequences
from cogs.ui.forms import LimitButton
from cogs.ui.intake import Interaction, limited_channel, services_of
from cogs.ui.limits import PER
from cogs.ui.standing import whom


async def set_limit(
    interaction: Interaction,
    who: Who,
    window: Window,
    amount: Micros | None,
    *,
    role_ids: tuple[int, ...] = (),
) -> Changed:
    """Set a limit (None: remove it); `role_ids` are those of the member whom it is for."""
    services = services_of(interaction)
    before = await services.policies.set_limit(who, window, amount, by=interaction.user.id)
    made = Setting(who, window, amount, before, role_ids)
    told = await consequences(services, made, channel_id=limited_channel(interaction))
    return Changed(_view(told), "" if who.target.is_operators else note_of(made))


def note_of(made: Setting) -> str:
    """A line for the log channel; empty when nothing has changed."""
    if made.amount == made.before:
        return ""
    was = "nothing" if made.before is None else format_usd(made.before)
    now = "nothing" if made.amount is None else format_usd(made.amount)
    return f"set the limit {PER[made.window]} ({whom(made.who, made.window)}): {now}; it was {was}."


def _view(told: Consequences) -> discord.ui.LayoutView:
    if told.daily is None:
        return boxed(told.text)
    who, amount = told.daily
    subject = who.id if who.target is Target.CHANNEL else 0
    button = LimitButton(who.target, subject, amount)
    return boxed(told.text, discord.ui.ActionRow(button))
