"""What the operator's commands about the books do: compare, look at a charge, settle it by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from discord import app_commands

from bot.errors import BotError, InvalidOption
from bot.ids import MOST_ID
from bot.money import Micros, format_usd
from bot.reconciling import CannotReconcile
from bot.reconciling_words import Voice, tell, tell_obstacle
from bot.requests import NO_GUILD
from bot.storage import AboveHold, ChargeState, ChargeStory, NotSettleable
from cogs.ui.access import is_operator
from cogs.ui.answers import Shown, boxed
from cogs.ui.intake import Interaction, services_of
from cogs.ui.options import MOST_CHOICES
from cogs.ui.places import guild_name
from cogs.ui.policy_settings import shortened
from cogs.ui.text import plain, shorten

MOST_REASON: Final = 200
MOST_KEY: Final = 100
MOST_CHARGE: Final = 20
_MOST_NAME: Final = 100
_MOST_LISTED: Final = 2_000
"""Characters."""

_WHY_NOT: Final = {
    None: "There is no such charge. Choose one from the list, or type its id.",
    ChargeState.SETTLED: "It is settled already, and a charge is settled once.",
    ChargeState.HELD: "It has not been sent yet. Its outcome will be recorded by itself.",
    ChargeState.DISPATCHED: "It is being made just now. Its outcome will be recorded by itself.",
    ChargeState.RELEASED: "It was never sent, so it has cost nothing.",
}


async def reconcile(interaction: Interaction, key: str | None, *, anew: bool) -> Shown:
    """Compare the ledger with ImageRouter."""
    voice = _voice(interaction)
    try:
        found = await services_of(interaction).books.reconcile(named=key, anew=anew)
    except CannotReconcile as error:
        return f"### Not compared\n{tell_obstacle(error, voice)} Nothing was noted."
    told = tell(found, voice)
    parts = ["\n".join([f"### {told.title}", *told.facts])]
    if told.reasons:
        parts.append("\n".join(["### What could explain it", *_bullets(told.reasons)]))
    if told.charges:
        listed = shortened(_bullets(told.charges), most=_MOST_LISTED)
        parts.append(f"### Charges to look at\n{listed}")
    if told.advice:
        parts.append("\n".join(told.advice))
    return boxed(*parts)


def _bullets(lines: Sequence[str]) -> list[str]:
    return [f"- {line}" for line in lines]


async def settle(
    interaction: Interaction, charge: str, cost: Micros, reason: str, *, above_hold: bool
) -> Shown:
    """Record what a charge did cost."""
    books, charge_id = services_of(interaction).books, _id(charge)
    try:
        done = await books.settle(
            charge_id,
            actual=cost,
            by=interaction.user.id,
            reason=reason,
            above_hold=above_hold,
        )
    except NotSettleable as error:
        return f"### Not settled\n{_WHY_NOT.get(error.state, _WHY_NOT[None])}"
    except AboveHold as error:
        return (
            f"### Not settled\nThat is more than the {format_usd(error.held)} that were held for "
            f"it. If ImageRouter really took {format_usd(error.cost)}, type the command again with "
            "`above_hold`. A charge that is settled can't be changed any more."
        )
    before = done.before
    lines = [
        f"### Settled\n{_count(before)} It did cost **{format_usd(cost)}**.",
        f"Why: {plain(reason, most=MOST_REASON)}",
    ]
    if done.settlement.overrun:
        lines.append(f"{format_usd(done.settlement.overrun)} of it had not been held: an overrun.")
    after = await books.charges.find(charge_id)
    parts = ["\n".join(lines)]
    if after is not None:
        parts.append(_story(interaction, after))
    parts.append("-# It stands in the trail of changes, as the operator's.")
    return boxed(*parts)


async def show_charge(interaction: Interaction, charge: str) -> Shown:
    """Show one charge, with every change of it."""
    found = await services_of(interaction).books.charges.find(_id(charge))
    if found is None:
        return f"### No such charge\n{_WHY_NOT[None]}"
    return boxed(_story(interaction, found))


async def complete_charge(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
    """Charges that can be settled by hand, for operators."""
    if not is_operator(interaction):
        return []
    try:
        found = await services_of(interaction).books.charges.candidates(current)
    except BotError:
        return []
    return [
        app_commands.Choice(name=_option(interaction, each), value=str(each.id)) for each in found
    ]


async def complete_key(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
    """Keys of the ImageRouter account, for operators."""
    if not is_operator(interaction):
        return []
    try:
        keys = await services_of(interaction).books.reconciler.keys()
    except CannotReconcile:
        return []
    wanted = current.casefold().strip()
    return [
        app_commands.Choice(name=shorten(key.name or key.id, _MOST_NAME), value=key.id)
        for key in keys
        if wanted in f"{key.name} {key.id}".casefold()
    ][:MOST_CHOICES]


def _voice(interaction: Interaction) -> Voice:
    def place(guild_id: int) -> str:
        return _place(interaction, guild_id)

    return Voice(
        when=_when,
        place=place,
        safe=lambda text: plain(text, most=_MOST_NAME),
        command=lambda text: f"`{text}`",
    )


def _when(at_ms: int) -> str:
    return f"<t:{at_ms // 1000}:f>"


def _place(interaction: Interaction, guild_id: int) -> str:
    return "outside servers" if guild_id == NO_GUILD else guild_name(interaction, guild_id)


def _option(interaction: Interaction, each: ChargeStory) -> str:
    guild = interaction.client.get_guild(each.guild_id) if each.guild_id else None
    place = "outside servers" if not each.guild_id else guild.name if guild else str(each.guild_id)
    when = datetime.fromtimestamp(each.created_ms / 1000, UTC)
    told = (
        each.state.value,
        format_usd(each.held),
        f"{when:%d %b %H:%M}",
        shorten(each.model, 40),
        place,
    )
    return shorten(" · ".join(told), _MOST_NAME)


def _id(typed: str) -> int:
    if not typed.isascii() or not typed.isdigit() or not 0 < int(typed) <= MOST_ID:
        raise InvalidOption("charge", typed, "a charge from the list, or its id")
    return int(typed)


def _count(before: ChargeStory) -> str:
    match before.state:
        case ChargeState.UNKNOWN:
            return f"Its outcome was unknown, and {format_usd(before.held)} were set aside for it."
        case ChargeState.PRESUMED:
            return f"{format_usd(before.actual or 0)} were counted for it without an answer."
        case _:
            return "It was taken to have cost nothing."


def _story(interaction: Interaction, each: ChargeStory) -> str:
    """Everything that the books know of a charge."""
    whose = f"<@{each.user_id}>" if each.user_id else "somebody (erased)"
    counts = "nothing yet" if each.state is ChargeState.UNKNOWN else "nothing"
    counted = counts if each.actual is None else format_usd(each.actual)
    place = _place(interaction, each.guild_id)
    lines = [
        f"### Charge {each.id}",
        f"{plain(each.model, most=_MOST_NAME)} for {whose}, {place}, {_when(each.created_ms)}",
        f"**{each.state.value}** · held {format_usd(each.held)} · counts {counted}"
        + (f" · overrun {format_usd(each.overrun)}" if each.overrun else ""),
    ]
    for entry in each.entries:
        sign = "+" if entry.delta >= 0 else "-"
        amount = f" {sign}{format_usd(abs(entry.delta))}" if entry.delta else ""
        lines.append(f"- {_when(entry.at_ms)} {entry.kind.value}{amount}")
    return "\n".join(lines)
