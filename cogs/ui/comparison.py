"""What is said where models are compared: a line for each, with what it made, took and cost."""

from typing import Final

from bot.cards import Result, Shown
from bot.images import Prepared
from bot.money import format_price, format_usd
from bot.outcomes import Assignment, Note, Part, Report
from bot.requests import ImageRequest
from bot.storage import ChargeState
from cogs.ui import errors
from cogs.ui.text import Explanation, plain

_NOTES: Final = {
    Note.TEST_MODEL: "The free test model always sends the same picture.",
    Note.QUALITY_IGNORED: "A model without a quality setting was asked without one.",
}


def at_work(job: Assignment, *, still: bool = False) -> str:
    """Say who makes how many pictures: `**a** and **b** work on a picture each`."""
    *most, last = [f"**{plain(model, most=100)}**" for model in job.models]
    does = "still " if still else ""
    if most:
        return f"{', '.join(most)} and {last} {does}work on a picture each"
    count = job.request.count
    return f"{last} {does}works on {'a picture' if count == 1 else f'{count} pictures'}"


def makers(report: Report) -> list[str]:
    """The model of each picture, in their order."""
    return [part.model for part in report.parts for _ in part.pictures]


def lines(card: Result) -> list[str]:
    """A line for each model that was compared, numbered as its picture is, and the sum."""
    told, number = [], 1
    for part in card.report.parts:
        after = number + len(part.pictures)
        numbers = " ".join(f"`{each}`" for each in range(number, after)) or "`-`"
        told.append(f"{numbers} {_about(part, card.shown[number - 1 : after - 1])}")
        number = after
    if card.report.cost:
        told.append(f"-# Together **{format_price(card.report.cost)}**")
    return told + [f"-# {_NOTES[note]}" for note in sorted(card.report.notes & _NOTES.keys())]


def explain(report: Report) -> Explanation:
    """Say why none of the models that were compared brought a picture."""
    told = [_about(part, ()) for part in report.parts]
    title = "Restarted" if report.restarted else "None of the models brought a picture"
    return Explanation(title, "\n".join(told))


def _about(part: Part, shown: tuple[Shown, ...]) -> str:
    """One model: its pictures' size, seconds and price, or why it has none."""
    name = f"**{plain(part.model, most=100)}**"
    if not part.pictures:
        told = errors.explain(part.error)
        return f"{name} · **{_cost_of_nothing(part)}** {told.title}: {told.body}"
    sizes = {f"{one.width}x{one.height}" for one in shown if isinstance(one, Prepared)}
    facts = [name, *(sizes if len(sizes) == 1 else ())]
    if part.seconds is not None:
        facts.append(f"{part.seconds:.1f} s")
    if part.uncertain:
        facts.append(f"**price unknown**, up to {format_usd(part.held)} counts against you")
    else:
        facts.append(f"**{format_price(part.actual)}**")
    return " · ".join(facts)


def _cost_of_nothing(part: Part) -> str:
    if part.uncertain:
        return f"Up to {format_usd(part.held)} counts against you."
    if part.state is ChargeState.SETTLED and part.actual:
        return f"It cost {format_usd(part.actual)} all the same."
    return "It cost nothing."


def offer_label(offered: ImageRequest, asked: ImageRequest, *, missing: bool) -> str:
    """Say on a button which models are different; empty where none is.

    `missing`: the others have brought their pictures.
    """
    now, before = offered.models or (offered.model or "",), asked.models
    if missing:
        return f"Try the missing {'one' if len(now) == 1 else len(now)} again"
    if len(now) == len(before):
        return " and ".join(f"Use {name}" for name in now if name not in before)
    if len(now) == 1:
        return f"Only {now[0]}"
    return "Without " + " and ".join(name for name in before if name not in now)
