"""What a model's page says. Pure."""

from collections.abc import Sequence
from typing import Final

from bot.catalog import Ability, Model
from bot.money import format_usd
from bot.records import Record
from bot.storage import Example
from cogs.ui.text import plain

NOT_ALLOWED: Final = "**The rules of this server keep it from you here.**"
_SIZES_SHOWN: Final = 12


def head(model: Model, *, asked: str) -> str:
    """Its name, its id, and that it goes by another one if `asked` is that."""
    lines = [f"### {plain(model.short_name, most=100)}", plain(model.id, most=120)]
    if asked.strip().casefold() != model.id.casefold() and asked.strip():
        lines.append(f"-# ImageRouter takes “{plain(asked, most=100)}” for this one.")
    return "\n".join(lines)


def unknown(name: str, near: Sequence[Model]) -> str:
    """Say that nobody knows it, and what it may have meant."""
    told = f"### No such model\nNeither the list nor ImageRouter knows “{plain(name, most=100)}”."
    if near:
        told += f" Did you mean {' or '.join(plain(each.id, most=100) for each in near)}?"
    return told


def gone(successors: Sequence[str]) -> str:
    """Say that it can't be used, and what may take its place."""
    told = "**ImageRouter does not list this model, so it can't be used here.**"
    if successors:
        told += f" Nearest: {', '.join(plain(each, most=100) for each in successors)}."
    return told


def facts(model: Model) -> str:
    """What the catalogue says."""
    vendor = model.id.partition("/")[0]
    made = f"**Vendor:** {plain(vendor, most=60)}"
    if model.release_date is not None:
        date = model.release_date
        made += f" · **Released:** {date.day} {date:%B %Y}"
    lines = [made, f"**Price:** {_price(model)}", f"**Can:** {_abilities(model)}", _sizes(model)]
    return "\n".join(lines)


def _price(model: Model) -> str:
    if model.is_free:
        return "free"
    parts = []
    if model.about is not None:
        parts.append(f"about {format_usd(model.about)}")
    if model.at_most is not None:
        parts.append(f"at most {format_usd(model.at_most)}")
    if parts:
        return f"{', '.join(parts)} a picture"
    if model.ceiling is None:
        return "nobody says, so it can't be used"
    return f"nobody says; {format_usd(model.ceiling)} is kept aside for each picture"


def _abilities(model: Model) -> str:
    can = [] if model.needs_image else ["make pictures from words"]
    if Ability.EDIT in model.abilities:
        most = model.max_images
        can.append("edit one picture" if most == 1 else f"edit up to {most} pictures at once")
    if Ability.MASK in model.abilities:
        can.append("change only what a mask marks")
    if Ability.QUALITY in model.abilities:
        can.append("work at low, medium or high quality")
    told = " · ".join(can)
    if model.seems_to_need_picture and not model.needs_image:
        told += " (it seems to need a picture)"
    return told


def _sizes(model: Model) -> str:
    if not model.sizes:
        return "**Sizes:** any that its provider takes"
    shown = [plain(each, most=20) for each in model.sizes[:_SIZES_SHOWN]]
    more = len(model.sizes) - len(shown)
    return f"**Sizes:** {', '.join(shown)}" + (f" and {more} more" if more else "")


def measured(record: Record | None) -> str:
    """How it has fared with this bot."""
    if record is None:
        return "-# This bot has made nothing with it in the last 30 days."
    lines = []
    if record.median_ms is not None and record.p95_ms is not None:
        half, most = record.median_ms / 1000, record.p95_ms / 1000
        lines.append(
            f"**Speed:** half of the pictures within {half:.1f} s, 95% within {most:.1f} s"
        )
    lines.append(f"**Success:** {_percent(record)} of {_requests(record.tries)}")
    return "\n".join([*lines, "-# As this bot has measured in the last 30 days."])


def _percent(record: Record) -> str:
    """Rounded, but never to a perfection that it has not."""
    share = record.success * 100
    if 99 < share < 100:  # noqa: PLR2004 - percents
        return "more than 99%"
    return f"{share:.0f}%"


def _requests(count: int) -> str:
    return "one request" if count == 1 else f"{count} requests"


def made_here(guild_id: int, example: Example) -> str:
    """A link to something that was made with it in this guild."""
    path = f"{guild_id}/{example.channel_id}/{example.message_id}"
    return f"**Made in this server:** [an example](https://discord.com/channels/{path})"
