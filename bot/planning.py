"""Check a request before it costs anything, and choose its model. Pure but for the catalogue."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bot.catalog import Ability, Catalog, Model, parse_size
from bot.errors import InvalidOption, NoModelAvailable, UnpricedModel
from bot.imagerouter import MAX_IMAGES, check_prompt
from bot.money import Micros
from bot.outcomes import Note
from bot.policy import EVERYTHING, Allowance, ModelNotAllowed
from bot.requests import ImageRequest, Quality

MOST_PICTURES: Final = 4
FEWEST_COMPARED: Final = 2
MOST_PROMPT: Final = 6_000
"""Characters of a prompt; Discord's own limit for a text option."""


class Plan(Struct, frozen=True):
    """A request that can work: its model is chosen, its options are checked."""

    request: ImageRequest
    model: Model
    ceiling: Micros
    """What one picture may cost at most; held once for each."""
    notes: frozenset[Note]
    policy_version: int = 0
    """Of the guild's policy that it was judged by."""
    compared: tuple["Plan", ...] = ()
    """A plan for each model that is compared; then `model` is the first, `ceiling` the highest."""

    @property
    def parts(self) -> tuple["Plan", ...]:
        """What is sent: a plan for each picture, in their order."""
        return self.compared or (self,) * self.request.count

    @property
    def about(self) -> Micros | None:
        """What all of it usually costs; None where that is not known of each."""
        known = [part.model.about for part in self.parts if part.model.about is not None]
        return sum(known) if len(known) == len(self.parts) else None


def needs_of(request: ImageRequest) -> frozenset[Ability]:
    """What a model must be able to do for `request`. A quality it lacks is left out instead."""
    needs = set()
    if request.is_edit:
        needs.add(Ability.EDIT)
    if request.is_masked:
        needs.add(Ability.MASK)
    return frozenset(needs)


def plan(
    request: ImageRequest,
    catalog: Catalog,
    *,
    defaults: Sequence[str],
    allowed: Allowance = EVERYTHING,
) -> Plan:
    """Check everything that can be checked without reading a picture.

    Without a model of its own the request gets the first of `defaults` that is allowed and can do
    it, else the cheapest such. What the prompt says is not looked at.

    Raises:
        RequestError: the option, the model, its price or the place cannot work; it carries what
            would.
        RefusedRequest: ImageRouter takes no such prompt.
    """
    allowed.check(request)
    if request.models:
        _check_comparison(request)
        each = [plan(one, catalog, defaults=defaults, allowed=allowed) for one in request.each()]
        return _together(request, each)
    _check_options(request)
    size = parse_size(request.size)
    notes = set()
    model = _named_model(request, catalog, allowed)
    if model is None:
        needs, images = needs_of(request), len(request.images)
        model = catalog.first_able(defaults, needs, images=images, allowed=allowed)
    if model is None:
        model = _cheapest(request, catalog, allowed)
        notes.add(Note.MODEL_CHOSEN)
    if model.ceiling is None:
        raise UnpricedModel(model.id)
    if model.is_test:
        notes.add(Note.TEST_MODEL)
    quality = request.quality
    if quality is not Quality.AUTO and not model.can({Ability.QUALITY}):
        notes.add(Note.QUALITY_IGNORED)
        quality = Quality.AUTO
    checked = replace(request, model=model.id, size=size, quality=quality)
    return Plan(checked, model, model.ceiling, frozenset(notes), allowed.policy.version)


def _named_model(request: ImageRequest, catalog: Catalog, allowed: Allowance) -> Model | None:
    """Return the model that was asked for; None when none was."""
    if request.model is None:
        return None
    needs, images = needs_of(request), len(request.images)
    model = catalog.require(request.model, needs, images=images, allowed=allowed)
    verdict = allowed.verdict(model.id)
    if not verdict:
        others = catalog.alternatives(model, needs, images=images, allowed=allowed)
        raise ModelNotAllowed(model.id, verdict.rule, others)
    return model


def _cheapest(request: ImageRequest, catalog: Catalog, allowed: Allowance) -> Model:
    """Return the cheapest that can do it; say so if only the guild's rules leave none."""
    needs, images = needs_of(request), len(request.images)
    try:
        return catalog.cheapest(needs, images=images, allowed=allowed)
    except NoModelAvailable:
        barred = catalog.cheapest(needs, images=images)
        raise ModelNotAllowed("", allowed.verdict(barred.id).rule) from None


def _check_comparison(request: ImageRequest) -> None:
    if not FEWEST_COMPARED <= len(request.models) <= MOST_PICTURES:
        hint = f"{FEWEST_COMPARED} to {MOST_PICTURES} models"
        raise InvalidOption("model", str(len(request.models)), hint)


def _together(request: ImageRequest, plans: Sequence[Plan]) -> Plan:
    """Make one plan of those for the models that are compared, each once."""
    models = [one.model.id for one in plans]
    for place, model in enumerate(models):
        if model in models[:place]:
            hint = "a model that is not in the comparison yet"
            raise InvalidOption(f"model{place + 1}", model, hint)
    return Plan(
        replace(request, size=plans[0].request.size).by_models(models),
        plans[0].model,
        max(one.ceiling for one in plans),
        frozenset[Note]().union(*(one.notes for one in plans)),
        policy_version=plans[0].policy_version,
        compared=tuple(plans),
    )


def _check_options(request: ImageRequest) -> None:
    if not request.is_edit and not request.prompt.strip():
        hint = "a few words on what you would like to see"
        raise InvalidOption("prompt", request.prompt, hint)
    if len(request.prompt) > MOST_PROMPT:
        raise InvalidOption("prompt", request.prompt, f"at most {MOST_PROMPT:,} characters")
    check_prompt(request.prompt)  # before the database has to keep what nobody can write down
    if not 1 <= request.count <= MOST_PICTURES:
        raise InvalidOption("count", str(request.count), f"a number from 1 to {MOST_PICTURES}")
    if len(request.images) > MAX_IMAGES:
        raise InvalidOption("image", f"{len(request.images)} images", f"at most {MAX_IMAGES}")
    if request.is_masked and not request.is_edit:
        raise InvalidOption("mask", "a mask without a picture", "a picture that it belongs to")
    if request.mask is not None and request.area is not None:
        raise InvalidOption("area", request.area.value, "either a mask or an area, not both")
