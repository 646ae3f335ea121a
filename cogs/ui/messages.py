"""Turn a card into a Discord message: a components-v2 view and its files.

Each card becomes a new view with no timeout, whose buttons are all `DynamicItem`s: so no view dies
with the process, and none takes another one's buttons with it.
"""

from collections.abc import Sequence
from typing import Any, Final

import discord
from msgspec import Struct

from bot.cards import (
    Alert,
    Card,
    Closed,
    Digest,
    FailingModel,
    Failure,
    JobLine,
    Linked,
    LowBalance,
    ManagerCard,
    Missing,
    Offer,
    OperatorCard,
    Progress,
    Result,
    Spent,
)
from bot.errors import NeedsMaskCheck
from bot.images import Prepared, filename
from bot.money import format_price, format_usd
from bot.outcomes import Assignment, Note, Report
from bot.quotas import NeedsConfirmation
from bot.requests import ImageRequest
from cogs.ui import alert_text, comparison, digest_text, errors
from cogs.ui.buttons import (
    AgainButton,
    CancelButton,
    ConfirmButton,
    DeleteButton,
    OfferButton,
    offer_label,
)
from cogs.ui.edit_buttons import EditButton
from cogs.ui.lineage import PaintButton, UndoButton
from cogs.ui.reported import Reported
from cogs.ui.text import code_block, fits_code_block, plain
from cogs.ui.uploads import attachment

_MADE: Final = discord.Colour(0x2F9E6E)
_WORKING: Final = discord.Colour(0x4C6FDB)
_FAILED: Final = discord.Colour(0xC9503C)
_PROMPT_SHOWN: Final = 300
_MOST_TEXT: Final = 3_900
"""Characters that a message's text may have: a margin below Discord's 4,000."""
_PROMPT_IN_TEXT: Final = 3_000
"""Characters of a prompt to copy that fit beside most that there is to say."""
_TO_COPY: Final = "-# Your prompt, to copy:"
_ALT_TEXT: Final = 1_000
_PREVIEW: Final = "preview.webp"
_ADDRESSES_IN_TEXT: Final = 1_500
"""Characters of pictures' addresses that still fit beside the rest."""

_NOTES: Final = {
    Note.MODEL_CHOSEN: "No default model can do this here; this is the cheapest one that can.",
    Note.OWN_DEFAULT: "No model was named, so this is the one from your `/settings`.",
    Note.GUILD_DEFAULT: "No model was named, so this is the usual one of this server.",
    Note.TEST_MODEL: "This is the fixed test picture of the free test model.",
    Note.QUALITY_IGNORED: "This model has no quality setting, so yours was left out.",
}


class Rendered(Struct, frozen=True):
    """A message ready to be sent. The files are read once: render anew for each try."""

    view: discord.ui.LayoutView
    files: list[discord.File]


def render(card: Card, *, addressed: bool = False, painting: bool = False) -> Rendered:
    """Return `card` as a message.

    `addressed` names the person whose job it was, where Discord does not show it by itself.
    `painting`: there is a mask painter, so that a result may be painted on.
    """
    match card:
        case Progress():
            return Rendered(_view(_box(_WORKING, _progress(card))), [])
        case Result():
            return _result(card, addressed=addressed, painting=painting)
        case Failure():
            return _failure(card)
        case Spent():
            return Rendered(_view(discord.ui.TextDisplay(_spent(card))), [])
        case Closed():
            text = "The picture was made, but can't be posted." if card.made else "No picture came."
            return Rendered(_view(discord.ui.TextDisplay(f"-# {text}")), [])
        case Digest():
            return _digest(card)
        case JobLine():
            return Rendered(_view(_box(_WORKING, _job_line(card))), [])
        case _:
            return _alert(card)


def _view(*items: discord.ui.Item[Any]) -> discord.ui.LayoutView:
    view = discord.ui.LayoutView(timeout=None)
    for item in items:
        view.add_item(item)
    return view


def _box(colour: discord.Colour, *parts: discord.ui.Item[Any] | str) -> discord.ui.Container[Any]:
    items = [discord.ui.TextDisplay(part) if isinstance(part, str) else part for part in parts]
    return discord.ui.Container(*items, accent_colour=colour)


def _progress(card: Progress) -> str:
    since = f"<t:{card.since_ms // 1000}:R>"
    if card.late:
        where = "by direct message" if card.job.private else "here, in a message of its own"
        return f"{comparison.at_work(card.job, still=True)}. The result will come {where}."
    if card.ahead is not None:
        count = card.job.request.count
        what = "a picture" if count == 1 else f"{count} pictures"
        before = "You are next" if card.ahead == 0 else f"{card.ahead} before you"
        return f"Waiting for a free place for {what}. {before}, since {since}."
    return f"{comparison.at_work(card.job)}, since {since}."


def _result(card: Result, *, addressed: bool, painting: bool) -> Rendered:
    report = card.report
    request = report.job.request
    parts: list[discord.ui.Item[Any] | str] = []
    if addressed:
        parts.append(f"-# For <@{report.job.actor.user_id}>")
    if request.prompt and not card.bare:
        parts.append(f"“{plain(request.prompt, most=_PROMPT_SHOWN)}”")
    files, gallery = _gallery(card)
    if gallery is not None:
        parts.append(gallery)
    parts.append("\n".join(_result_lines(card)))
    if addresses := _addresses(card):
        parts.append(
            addresses if len(addresses) <= _ADDRESSES_IN_TEXT else _attached(addresses, files)
        )
    box = _box(_MADE, *parts)
    if card.bare:
        return Rendered(_view(box), files)
    offers = _row(_offer_buttons(card.offer, request, missing=True))
    buttons = _row(_result_buttons(report.job, painting=painting, pictures=gallery is not None))
    return Rendered(_view(box, *offers, *buttons), files)


def _result_buttons(
    job: Assignment, *, painting: bool, pictures: bool
) -> list[discord.ui.Item[Any]]:
    """What may be done with a result, in a row of at most five, apart from what is offered.

    Of a private one nothing is kept that could be run again, and its message can be dismissed.
    """
    private = job.request.private
    buttons: list[discord.ui.Item[Any]] = [] if private else [AgainButton(job.id)]
    if pictures:
        buttons.append(EditButton(job.id, private=private))
        if painting:
            buttons.append(PaintButton(job.id, private=private))
    if not private:
        if job.request.is_edit and not job.request.images[0].borrowed:
            buttons.append(UndoButton(job.id))
        buttons.append(DeleteButton(job.id))
    return buttons


def _gallery(card: Result) -> tuple[list[discord.File], discord.ui.MediaGallery[Any] | None]:
    files, items = [], []
    for index, shown in enumerate(card.shown):
        if isinstance(shown, Prepared):
            alt = None if card.bare else _alt_text(card.report, index)
            name = filename(index, shown.extension)
            files.append(attachment(shown.data, name, description=alt))
            items.append(discord.MediaGalleryItem(f"attachment://{name}", description=alt))
    return files, discord.ui.MediaGallery(*items) if items else None


def _alt_text(report: Report, index: int) -> str | None:
    """What a picture shows, for those who can't see it; with its model where these are compared."""
    request = report.job.request
    alt = request.prompt
    if request.models:
        alt = f"{comparison.makers(report)[index]}: {alt}"
    return alt[:_ALT_TEXT] or None


def _result_lines(card: Result) -> list[str]:
    report = card.report
    if card.bare:
        return _bare_lines(card)
    around = [*_origin_lines(card), *_missing_lines(card)]
    if report.job.request.models:
        lines = [*comparison.lines(card), *around]
    else:
        lines = [f"-# {_facts(card)}", *around, *_what_failed(report)]
        lines += [f"-# {_NOTES[note]}" for note in sorted(report.notes)]
    if report.restarted:
        lines.append("-# The bot was restarted in between.")
    if report.job.private and card.today is not None:
        lines.append(f"-# You have spent {format_usd(card.today)} today. Only you can see this.")
    return lines


def _what_failed(report: Report) -> list[str]:
    """How many of the pictures came, why the others did not, and what nobody knows the price of."""
    lines = []
    if failed := report.failed_parts:
        told = errors.explain(report.error)
        made = len(report.parts) - len(failed)
        missing = errors.tell_missing(report)
        lines.append(f"**{made} of {len(report.parts)}.** {missing}{told.title}: {told.body}")
    if report.uncertain:
        lost = any(part.uncertain for part in failed)
        why = "Outcome unknown" if lost else "Price not told"
        lines.append(f"{why}; up to {format_usd(report.uncertain)} counts against you.")
    return lines


def _origin_lines(card: Result) -> list[str]:
    origin, actor = card.origin, card.report.job.actor
    if origin is None or not (actor.guild_id or actor.channel_id):
        return []  # in servers without the bot, of which no job knows the id, no link would lead
    place = actor.guild_id or "@me"
    links = [
        f"[{'this one' if number else 'this message'}]"
        f"(https://discord.com/channels/{place}/{posted.channel_id}/{posted.message_id})"
        for number, posted in enumerate(origin.messages)
    ]
    *before, last = [*links, "others"] if origin.others else links
    where = f"{', '.join(before)} and {last}" if before else last
    said = "Once more, after" if origin.repeats else "Made from"
    return [f"-# {said} {where}"]


def _bare_lines(card: Result) -> list[str]:
    """What it cost, in words of ours alone."""
    report = card.report
    lines = [f"-# **{_price(report)}**", *_missing_lines(card)]
    if report.uncertain:
        lines.append(f"Up to {format_usd(report.uncertain)} counts against you.")
    return lines


def _missing_lines(card: Result) -> list[str]:
    return [
        f"Picture {number} was made, but its file can't be shown."
        for number, shown in enumerate(card.shown, 1)
        if isinstance(shown, Missing)
    ]


def _addresses(card: Result) -> str:
    """Where the pictures are that are not attached; empty when all are."""
    linked = [(n, shown) for n, shown in enumerate(card.shown, 1) if isinstance(shown, Linked)]
    return "\n".join(
        f"Picture {number} could not be attached; it is here: <{_safe_url(shown.url)}>"
        for number, shown in linked
    )


def _attached(addresses: str, files: list[discord.File]) -> discord.ui.File[Any]:
    """Put `addresses` into a file of the message: signed ones are longer than a message may be."""
    files.append(attachment(addresses.encode(), "addresses.txt"))
    return discord.ui.File("attachment://addresses.txt")


def _facts(card: Result) -> str:
    report = card.report
    facts = [f"**{plain(report.job.model, most=100)}**", *_sizes(card)]
    if report.seconds is not None:
        facts.append(f"{report.seconds:.1f} s")
    facts.append(f"**{_price(report)}**")
    return " · ".join(facts)


def _sizes(card: Result) -> list[str]:
    """The sizes that came, and the one asked for where it is another: as a list of one or none."""
    asked = card.report.job.request.size
    sizes = {f"{shown.width}x{shown.height}" for shown in card.shown if isinstance(shown, Prepared)}
    came = ", ".join(sorted(sizes))
    if asked == "auto":
        return [came] if came else []
    return [asked if came in {"", asked} else f"{came} (asked for {asked})"]


def _price(report: Report) -> str:
    """The cost, or that it is not known, which is never the same as free."""
    if report.uncertain and not report.cost:
        return "price unknown"
    return format_price(report.cost)


def _failure(card: Failure) -> Rendered:
    told = (
        comparison.explain(card.report)
        if card.report is not None and card.request.models
        else errors.explain_failure(card)
    )
    lines = [f"### {told.title}", told.body, f"**{errors.tell_cost(card.report)}**"]
    text = "\n".join(lines)
    parts: list[discord.ui.Item[Any] | str] = [text]
    files = []
    prompt = card.request.prompt
    room = min(_PROMPT_IN_TEXT, _MOST_TEXT - len(text) - len(_TO_COPY))
    if prompt and fits_code_block(prompt, room):
        parts.append(f"{_TO_COPY}\n{code_block(prompt)}")
    elif prompt:
        files.append(attachment(prompt.encode(errors="replace"), "prompt.txt"))
        parts += [_TO_COPY, discord.ui.File("attachment://prompt.txt")]
    if isinstance(card.error, NeedsMaskCheck):
        files.append(attachment(card.error.preview, _PREVIEW))
        item = discord.MediaGalleryItem(f"attachment://{_PREVIEW}", description="What is marked")
        parts.append(discord.ui.MediaGallery(item))
    rows = _row(_ways_on(card))
    return Rendered(_view(_box(_FAILED, *parts), *rows), files)


def _ways_on(card: Failure) -> list[discord.ui.Item[Any]]:
    """Buttons: yes and no where the person is asked, else what may be tried instead."""
    if isinstance(card.error, NeedsConfirmation) and card.offer is not None:
        private = card.request.private
        return [ConfirmButton(card.offer.id, private=private), CancelButton(card.offer.id)]
    if isinstance(card.error, NeedsMaskCheck) and card.offer is not None:
        return [
            *_offer_buttons(card.offer, card.request, labels=("Generate", "Invert")),
            CancelButton(card.offer.id),
        ]
    return _offer_buttons(card.offer, card.request)


def _offer_buttons(
    offer: Offer | None, asked: ImageRequest, *, labels: Sequence[str] = (), missing: bool = False
) -> list[discord.ui.Item[Any]]:
    """A button for each request of an offer; without `labels` each says what differs.

    `missing`: the others of the pictures that were asked for are in the message.
    """
    if offer is None:
        return []
    labels = labels or [offer_label(request, asked, missing=missing) for request in offer.requests]
    return [
        OfferButton(offer.id, index, private=request.private, label=label)
        for index, (request, label) in enumerate(zip(offer.requests, labels, strict=True))
    ]


def _row(buttons: list[discord.ui.Item[Any]]) -> list[discord.ui.Item[Any]]:
    return [discord.ui.ActionRow(*buttons)] if buttons else []


def _spent(card: Spent) -> str:
    told = f"This cost {format_usd(card.cost)}." if card.cost else "This was free."
    if card.uncertain and not card.cost:
        told = f"The price of this is not known. Up to {format_usd(card.uncertain)} may count."
    elif card.uncertain:
        told += f" Up to {format_usd(card.uncertain)} more may count."
    return f"-# {told} You have spent {format_usd(card.today)} today."


def _alert(card: OperatorCard | ManagerCard) -> Rendered:
    told = alert_text.explain(card)
    colour = _FAILED if isinstance(card, Alert | LowBalance | FailingModel) else _WORKING
    return Rendered(_view(_box(colour, f"### {told.title}\n{told.body}")), [])


def _digest(card: Digest) -> Rendered:
    pictures = Reported(card.report, card.chart).pictures()
    files = [attachment(data, name) for name, data in pictures.items()]
    return Rendered(_view(_box(_WORKING, *digest_text.parts_of(card))), files)


def _job_line(card: JobLine) -> str:
    """Tell who, by which model, for how much, and where it is; nothing of what was asked for."""
    report = card.report
    job = report.job
    count = len(report.pictures)
    made = {0: "no picture", 1: "one picture"}.get(count, f"{count} pictures")
    told = [f"<@{job.actor.user_id}>", made + (", in private" if job.private else "")]
    told += [*(plain(model, most=100) for model in job.models), _price(report)]
    told.append(f"in <#{job.reply.channel_id}>")
    if card.posted is not None:
        place = f"{job.actor.guild_id}/{card.posted.channel_id}/{card.posted.message_id}"
        told.append(f"[look](https://discord.com/channels/{place})")
    return " · ".join(told)


def _safe_url(url: str) -> str:
    """An address from ImageRouter that cannot end its own angle brackets."""
    return "".join(char for char in url if char.isprintable() and char not in "<> `\\")


def simple_view(text: str) -> discord.ui.LayoutView:
    """A message of text alone."""
    return _view(_box(_WORKING, text))
