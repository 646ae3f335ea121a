"""What `/config digest` shows and changes: how often, and where."""

from collections.abc import Sequence
from enum import Enum
from typing import Final

from bot.errors import InvalidOption
from bot.quotas import Window, ZoneChange, window_at
from bot.requests import NO_GUILD
from bot.storage import SetDigest
from cogs.ui.answers import Changed, Shown, boxed
from cogs.ui.intake import Interaction, services_of
from cogs.ui.places import Postable
from cogs.ui.setup_text import can_post


class Every(Enum):
    """How often a digest is posted; the names are what people choose from."""

    daily = Window.DAY.value
    weekly = Window.WEEK.value
    monthly = Window.MONTH.value
    off = "off"


_ABOUT: Final = {
    Window.DAY: "each day",
    Window.WEEK: "each week, from Monday",
    Window.MONTH: "each month",
}
_TITLE: Final = "### Digest"


async def change_digest(
    interaction: Interaction, every: Every | None, channel: Postable | None
) -> Shown:
    """Show what is set, or change it. Raises InvalidOption."""
    store, guild_id = services_of(interaction).digests, interaction.guild_id or NO_GUILD
    if every is None:
        if channel is not None:
            raise InvalidOption("every", "", "daily, weekly, monthly or off")
        return await _shown(interaction, guild_id)
    if every is Every.off:
        had = await store.remove(guild_id, by=interaction.user.id)
        return Changed(
            boxed(f"{_TITLE}\nNo digest is posted." + ("" if had else " None was.")),
            "ended the digest." if had else "",
        )
    window = Window(every.value)
    channel_id = interaction.channel_id if channel is None else channel.id
    if channel_id is None:  # as a client may send it
        raise InvalidOption("channel", "", "a channel of this server")
    await store.set(guild_id, window, channel_id, by=interaction.user.id)
    zones = await services_of(interaction).policies.zones(guild_id)
    return Changed(
        boxed(_told(interaction, window, channel_id, zones)),
        f"set the digest: {every.name}, in <#{channel_id}>.",
    )


async def _shown(interaction: Interaction, guild_id: int) -> str:
    digest = await services_of(interaction).digests.get(guild_id)
    if digest is None:
        return (
            f"{_TITLE}\nNone is posted. Name how often, and a channel: what was spent is posted "
            "there after each day, week or month."
        )
    return _told(interaction, digest.window, digest.channel_id, digest.zones) + _trouble(digest)


def _told(
    interaction: Interaction, window: Window, channel_id: int, zones: Sequence[ZoneChange]
) -> str:
    ends_ms = window_at(window, services_of(interaction).clock.now_ms(), zones).end_ms
    told = (
        f"{_TITLE}\nWhat was spent {_ABOUT[window]} is posted in <#{channel_id}>, where everybody "
        f"who sees it reads it. The next one comes some minutes after <t:{ends_ms // 1000}:f>; "
        "when nobody asked for a picture there is none."
    )
    if not can_post(interaction.guild, channel_id):
        told += " **The bot may not post there:** let it see the channel and send messages."
    return told


def _trouble(digest: SetDigest) -> str:
    if not digest.is_troubled:
        return ""
    return "\nThe last one could not be posted. It is tried again every hour."
