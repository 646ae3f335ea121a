"""What the list of models says: a page's head, its lines, and the choices below it. Pure."""

from collections.abc import Callable, Sequence
from typing import Final

import discord

from bot.catalog import Ability, Model, label
from bot.money import format_usd, format_usd_short
from bot.records import Record
from cogs.ui.model_query import Found, Sort, Supports
from cogs.ui.text import plain, shorten

_MOST_LABEL: Final = 100

SORTS: Final = {
    Sort.POPULAR: "popular",
    Sort.NEWEST: "newest",
    Sort.PRICE: "price",
    Sort.NAME: "name",
    Sort.FASTEST: "fastest here",
}
SORTED: Final = {
    Sort.POPULAR: "The most popular first",
    Sort.NEWEST: "The newest first",
    Sort.PRICE: "The cheapest first",
    Sort.NAME: "By name",
    Sort.FASTEST: "The fastest first, as this bot has measured",
}
SUPPORTS: Final = {
    Supports.EDIT: "edit",
    Supports.MASK: "mask",
    Supports.QUALITY: "quality",
    Supports.IMAGES: "several images",
}
CAN: Final = {
    Supports.EDIT: "Edits pictures",
    Supports.MASK: "Takes a mask",
    Supports.QUALITY: "Has a quality setting",
    Supports.IMAGES: "Takes several pictures",
}


def head(found: Found) -> str:
    """Say how many there are, by which filters, and in which order."""
    query = found.query
    count = "One model" if found.total == 1 else f"{found.total:,} models"
    lines = [f"### {count}" if found.total else "### No such model"]
    wanted = [CAN[each] for each in Supports if each in query.supports]
    if query.free:
        wanted.append("Is free")
    if query.max_price is not None:
        wanted.append(f"A picture for about {format_usd(query.max_price)} or less")
    if wanted:
        lines.append(f"**{' · '.join(wanted)}**")
    page = f" · page {query.page} of {found.pages}" if found.pages > 1 else ""
    lines.append(f"-# {SORTED[query.sort]}{page}")
    return "\n".join(lines)


def lines(found: Found, record: Callable[[str], Record | None]) -> str:
    """Two lines for each model: its name and price, and what else there is to know."""
    if not found.models:
        return "Ask for less below, or type `/models` again with a higher price."
    return "\n".join(_line(model, record(model.id)) for model in found.models)


def _line(model: Model, record: Record | None) -> str:
    facts = [plain(model.id.partition("/")[0], most=60)]
    if model.release_date is not None:
        facts.append(f"{model.release_date:%b %Y}")
    if abilities := _abilities(model):
        facts.append(abilities)
    if record is not None and record.median_ms is not None:
        facts.append(f"{record.median_ms / 1000:.1f} s")
    name = plain(model.short_name, most=80)
    return f"**{name}** · {_price(model)}\n-# {' · '.join(facts)}"


def _abilities(model: Model) -> str:
    marks = [
        mark
        for mark, ability in (
            ("edit", Ability.EDIT),
            ("mask", Ability.MASK),
            ("quality", Ability.QUALITY),
        )
        if ability in model.abilities
    ]
    return ", ".join(marks)


def _price(model: Model) -> str:
    if model.is_free:
        return "free"
    if model.about is not None:
        return f"about {format_usd_short(model.about)}"
    if model.at_most is not None:
        return f"at most {format_usd_short(model.at_most)}"
    return "price unknown"


def options(models: Sequence[Model]) -> list[discord.SelectOption]:
    """Models to choose from, by their ids."""
    return [
        discord.SelectOption(label=shorten(label(each), _MOST_LABEL), value=each.id)
        for each in models
    ]
