"""One model as the bot sees it: prices in micro-USD, abilities, and its one-line description."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from bot.imagerouter import CatalogueModel, ProviderPrice
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


@dataclass(frozen=True, slots=True)
class Model:
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
        """Whether its name says that it makes nothing from words alone: a guess.

        The catalogue doesn't say, so this only keeps such models back where the bot chooses.
        """
        words = self.short_name.casefold().replace("-", " ").replace(":", " ").split()
        return not _NEEDS_PICTURE.isdisjoint(words)

    def can(self, needs: Collection[Ability]) -> bool:
        """Whether it has every ability in `needs`."""
        return self.abilities.issuperset(needs)


def build(
    entry: CatalogueModel, *, unpriced_ceiling: Micros | None, ambiguous: Collection[str] = ()
) -> Model:
    """Describe a catalogue entry; `ambiguous` holds the short names, folded, of several models."""
    short = entry.id.partition("/")[2] or entry.id
    at_most = entry.at_most_micros
    return Model(
        id=entry.id,
        display_name=entry.id if short.casefold() in ambiguous else short,
        about=entry.about_micros,
        at_most=at_most,
        ceiling=at_most if at_most is not None else _unpriced(entry.providers, unpriced_ceiling),
        abilities=frozenset(
            ability
            for ability, has in (
                (Ability.EDIT, entry.edit),
                (Ability.MASK, entry.mask),
                (Ability.QUALITY, entry.quality),
            )
            if has
        ),
        sizes=entry.sizes,
        release_date=_parse_date(entry.release_date),
    )


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
