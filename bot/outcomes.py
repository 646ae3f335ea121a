"""What became of a job, as plain data: the bridge from the ledger and ImageRouter to people.

`bot.generation` makes a `Report` of a job that it ran, `bot.recovery` one of a job that an earlier
process left behind, and `bot.delivery` brings it to the person. Owns no rules about money.
"""

from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from bot.catalog import TEST_MODEL
from bot.errors import BotError, PictureLost, ShuttingDown
from bot.imagerouter import (
    BadKey,
    ChargedWithoutPicture,
    DailyFreeLimit,
    Moderated,
    NoCredits,
    NotStarted,
    OutcomeUnknown,
    ProviderFailed,
    RemotePicture,
)
from bot.money import Micros
from bot.requests import Actor, ImageRequest, ReplyRoute
from bot.storage import Charge, ChargeState, Job


class Note(StrEnum):
    """Something the person should know about how the job was run."""

    MODEL_CHOSEN = "model_chosen"
    """The default model could not do this, so the cheapest that can was taken."""
    OWN_DEFAULT = "own_default"
    """Nobody named a model, so it was the person's own default."""
    GUILD_DEFAULT = "guild_default"
    """Nobody named a model, so it was the guild's default."""
    TEST_MODEL = "test_model"
    """The dummy model answered with its fixed picture."""
    QUALITY_IGNORED = "quality_ignored"
    """The model has no quality setting."""


class Assignment(Struct, frozen=True):
    """A job as far as telling its person goes: who asked for what, and where the answer goes."""

    id: int
    actor: Actor
    request: ImageRequest
    """The prompt is empty after a restart when the job is private."""
    model: str
    """That of the first picture; `models` are all of them."""
    reply: ReplyRoute
    parent_id: int | None = None
    """The job whose result this one repeats or edits."""

    @property
    def private(self) -> bool:
        """Whether nobody else may see anything of it."""
        return self.request.private

    @property
    def models(self) -> tuple[str, ...]:
        """Those that were asked: several where they are compared."""
        return self.request.models or (self.model,)

    @classmethod
    def of(cls, job: Job) -> "Assignment | None":
        """The assignment of a stored job; None when it was stored before it had a message."""
        if job.reply is None:
            return None
        return cls(job.id, job.actor, job.request, job.model, job.reply, job.parent_id)


class Part(Struct, frozen=True):
    """What became of one charge, that is of one request to ImageRouter; money in micro-USD."""

    charge_id: int
    model: str
    state: ChargeState
    held: Micros
    actual: Micros
    pictures: tuple[RemotePicture, ...] = ()
    error: BotError | None = None
    presses_budget: bool = False
    """Its cost went into a pooled budget that is half spent, or more, or into a dear day."""
    spent_today: Micros | None = None
    """What its person had spent today when it was settled; None where nobody has looked."""
    seconds: float | None = None
    """From the request to its answer; None where there is none that came in time."""

    @property
    def uncertain(self) -> bool:
        """Whether nobody knows what it cost; then it counts at most as what is held."""
        return self.state in {ChargeState.UNKNOWN, ChargeState.PRESUMED}


class Report(Struct, frozen=True):
    """What became of a job whose charges have all closed or become unknown."""

    job: Assignment
    parts: tuple[Part, ...]
    seconds: float | None = None
    """From the first request to the last answer; None where none came in time."""
    restarted: bool = False
    """An earlier process ended before it could tell the person."""
    notes: frozenset[Note] = frozenset()

    @property
    def pictures(self) -> tuple[RemotePicture, ...]:
        """All pictures, in the order of the requests."""
        return tuple(picture for part in self.parts for picture in part.pictures)

    @property
    def cost(self) -> Micros:
        """What has been spent for certain."""
        return sum(part.actual for part in self.parts if part.state is ChargeState.SETTLED)

    @property
    def spent_today(self) -> Micros | None:
        """What the person has spent today, this included; None where nobody has looked."""
        known = [part.spent_today for part in self.parts if part.spent_today is not None]
        return max(known, default=None)

    @property
    def uncertain(self) -> Micros:
        """What counts against the person at most because nobody knows what became of it."""
        return sum(part.held for part in self.parts if part.uncertain)

    @property
    def failed_parts(self) -> tuple[Part, ...]:
        """The parts without a picture."""
        return tuple(part for part in self.parts if not part.pictures)

    @property
    def error(self) -> BotError | None:
        """The first error of the parts without a picture, to explain what is missing."""
        return next((part.error for part in self.failed_parts if part.error), None)


_ERRORS: Final[dict[str, type[BotError]]] = {
    kind.__name__: kind
    for kind in (BadKey, DailyFreeLimit, Moderated, NoCredits, NotStarted, ProviderFailed)
}
"""Why a charge was released, as `bot.generation` wrote it down; all else was never sent."""


def stored_report(job: Job, *, restarted: bool) -> Report | None:
    """What became of a stored job, as far as the books tell; None when it has no message.

    `restarted`: its process ended before it could tell; else it lost its way in a fault.
    """
    assignment = Assignment.of(job)
    if assignment is None:
        return None
    used = None if job.request.models else job.model
    asked = replace(job.request, prompt=job.prompt or "", model=used)
    parts = tuple(_part(charge, restarted=restarted) for charge in job.charges)
    notes = frozenset({Note.TEST_MODEL} if any(c.model == TEST_MODEL for c in job.charges) else ())
    return Report(
        replace(assignment, request=asked),
        parts,
        # They were sent side by side.
        seconds=max((part.seconds for part in parts if part.seconds is not None), default=None),
        restarted=restarted,
        notes=notes,
    )


def _part(charge: Charge, *, restarted: bool) -> Part:
    pictures = tuple(
        RemotePicture(url=output.url, data=output.data)
        for output in charge.outputs
        if output.url is not None or output.data is not None
    )
    error = None if pictures else _error(charge, restarted=restarted)
    spent = charge.actual or 0
    seconds = None if charge.took_ms is None else charge.took_ms / 1000
    return Part(
        *(charge.id, charge.model, charge.state, charge.held, spent),
        pictures=pictures,
        error=error,
        seconds=seconds,
    )


def _error(charge: Charge, *, restarted: bool) -> BotError | None:
    """Why a stored charge has no picture to show; None for a fault without a name."""
    if charge.pictures:
        return PictureLost()
    match charge.state:
        case ChargeState.RELEASED if charge.reason in _ERRORS:
            return _ERRORS[charge.reason]()
        case ChargeState.RELEASED:
            return ShuttingDown() if restarted else None
        case ChargeState.SETTLED:
            return ChargedWithoutPicture() if charge.actual else ProviderFailed()
        case _:
            return OutcomeUnknown()
