"""The form of an edit: prompt, model, further pictures, a mask.

Everything that a form is about stands in its `custom_id`, and the cog `cogs.edit_menus` answers
every submission from that, the message below it and the database: a form that was opened before a
restart still works. What comes back is as hostile as any input: the template bounds it, and whose
pictures they are is checked anew.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final

import discord
from msgspec import Struct
from msgspec.structs import replace

from bot.catalog import Ability, label
from bot.errors import BotError, NotKept, NotYours
from bot.ids import MOST_ID
from bot.imagerouter import MAX_IMAGES
from bot.policy import Allowance
from bot.requests import ImageRequest, Source
from bot.services import Services
from bot.storage import Tray
from bot.wishes import Wishes
from cogs.ui import intake, wishing
from cogs.ui.intake import Interaction, Wanted, services_of
from cogs.ui.pictures import MOST_SHOWN, pictures_in
from cogs.ui.submissions import Submission, custom_id_of
from cogs.ui.text import shorten

PROMPT: Final = "prompt"
MODEL: Final = "model"
PICTURES: Final = "pictures"
FILES: Final = "files"
MORE_FILES: Final = "more"
MASK: Final = "mask"
"""The custom ids of the fields."""
DEFAULT_MODEL: Final = "default"
"""The value of no choice; no model is called so, since their names have a slash."""

_FORM_SECONDS: Final = 900
"""How long discord.py remembers a form; what it does then does not depend on that."""
_MOST_PROMPT: Final = 4_000
"""Characters that a form's text field may hold; `/edit` takes more."""
_MOST_FILES: Final = 10
"""Files that one field takes."""
_MOST_MODELS: Final = 25
_MOST_VALUE: Final = 100
_MOST_LABEL: Final = 100
_TEMPLATE: Final = re.compile(
    r"editing:(?P<place>kept|shown|tray):(?P<id>[0-9]{1,19}):(?P<chosen>[0-9a-f]{1,7})"
    r":(?P<private>[01]):[0-9]{1,19}",
    flags=re.ASCII,
)


class Place(StrEnum):
    """Where the pictures of a form are."""

    KEPT = "kept"
    """In an offer, as a command on a message found them."""
    SHOWN = "shown"
    """In the message below the button that opened the form: the result of a job."""
    TRAY = "tray"
    """In the person's tray."""


class Form(Struct, frozen=True):
    """Which pictures a form is about."""

    place: Place
    id: int = 0
    """The offer, or the job whose result is edited; 0 for the tray."""
    chosen: tuple[int, ...] = ()
    """Which pictures of an offer, from 0."""
    private: bool = False

    def custom_id(self, nonce: int) -> str:
        """Everything about the form, with a number of its own."""
        bits = sum(1 << index for index in self.chosen)
        return f"editing:{self.place}:{self.id}:{bits:x}:{self.private:d}:{nonce}"


def is_ours(interaction: Interaction) -> bool:
    """Whether a submitted form is one of these, of this version of the bot or of another one."""
    return custom_id_of(interaction).startswith("editing:")


def form_of(interaction: Interaction) -> Form | None:
    """Read the `custom_id` of a submitted form; None when it says nothing that can be edited."""
    found = _TEMPLATE.fullmatch(custom_id_of(interaction))
    if found is None:
        return None
    bits = int(found["chosen"], 16)
    return Form(
        Place(found["place"]),
        min(int(found["id"]), MOST_ID),
        tuple(index for index in range(MOST_SHOWN) if bits >> index & 1),
        private=found["private"] == "1",
    )


def tray_of(services: Services) -> Tray:
    """The trays of everybody."""
    return Tray(services.database, clock=services.clock)


async def open_form(
    interaction: Interaction, form: Form, *, count: int, choices: Sequence[Source] = ()
) -> None:
    """Show a form for `count` pictures; it is the first answer, so hardly anything comes before it.

    `choices`: pictures of which the person chooses in the form itself.
    """
    services, actor = services_of(interaction), intake.actor_of(interaction)
    allowed = await services.planner.shown(actor)
    models = _models(services, allowed, count=count)
    # All places of a form are taken, so there is no switch for it; its title says how it is.
    private = form.private or services.preferences.private(actor.user_id, actor.guild_id)
    modal = _EditForm(
        form.custom_id(interaction.id),
        models,
        title=_title(count, private=private),
        count=count,
        choices=choices,
    )
    await interaction.response.send_modal(modal)


class _EditForm(discord.ui.Modal):
    """Its submission is answered by the cog, whether this object still lives or not."""

    def __init__(
        self,
        custom_id: str,
        models: list[discord.SelectOption],
        *,
        title: str,
        count: int,
        choices: Sequence[Source],
    ) -> None:
        super().__init__(title=title, custom_id=custom_id, timeout=_FORM_SECONDS)
        self.add_item(_prompt_field())
        self.add_item(_model_field(models))
        room = MAX_IMAGES - count
        if choices:
            self.add_item(_choice_field(choices))
        if room > 0:
            self.add_item(_files_field(FILES, "Further pictures", min(room, _MOST_FILES)))
        if room > _MOST_FILES and not choices:
            self.add_item(_files_field(MORE_FILES, "Still more", room - _MOST_FILES))
        self.add_item(_mask_field())

    async def on_submit(self, interaction: Interaction, /) -> None:
        """Leave the answer to the cog."""


def _title(count: int, *, private: bool) -> str:
    title = "Edit a picture" if count == 1 else f"Edit {count} pictures"
    return f"{title}, seen by you alone" if private else title


def _prompt_field() -> discord.ui.Label[Any]:
    return discord.ui.Label(
        text="What shall change?",
        description="Some models need no words: upscalers, background removers.",
        component=discord.ui.TextInput(
            custom_id=PROMPT,
            style=discord.TextStyle.paragraph,
            required=False,
            max_length=_MOST_PROMPT,
        ),
    )


def _model_field(options: list[discord.SelectOption]) -> discord.ui.Label[Any]:
    return discord.ui.Label(
        text="Model",
        description="For models that are not listed here, type /edit.",
        component=discord.ui.Select(custom_id=MODEL, options=options),
    )


def _choice_field(choices: Sequence[Source]) -> discord.ui.Label[Any]:
    return discord.ui.Label(
        text="Which of its pictures?",
        component=discord.ui.Select(
            custom_id=PICTURES,
            options=picture_options(choices),
            min_values=1,
            max_values=min(len(choices), MAX_IMAGES),
        ),
    )


def _files_field(custom_id: str, text: str, most: int) -> discord.ui.Label[Any]:
    return discord.ui.Label(
        text=text,
        description="For models that take several.",
        component=discord.ui.FileUpload(
            custom_id=custom_id, required=False, min_values=0, max_values=most
        ),
    )


def _mask_field() -> discord.ui.Label[Any]:
    return discord.ui.Label(
        text="Mask",
        description="Only what is white or transparent in it changes, in the first picture.",
        component=discord.ui.FileUpload(custom_id=MASK, required=False, min_values=0, max_values=1),
    )


def picture_options(sources: Sequence[Source]) -> list[discord.SelectOption]:
    """Pictures to choose from, by their places from 0."""
    return [
        discord.SelectOption(
            label=shorten(f"{number}. {source.filename}", _MOST_LABEL), value=str(number - 1)
        )
        for number, source in enumerate(sources[:MOST_SHOWN], 1)
    ]


def _models(services: Services, allowed: Allowance, *, count: int) -> list[discord.SelectOption]:
    """Models that this person may use and that can edit so many pictures, behind the default."""
    catalog, needs = services.catalog, {Ability.EDIT}
    first = discord.SelectOption(
        label=_default_label(services, allowed, count=count),
        value=DEFAULT_MODEL,
        default=True,
    )
    able = catalog.search("", limit=_MOST_SEARCHED, needs=needs, images=count, allowed=allowed)
    shown = [model for model in able if model.ceiling is not None and len(model.id) <= _MOST_VALUE]
    others = [discord.SelectOption(label=label(each), value=each.id) for each in shown]
    return [first, *others][:_MOST_MODELS]


_MOST_SEARCHED: Final = 200
"""Models looked at, of which those without a price are left out."""


def _default_label(services: Services, allowed: Allowance, *, count: int) -> str:
    catalog, defaults = services.catalog, services.planner.defaults(allowed)
    try:
        model = catalog.choose(defaults, {Ability.EDIT}, images=count, allowed=allowed)
    except BotError:
        return "The usual one"
    return shorten(f"The usual one: {label(model)}", _MOST_LABEL)


# What comes back


async def submitted(interaction: Interaction, form: Form) -> None:
    """Start the edit that was asked for, or explain why not."""
    typed = _Typed.of(interaction)
    # What comes of a private result is private; of a public one, as the person has set.
    said = Wishes(model=typed.model, private=True if form.private else None)

    async def find(asked: ImageRequest) -> Wanted:
        kept, parent_id = await _pictures(interaction, form, typed)
        return Wanted(replace(asked, images=(*kept, *asked.images)), parent_id)

    await wishing.take_found(interaction, typed.request(), said, find=find)


class _Typed(Struct, frozen=True):
    """What a person has filled in."""

    prompt: str
    model: str | None
    pictures: tuple[int, ...]
    files: tuple[Source, ...]
    mask: Source | None

    @classmethod
    def of(cls, interaction: Interaction) -> "_Typed":
        """Read a submitted form."""
        said = Submission.of(interaction)
        model = next(iter(said.values(MODEL)), DEFAULT_MODEL)
        return cls(
            prompt=said.text(PROMPT),
            model=None if model == DEFAULT_MODEL else model,
            pictures=places_of(said.values(PICTURES)),
            files=said.files(FILES, MORE_FILES),
            mask=next(iter(said.files(MASK)), None),
        )

    def request(self) -> ImageRequest:
        """The edit, without the pictures that it is about."""
        return ImageRequest(command="edit", prompt=self.prompt, images=self.files, mask=self.mask)


def places_of(values: Sequence[str]) -> tuple[int, ...]:
    """Read what was chosen among `picture_options`, in their order."""
    known = {str(index): index for index in range(MOST_SHOWN)}
    return tuple(sorted({known[value] for value in values if value in known}))


async def _pictures(
    interaction: Interaction, form: Form, typed: _Typed
) -> tuple[tuple[Source, ...], int | None]:
    """Find the pictures that a form is about, and the job whose result they are if any."""
    match form.place:
        case Place.TRAY:
            tray = await tray_of(services_of(interaction)).list(interaction.user.id)
            pictures, parent_id = tuple(each.source for each in tray), None
        case Place.SHOWN:
            pictures = _shown(interaction, typed)
            parent_id = await intake.parent_of(interaction, form.id, interaction.message)
        case Place.KEPT:
            pictures, parent_id = await _kept(interaction, form)
    if not pictures:
        raise NotKept
    return pictures, parent_id


def _shown(interaction: Interaction, typed: _Typed) -> tuple[Source, ...]:
    """The pictures of the message below the form: all, or those that were chosen."""
    if interaction.message is None:
        return ()
    pictures = pictures_in(interaction.message)
    if len(pictures) == 1:
        return tuple(pictures)
    return tuple(pictures[index] for index in typed.pictures if index < len(pictures))


async def _kept(interaction: Interaction, form: Form) -> tuple[tuple[Source, ...], int | None]:
    offer = await services_of(interaction).offers.get(form.id)
    if offer is None or not offer.requests:
        raise NotKept
    [request, *_] = offer.requests
    if offer.user_id != interaction.user.id or request.private is not form.private:
        raise NotYours
    images = request.images
    return tuple(images[index] for index in form.chosen if index < len(images)), offer.parent_id
