"""One model as the bot sees it: prices in micro-USD, abilities, and its one-line description."""

import re
from collections.abc import Collection
from datetime import date
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bot.catalog._lessons import Lesson
from bot.imagerouter import MAX_IMAGES, CatalogueModel, ProviderPrice
from bot.money import Micros, format_usd_short

TEST_MODEL: Final = "test/test"
"""ImageRouter's free dummy: it answers at once, always with the same picture."""

MAX_CHOICE: Final = 100
"""Characters of a choice's name and value in Discord."""

_DATE: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")


_NEEDS_PICTURE: Final = frozenset(
    ("edit", "background", "cutout", "vectorize", "upscale", "upscaler", "enhance", "erase")
) | {"2x", "4x"}
"""Words in names of models that make nothing from text alone."""


class Ability(StrEnum):
    """What a job may need of a model."""

    EDIT = "edit"
    """It takes a picture."""
    MASK = "mask"
    """It takes a mask beside the picture."""
    QUALITY = "quality"
    """It heeds the quality option."""


class Model(Struct, frozen=True):
    """One model of the catalogue. Money is in micro-USD; None means that nobody says."""

    id: str
    """As ImageRouter wants it: case-sensitive."""
    display_name: str
    """The id without its vendor, or all of it where two vendors use the same name."""
    about: Micros | None
    """What it usually costs."""
    at_most: Micros | None
    """The largest price that its providers name; None when any of them names none."""
    ceiling: Micros | None
    """What to hold: `at_most`, else the operator's ceiling for models without a price."""
    abilities: frozenset[Ability]
    sizes: tuple[str, ...]
    """`WIDTHxHEIGHT` and `auto`, as listed. Empty: any."""
    release_date: date | None
    max_images: int = 0
    """Input images that one job may carry; 0: none at all."""
    needs_image: bool = False
    """It certainly makes nothing from words alone: an answer has said so."""
    label: str = ""
    """What `label` says, worked out once: a suggestion has 25 of them at every key press."""

    @property
    def short_name(self) -> str:
        """The id without its vendor."""
        return self.id.partition("/")[2] or self.id

    @property
    def is_free(self) -> bool:
        """It certainly costs nothing."""
        return self.at_most == 0

    @property
    def is_test(self) -> bool:
        """It is the dummy model, whose picture is always the same."""
        return self.id == TEST_MODEL

    @property
    def seems_to_need_picture(self) -> bool:
        """Whether it makes nothing from words alone: known from an answer, or a guess by its name.

        The catalogue doesn't say, so a guess only keeps a model back where the bot chooses.
        """
        if self.needs_image or not self.max_images:
            return self.needs_image
        words = self.short_name.casefold().replace("-", " ").replace(":", " ").split()
        return not _NEEDS_PICTURE.isdisjoint(words)

    def can(self, needs: Collection[Ability], *, images: int | None = None) -> bool:
        """Whether it can do a job that needs all of `needs`, from so many input images.

        None: the number is not known yet, and any that fits `needs` will do.
        """
        return self.lacks(needs, images=images) is None

    def lacks(self, needs: Collection[Ability], *, images: int | None = None) -> str | None:
        """Return what keeps it from a job, as `UnsuitableModel.ability` names it; None: nothing.

        An ability, `images` when it takes fewer than that, or `text` when it works on images only.
        """
        if images == 0 and not needs:  # most questions: of words alone, for a list that is typed in
            return "text" if self.needs_image else None
        for need in needs:
            if need not in self.abilities:
                return need
        if images is None:
            return None
        if Ability.EDIT in needs or Ability.MASK in needs:
            images = max(images, 1)
        if images and not self.max_images:
            return Ability.EDIT
        if images > self.max_images:
            return "images"
        return "text" if self.needs_image and not images else None


def build(
    entry: CatalogueModel,
    *,
    unpriced_ceiling: Micros | None,
    ambiguous: Collection[str] = (),
    lessons: Collection[Lesson] = (),
) -> Model:
    """Describe a catalogue entry; `ambiguous` holds the short names, folded, of several models.

    `lessons` are what answers have taught about it; they win over the entry.
    """
    # An answer that asks for an image says that it takes one.
    edit = Lesson.NO_IMAGE_INPUT not in lessons and (
        entry.edit or Lesson.NEEDS_IMAGE in lessons or Lesson.ONE_IMAGE in lessons
    )
    most = 1 if Lesson.ONE_IMAGE in lessons else MAX_IMAGES
    short = entry.id.partition("/")[2] or entry.id
    at_most = entry.at_most_micros
    model = Model(
        id=entry.id,
        display_name=entry.id if short.casefold() in ambiguous else short,
        about=entry.about_micros,
        at_most=at_most,
        ceiling=at_most if at_most is not None else _unpriced(entry.providers, unpriced_ceiling),
        abilities=frozenset(
            ability
            for ability, has in (
                (Ability.EDIT, edit),
                (Ability.MASK, entry.mask and edit and Lesson.NO_MASK not in lessons),
                (Ability.QUALITY, entry.quality),
            )
            if has
        ),
        sizes=entry.sizes,
        release_date=_parse_date(entry.release_date),
        max_images=most if edit else 0,
        needs_image=Lesson.NEEDS_IMAGE in lessons,
    )
    return replace(model, label=_describe(model))


def _unpriced(providers: Collection[ProviderPrice], ceiling: Micros | None) -> Micros | None:
    """Return the operator's ceiling, raised to the highest price that is named all the same."""
    if ceiling is None:
        return None
    return max([ceiling, *(price.maximum for price in providers if price.maximum is not None)])


def _parse_date(text: str | None) -> date | None:
    """Read a date that may lack its leading zeros (the catalogue has `2022-04-6`)."""
    found = _DATE.match(text or "")
    if found is None:
        return None
    year, month, day = (int(part) for part in found.groups())
    try:
        return date(year, month, day)
    except ValueError:
        return None


def dummy_entry() -> CatalogueModel:
    """Describe `test/test` for catalogues that don't."""
    free = ProviderPrice(provider="test", minimum=0, average=0, maximum=0)
    return CatalogueModel(id=TEST_MODEL, providers=(free,), edit=True, mask=True, quality=True)


def label(model: Model) -> str:
    """Describe a model in at most 100 characters: `FLUX-1-schnell · about $0.0013 · edit mask`."""
    return model.label


def _describe(model: Model) -> str:
    parts = [_price_text(model)]
    if Ability.EDIT in model.abilities:
        parts.append("edit mask" if Ability.MASK in model.abilities else "edit")
    rest = "".join(f" · {part}" for part in parts)
    room = MAX_CHOICE - len(rest)
    name = model.display_name
    return (name if len(name) <= room else name[: room - 1] + "…") + rest


def _price_text(model: Model) -> str:
    if model.is_free:
        return "free"
    if model.about is not None:
        return f"about {format_usd_short(model.about)}"
    if model.at_most is not None:
        return f"at most {format_usd_short(model.at_most)}"
    return "price unknown"
